// The one thing that data parallel training adds to a training step.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include <unroll/train/ranks.h>

namespace unroll {

/// Turns the mean over this rank's rows of a window into the mean over all B rows.
class GradientAverager {
 public:
  /// `ranks` must outlive it. Of every window's `batch_size` rows this rank has its share_of().
  GradientAverager(Ranks& ranks, std::int64_t batch_size);

  /// Averages a window's gradients and its loss, one behind the other in `flat`, in place and in
  /// one all-reduce: each rank's weigh as many rows as it has. Every rank gets the same bits.
  /// @throws RankError
  void average(torch::Tensor& flat);

  /// The same of tensors that lie anywhere.
  /// @throws RankError
  void average(const std::vector<torch::Tensor>& tensors);

 private:
  Ranks& ranks_;
  double weight_;       // this rank's part of the rows
  torch::Tensor flat_;  // [elements of all tensors]
};

}  // namespace unroll
