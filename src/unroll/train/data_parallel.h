// Data parallel training: every rank trains its rows of the same windows, with gradients averaged
// over all of them, so that every rank holds the same weights at every window.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>

#include <unroll/cuda/plugin.h>
#include <unroll/model/model.h>
#include <unroll/train/engine.h>
#include <unroll/train/options.h>
#include <unroll/train/ranks.h>

namespace unroll {

/// Gives an engine only this rank's rows of every window and state. Losses are of all rows.
class DataParallelEngine final : public Engine {
 public:
  /// `inner` must average its gradients and losses over the same ranks, which must outlive it.
  DataParallelEngine(std::unique_ptr<Engine> inner, Ranks& ranks);

  [[nodiscard]] torch::Tensor initial_state(std::int64_t batch_size) const override;
  /// In the state that it gives, the other ranks' rows are NaN.
  /// @throws RankError
  Advance advance(const WindowDataset& windows, WindowRange range, torch::Tensor state) override;
  /// @throws RankError
  [[nodiscard]] torch::Tensor whole_state(const torch::Tensor& state) override;
  [[nodiscard]] OptimizerState optimizer_state() const override;
  void set_optimizer_state(const OptimizerState& state) override;

 private:
  std::unique_ptr<Engine> inner_;
  Ranks& ranks_;
};

/// Checks that these ranks can train in this way.
/// @throws InvalidOption if there are more ranks than rows, or the device is a GPU and the plugin,
/// which sums over several, is not there or cannot
void check_data_parallel(const Ranks& ranks, std::int64_t batch_size, torch::Device device,
                         const cuda::FoundPlugin& cuda);

/// Makes the engine that a resolved choice names, for one of ranks that check_data_parallel() has
/// let pass.
/// @throws InvalidOption if the learning rate is not a finite positive number
std::unique_ptr<Engine> make_parallel_engine(EngineChoice resolved,
                                             std::shared_ptr<RecurrentModel> model,
                                             const OptimizerOptions& optimizer, Ranks& ranks,
                                             std::int64_t batch_size);

/// Copies rank 0's weights into every rank's model.
/// @throws RankError
void share_weights(Ranks& ranks, RecurrentModel& model);

/// Checks that every rank holds the weights of rank 0, to the bit.
/// @throws RankError on every rank, naming one that holds others
void check_same_weights(Ranks& ranks, const RecurrentModel& model);

}  // namespace unroll
