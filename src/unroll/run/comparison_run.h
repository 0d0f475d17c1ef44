// A whole comparison: from options to a table of variants.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <unroll/run/options.h>
#include <unroll/train/comparison_result.h>
#include <unroll/train/log_row.h>

namespace unroll {

/// A model and the engine that trains it.
struct VariantChoice {
  ModelKind model = ModelKind::kManual;
  EngineChoice engine = EngineChoice::kAutograd;
};

struct ComparisonOptions {
  /// What all variants share; its model.model and engine do not count.
  RunOptions run;
  /// At least two. The first is what the others are measured against.
  std::vector<VariantChoice> variants = {{.model = ModelKind::kManual},
                                         {.model = ModelKind::kBuiltin}};
  /// How far a window's loss, in nats, or a weight may be from the first variant's; 0 for
  /// default_tolerance().
  double tolerance = 0.0;
  /// Compare the first variant with a faulty one instead, to see that the fault is caught.
  bool self_check = false;

  /// @throws InvalidOption
  void validate() const;
};

/// The tolerance that fits a dtype's rounding errors: 1e-5 for float32, 1e-9 for float64, over the
/// first 1,000 windows. Between the manual model, the built-in one and the fused engine at the
/// tutorial's sizes, with two dozen series and the arithmetic of SSE4, AVX2 and AVX-512, the
/// largest difference of a window's loss was
///
///     windows    float32    float64
///       1,000     3.3e-6    3.4e-15
///       3,000     7.5e-6    1.1e-14
///      10,000     1.5e-1    6.8e-7
///
/// Most seeds stay below 1e-5 to the end of the epoch, but training at this learning rate is
/// chaotic: now and then two correct runs part, by however much, and meet again. A fault shows at
/// once.
Tolerance default_tolerance(Precision dtype);

/// What a comparison came to.
struct ComparisonSummary {
  std::string dtype;
  std::int64_t epochs = 0;
  Tolerance tolerance;
  double seconds = 0.0;
  bool self_check = false;
  Comparison comparison;
  std::string class_gaps = {};  ///< which classes of a CSV file occur, in words; empty if all do

  /// How many of the windows were judged.
  [[nodiscard]] std::int64_t windows_judged() const;

  /// Whether every variant's losses and weights are within the tolerance of the first one's.
  [[nodiscard]] bool agree() const;

  /// One JSON object, indented, with a final newline.
  [[nodiscard]] std::string to_json() const;
};

/// The name of a variant's folder in options.run.out.
std::string variant_folder(std::string variant);

/// Is told of every variant's log rows.
using ComparisonLog = std::function<void(const std::string& variant, const LogRow& row)>;

/// Trains the variants side by side. If options.run.out is not empty, makes that folder with a
/// folder for each variant (config.json and metrics.csv) and comparison.json.
/// @throws InvalidOption, FileError, DivergenceError, and what LibTorch throws
ComparisonSummary run_comparison(const ComparisonOptions& options, const ComparisonLog& log);

}  // namespace unroll
