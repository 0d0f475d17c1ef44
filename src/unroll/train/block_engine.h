// The fused engine of a GPU: fused_engine.cpp's training step for networks that are small enough to
// stay in one block of its threads.
#pragma once

#include <cstddef>
#include <memory>

#include <unroll/cuda/plugin.h>
#include <unroll/kernels/shape.h>
#include <unroll/model/model.h>
#include <unroll/train/engine.h>
#include <unroll/train/options.h>

namespace unroll {

/// Trains any RecurrentModel with plain SGD, in float32 or float64, on any number of windows in one
/// launch. Between two calls of advance() the weights are the model's, to be read and set there.
class BlockEngine final : public Engine {
 public:
  /// With a plugin that outlives it.
  /// @throws InvalidOption if the learning rate is not a finite positive number;
  /// std::invalid_argument if the optimizer is not SGD
  BlockEngine(std::shared_ptr<RecurrentModel> model, const OptimizerOptions& options,
              const cuda::Plugin& plugin);

  [[nodiscard]] torch::Tensor initial_state(std::int64_t batch_size) const override;
  /// @throws std::out_of_range if a window is not there; std::invalid_argument if the sizes do not
  /// fit in a block, if the windows have more classes than the model, if the state is not [B, H] of
  /// the model's dtype, or if one of them is on another device than the model
  Advance advance(const WindowDataset& windows, WindowRange range, torch::Tensor state) override;

 private:
  std::shared_ptr<RecurrentModel> model_;
  double learning_rate_;
  const cuda::Plugin& plugin_;
  std::size_t shared_bytes_;  // of a block on this GPU
};

/// Whether a BlockEngine can train with these sizes where a block has so much shared memory.
bool fits_in_block(const kernels::StepShape& shape, Precision precision, std::size_t shared_bytes);

}  // namespace unroll
