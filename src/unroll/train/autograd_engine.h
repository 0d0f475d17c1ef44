// The reference training step, on LibTorch's automatic differentiation. The page to read first is
// autograd_engine.cpp.
#pragma once

#include <torch/optim/optimizer.h>

#include <memory>

#include <unroll/model/model.h>
#include <unroll/train/engine.h>
#include <unroll/train/options.h>

namespace unroll {

/// Runs any RecurrentModel on any device with any optimizer.
class AutogradEngine final : public Engine {
 public:
  /// Trains the parameters of `model` that require a gradient.
  /// @throws InvalidOption if the learning rate is not a finite positive number.
  AutogradEngine(std::shared_ptr<RecurrentModel> model, const OptimizerOptions& options);

  [[nodiscard]] torch::Tensor initial_state(std::int64_t batch_size) const override;
  Advance advance(const WindowDataset& windows, WindowRange range, torch::Tensor state) override;
  [[nodiscard]] OptimizerState optimizer_state() const override;
  void set_optimizer_state(const OptimizerState& state) override;

 private:
  std::shared_ptr<RecurrentModel> model_;
  OptimizerKind kind_;
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
};

}  // namespace unroll
