// The training step of autograd_engine.cpp by hand-written kernels: the same parameters, the same
// losses, hundreds of times as fast for a small network.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <variant>

#include <unroll/kernels/step.h>
#include <unroll/model/model.h>
#include <unroll/train/engine.h>
#include <unroll/train/gradient_averager.h>
#include <unroll/train/options.h>

namespace unroll {

/// Trains any RecurrentModel on the CPU with plain SGD, in float32 or float64, on as many of the
/// threads that LibTorch's operations may have as the sizes keep busy. They change no bit. Between
/// two calls of advance() the weights are the model's, to be read and set there.
class FusedEngine final : public Engine {
 public:
  /// @throws InvalidOption if the learning rate is not a finite positive number;
  /// std::invalid_argument if the optimizer is not SGD or the model not on the CPU
  FusedEngine(std::shared_ptr<RecurrentModel> model, const OptimizerOptions& options);
  /// Trains on some of every window's rows, and averages with who trains the others.
  /// @throws likewise
  FusedEngine(std::shared_ptr<RecurrentModel> model, const OptimizerOptions& options,
              GradientAverager averager);

  [[nodiscard]] torch::Tensor initial_state(std::int64_t batch_size) const override;
  /// @throws std::out_of_range if a window is not there; std::invalid_argument if the windows have
  /// more classes than the model or are not on the CPU, or the state is not [B, H] of the model's
  /// dtype on the CPU
  Advance advance(const WindowDataset& windows, WindowRange range, torch::Tensor state) override;

 private:
  template <class Real>
  using StepOf = std::unique_ptr<kernels::Step<Real>>;

  /// Trains window by window, with the update of all rows' gradient in each.
  template <class Real>
  void run_averaged(kernels::Step<Real>& step, const Weights& weights, const WindowDataset& windows,
                    WindowRange range, const torch::Tensor& losses);

  std::shared_ptr<RecurrentModel> model_;
  double learning_rate_;
  std::optional<GradientAverager> averager_;          // none if this engine trains all rows
  std::int64_t threads_ = 0;                          // that the step was made for
  std::variant<StepOf<float>, StepOf<double>> step_;  // of the model's dtype; null before the first
};

}  // namespace unroll
