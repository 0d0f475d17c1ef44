#include <unroll/export/export_run.h>

#include <fmt/format.h>

#include <filesystem>
#include <limits>
#include <utility>

#include <unroll/base/error.h>
#include <unroll/base/file.h>
#include <unroll/base/quote.h>
#include <unroll/export/torchscript.h>
#include <unroll/run/json.h>
#include <unroll/run/weights_file.h>
#include <unroll/version.h>

namespace unroll {
namespace {

namespace fs = std::filesystem;

Json read_object(const std::string& path) {
  Json json = Json::parse(read_file(path), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    throw FileError(path, "is no valid JSON object");
  }
  return json;
}

const char* dtype_name(const Weights& weights) {
  return weights.bias.scalar_type() == torch::kFloat64 ? "float64" : "float32";
}

/// Weights of another run than the config's would be exported under a false name.
void check_fits(const Json& config, const Weights& weights, const std::string& run) {
  const Json actual = {{"num_classes", weights.input_weight.size(1)},
                       {"hidden_size", weights.input_weight.size(0)},
                       {"dtype", dtype_name(weights)}};
  for (const auto& [key, value] : actual.items()) {
    const Json claimed = config.value(key, Json());
    if (claimed != value) {
      throw FileError(run, fmt::format("config.json has {} {}, weights.safetensors has {}", key,
                                       printable(claimed.dump()), value.dump()));
    }
  }
}

/// A model with where it comes from.
struct Source {
  Weights weights;
  Json provenance;
};

Source read_source(const std::string& path) {
  Json provenance = {
      {"unroll", kVersion}, {"source", path}, {"config", nullptr}, {"summary", nullptr}};
  if (!fs::is_directory(path)) {
    return {load_weights(path), provenance};
  }
  for (const char* file : {"config.json", "weights.safetensors", "summary.json"}) {
    if (!fs::exists(path + "/" + file)) {
      throw FileError(path, std::string("is no finished run: ") + file + " is missing");
    }
  }
  provenance["config"] = read_object(path + "/config.json");
  provenance["summary"] = read_object(path + "/summary.json");
  Weights weights = load_weights(path + "/weights.safetensors");
  check_fits(provenance["config"], weights, path);
  return {std::move(weights), std::move(provenance)};
}

/// A number of an object; NaN for none.
double number_of(const Json& json, const char* key) {
  const Json value = json.is_object() ? json.value(key, Json()) : Json();
  return value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
}

/// Says so if the run ended worse than guessing.
std::string warning_of(const Json& summary) {
  const double loss = number_of(summary, "last_epoch_loss");
  const double baseline = number_of(summary, "baseline");
  return loss > baseline ? fmt::format(
                               "the loss of the run's last epoch is {:.5g}, always guessing "
                               "the same costs {:.4f}",
                               loss, baseline)
                         : "";
}

}  // namespace

Weights load_source(const std::string& source) { return read_source(source).weights; }

ExportSummary run_export(const ExportOptions& options) {
  const bool has_weights = !options.weights.empty();
  if (has_weights && end_of_links(options.output) == end_of_links(options.weights)) {
    throw InvalidOption("weights",
                        "must name another file than --output, got " + in_quotes(options.weights));
  }
  const std::string output = place_for(options.output, options.force);
  const std::string weights_output = has_weights ? place_for(options.weights, options.force) : "";
  const auto& [weights, provenance] = read_source(options.source);

  // Neither file takes its name before both are whole.
  WholeFile module(output);
  const double difference = write_torchscript(module, weights, to_text(provenance));
  if (has_weights) {
    WholeFile file(weights_output);
    write_weights(file, weights);
    file.publish();
  }
  module.publish();
  return {.num_classes = weights.input_weight.size(1),
          .hidden_size = weights.input_weight.size(0),
          .dtype = dtype_name(weights),
          .largest_difference = difference,
          .warning = warning_of(provenance["summary"])};
}

}  // namespace unroll
