#include <unroll/export/export_run.h>

#include <filesystem>

#include <unroll/base/error.h>
#include <unroll/base/file.h>
#include <unroll/export/torchscript.h>
#include <unroll/run/json.h>
#include <unroll/run/weights_file.h>
#include <unroll/version.h>

namespace unroll {
namespace {

namespace fs = std::filesystem;

Json read_json(const std::string& path) {
  try {
    return Json::parse(read_file(path));
  } catch (const Json::exception&) {
    throw FileError(path, "is no valid JSON");
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
  provenance["config"] = read_json(path + "/config.json");
  provenance["summary"] = read_json(path + "/summary.json");
  return {load_weights(path + "/weights.safetensors"), provenance};
}

void refuse_existing(const std::string& path, bool force) {
  if (!force && !path.empty() && fs::exists(path)) {
    throw FileError(path, "exists; --force replaces it");
  }
}

}  // namespace

ExportSummary run_export(const ExportOptions& options) {
  refuse_existing(options.output, options.force);
  refuse_existing(options.weights, options.force);
  const auto [weights, provenance] = read_source(options.source);
  const double difference = save_torchscript(options.output, weights, to_text(provenance));
  if (!options.weights.empty()) {
    save_weights(options.weights, weights);
  }
  return {.num_classes = weights.input_weight.size(1),
          .hidden_size = weights.input_weight.size(0),
          .dtype = weights.bias.scalar_type() == torch::kFloat64 ? "float64" : "float32",
          .largest_difference = difference};
}

}  // namespace unroll
