#include <unroll/run/comparison_run.h>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <utility>

#include <unroll/base/error.h>
#include <unroll/base/file.h>
#include <unroll/run/config.h>
#include <unroll/run/json.h>
#include <unroll/run/metrics.h>
#include <unroll/run/preparation.h>
#include <unroll/run/run_directory.h>
#include <unroll/train/autograd_engine.h>
#include <unroll/train/comparison.h>

namespace unroll {
namespace {

/// A variant with all that it owns.
struct Variant {
  std::string name;
  Trainee trainee;
  std::string fault;                     // made on purpose; empty for none
  std::unique_ptr<MetricsFile> metrics;  // if there is an output folder
};

/// "manual/autograd", with a number behind it if an earlier variant is called that.
std::string unique_name(const Trainee& trainee, const std::vector<Variant>& variants) {
  const std::string plain =
      fmt::format("{}/{}", name_of(trainee.model->options().model), name_of(trainee.engine_choice));
  std::string name = plain;
  const auto is_taken = [&](const Variant& variant) { return variant.name == name; };
  for (int copy = 2; std::any_of(variants.begin(), variants.end(), is_taken); ++copy) {
    name = fmt::format("{}-{}", plain, copy);
  }
  return name;
}

constexpr const char* kFault = "rnn.bias_hh_l0 is trained too: the biases' sum moves twice as far";

/// The built-in model with kFault.
Trainee make_faulty_trainee(const PreparedRun& run, const Weights& weights) {
  Trainee trainee = make_trainee(run, weights, ModelKind::kBuiltin, EngineChoice::kAutograd);
  trainee.model->named_parameters()["rnn.bias_hh_l0"].requires_grad_(true);
  trainee.engine = std::make_unique<AutogradEngine>(trainee.model, run.options.optimizer);
  return trainee;
}

/// A choice's trainee; what it cannot train with is the variant's fault.
Trainee make_chosen_trainee(const PreparedRun& run, const Weights& weights,
                            const VariantChoice& choice) {
  try {
    return make_trainee(run, weights, choice.model, choice.engine);
  } catch (const InvalidOption& error) {
    throw InvalidOption("variants", fmt::format("cannot have {}/{}: {}", name_of(choice.model),
                                                name_of(choice.engine), error.problem()));
  }
}

std::vector<Variant> make_variants(const ComparisonOptions& options, const PreparedRun& run,
                                   const Weights& weights) {
  std::vector<Variant> variants;
  const auto add = [&](Trainee trainee, const char* suffix, const char* fault) {
    const std::string name = unique_name(trainee, variants) + suffix;
    variants.push_back(
        {.name = name, .trainee = std::move(trainee), .fault = fault, .metrics = nullptr});
  };
  for (const VariantChoice& choice : options.variants) {
    add(make_chosen_trainee(run, weights, choice), "", "");
    if (options.self_check) {
      add(make_faulty_trainee(run, weights), "+fault", kFault);
      break;
    }
  }
  return variants;
}

std::vector<EngineChoice> engines_of(const ComparisonOptions& options) {
  if (options.self_check) {
    return {options.variants.front().engine, EngineChoice::kAutograd};
  }
  std::vector<EngineChoice> engines;
  engines.reserve(options.variants.size());
  for (const VariantChoice& choice : options.variants) {
    engines.push_back(choice.engine);
  }
  return engines;
}

/// Makes the variant's folder and files.
void open_files(Variant& variant, const PreparedRun& run) {
  const std::string name = variant_folder(variant.name);
  const std::string folder = make_run_directory(run.options.out + "/" + name, name);
  RunOptions options = run.options;
  options.model.model = variant.trainee.model->options().model;
  const ResolvedRun resolved = {.engine = variant.trainee.engine_choice,
                                .device = run.device.str(),
                                .fault = variant.fault,
                                .digests = run.digests};
  write_file(folder + "/config.json", config_json(options, resolved, run.process));
  variant.metrics = std::make_unique<MetricsFile>(folder + "/metrics.csv");
}

Json number(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

Json to_json(const std::optional<Parting>& parting) {
  if (!parting) {
    return nullptr;
  }
  return {{"variant", parting->variant},
          {"epoch", parting->epoch},
          {"window", parting->window},
          {"first_loss", parting->first_loss},
          {"loss", parting->loss},
          {"tensor", parting->tensor},
          {"weight_difference", parting->weight_difference}};
}

}  // namespace

void ComparisonOptions::validate() const {
  if (variants.size() < 2) {
    throw InvalidOption("variants", fmt::format("must be at least two, got {}", variants.size()));
  }
  if (!(std::isfinite(tolerance) && tolerance >= 0.0)) {
    throw InvalidOption("tolerance",
                        fmt::format("must be a finite number, 0 or more, got {}", tolerance));
  }
}

Tolerance default_tolerance(Precision dtype) {
  return {.largest = dtype == Precision::kFloat64 ? 1e-9 : 1e-5, .windows = 1'000};
}

std::int64_t ComparisonSummary::windows_judged() const {
  return std::min(tolerance.windows, comparison.windows);
}

bool ComparisonSummary::agree() const {
  const bool weights_count = comparison.windows <= tolerance.windows;
  const bool weights_agree = std::all_of(
      comparison.variants.begin(), comparison.variants.end(), [&](const VariantResult& variant) {
        return variant.max_weight_difference <= tolerance.largest;
      });
  return !comparison.parting && (weights_agree || !weights_count);
}

std::string ComparisonSummary::to_json() const {
  Json variants = Json::array();
  for (const VariantResult& variant : comparison.variants) {
    variants.push_back({{"name", variant.name},
                        {"final_loss", variant.final_loss},
                        {"max_loss_difference", variant.max_loss_difference},
                        {"max_weight_difference", variant.max_weight_difference},
                        {"leading_tensor", variant.leading_tensor},
                        {"microseconds_per_window", number(variant.microseconds_per_window)},
                        {"speed_up", number(variant.speed_up)}});
  }
  const Json json = {{"self_check", self_check},
                     {"agree", agree()},
                     {"tolerance", tolerance.largest},
                     {"windows_judged", windows_judged()},
                     {"dtype", dtype},
                     {"epochs", epochs},
                     {"windows", comparison.windows},
                     {"variants", variants},
                     {"parting", unroll::to_json(comparison.parting)},
                     {"seconds", seconds}};
  return to_text(json);
}

std::string variant_folder(std::string variant) {
  std::replace(variant.begin(), variant.end(), '/', '-');
  return variant;
}

ComparisonSummary run_comparison(const ComparisonOptions& options, const ComparisonLog& log) {
  const auto begin = std::chrono::steady_clock::now();
  options.validate();
  PreparedRun run = prepare_run(options.run, engines_of(options));
  std::vector<Variant> variants = make_variants(options, run, initial_weights(run));
  const std::string& out = run.options.out;
  if (!out.empty()) {
    make_run_directory(out, "");
    for (Variant& variant : variants) {
      open_files(variant, run);
    }
  }

  std::vector<Contestant> contestants;
  contestants.reserve(variants.size());
  for (const Variant& variant : variants) {
    contestants.push_back(
        {variant.name, *variant.trainee.model, *variant.trainee.engine, [&](const LogRow& row) {
           if (variant.metrics) {
             variant.metrics->append(row);
           }
           log(variant.name, row);
         }});
  }
  ComparisonSummary summary = {.dtype = std::string(name_of(run.options.dtype)),
                               .epochs = run.options.trainer.epochs,
                               .tolerance = options.tolerance > 0.0
                                                ? Tolerance{.largest = options.tolerance}
                                                : default_tolerance(run.options.dtype),
                               .seconds = 0.0,
                               .self_check = options.self_check,
                               .comparison = {},
                               .class_gaps = run.class_gaps};
  summary.comparison = compare(contestants, *run.source, run.options.windows, run.options.trainer,
                               run.device, summary.tolerance);
  summary.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (!out.empty()) {
    write_file(out + "/comparison.json", summary.to_json());
  }
  return summary;
}

}  // namespace unroll
