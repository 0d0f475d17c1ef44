// The reference training step, on LibTorch's automatic differentiation. The page to read first is
// autograd_engine.cpp.
#pragma once

#include <torch/optim/optimizer.h>

#include <memory>
#include <optional>

#include <unroll/model/model.h>
#include <unroll/train/engine.h>
#include <unroll/train/gradient_averager.h>
#include <unroll/train/options.h>

namespace unroll {

/// Runs any RecurrentModel on any device with any optimizer.
class AutogradEngine final : public Engine {
 public:
  /// Trains the parameters of `model` that require a gradient.
  /// @throws InvalidOption if the learning rate is not a finite positive number.
  AutogradEngine(std::shared_ptr<RecurrentModel> model, const OptimizerOptions& options);
  /// Trains on some of every window's rows, and averages with who trains the others.
  AutogradEngine(std::shared_ptr<RecurrentModel> model, const OptimizerOptions& options,
                 GradientAverager averager);

  [[nodiscard]] torch::Tensor initial_state(std::int64_t batch_size) const override;
  Advance advance(const WindowDataset& windows, WindowRange range, torch::Tensor state) override;
  [[nodiscard]] OptimizerState optimizer_state() const override;
  void set_optimizer_state(const OptimizerState& state) override;

 private:
  /// Makes the gradients and the loss those of all rows.
  void average(const torch::Tensor& loss);

  std::shared_ptr<RecurrentModel> model_;
  OptimizerKind kind_;
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
  std::optional<GradientAverager> averager_;  // none if this engine trains all rows
};

}  // namespace unroll
