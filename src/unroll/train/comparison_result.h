// What a comparison of variants is judged by and comes to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace unroll {

/// What still counts as agreement.
struct Tolerance {
  static constexpr std::int64_t kEveryWindow = INT64_MAX;
  double largest = 0.0;  ///< difference of a window's loss, in nats, or of a final weight
  std::int64_t windows = kEveryWindow;  ///< how many, from the start of training, are judged
};

/// How a variant did. Differences are from the first variant, in absolute value.
struct VariantResult {
  std::string name;
  double final_loss = 0.0;             ///< the last log row's mean loss, in nats
  double max_loss_difference = 0.0;    ///< of any window's loss, in nats
  double max_weight_difference = 0.0;  ///< of any weight, at the end
  std::string leading_tensor;          ///< the weights where that is
  /// The median over the slices; none if the run was over while the variants warmed up.
  std::optional<double> microseconds_per_window;
  /// The median over the slices of the first variant's time over this one's; none likewise.
  std::optional<double> speed_up;
};

/// Where a variant first leaves the first variant by more than the tolerance.
struct Parting {
  std::string variant;
  std::int64_t epoch;   ///< from 1
  std::int64_t window;  ///< from 1, within the epoch
  double first_loss;    ///< that window's loss, of the first variant
  double loss;          ///< and of this one
  std::string tensor;   ///< the weights that differ most when the slice with this window is done
  double weight_difference;  ///< by how much at most
};

struct Comparison {
  std::vector<VariantResult> variants;
  std::int64_t windows = 0;        ///< that each variant trained on
  std::optional<Parting> parting;  ///< the earliest
};

}  // namespace unroll
