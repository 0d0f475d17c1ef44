// The training step of autograd_engine.cpp on a GPU, recorded once and replayed for every window.
#pragma once

#include <torch/optim/optimizer.h>

#include <cstdint>
#include <memory>

#include <unroll/cuda/plugin.h>
#include <unroll/model/model.h>
#include <unroll/train/device_optimizer.h>
#include <unroll/train/engine.h>
#include <unroll/train/options.h>

namespace unroll {

/// Runs any RecurrentModel with any optimizer, on what a cuda::Graph records. A small network's
/// operations take the GPU less time than the host needs to launch them; of a recording it launches
/// all at once. The symbols of some thousand windows, the place among them, the state and the
/// losses stay on the GPU from window to window.
class GraphEngine final : public Engine {
 public:
  /// Trains the parameters of `model` that require a gradient.
  /// @throws InvalidOption if the learning rate is not a finite positive number.
  GraphEngine(std::shared_ptr<RecurrentModel> model, const OptimizerOptions& options,
              std::unique_ptr<cuda::Graph> graph);

  [[nodiscard]] torch::Tensor initial_state(std::int64_t batch_size) const override;
  Advance advance(const WindowDataset& windows, WindowRange range, torch::Tensor state) override;
  [[nodiscard]] OptimizerState optimizer_state() const override;
  void set_optimizer_state(const OptimizerState& state) override;

 private:
  /// What the recorded step reads and writes.
  struct Buffers {
    Window symbols;         // [B, windows * T]
    torch::Tensor columns;  // [T]: the window's, of the symbols
    torch::Tensor place;    // [1]: the window's, of the losses
    torch::Tensor state;    // [B, H]
    torch::Tensor losses;   // [windows]
  };

  void make_buffers(const WindowDataset& windows, const torch::Tensor& state);
  /// Trains on the first `count` windows of the symbols.
  void run(std::int64_t count);
  void train_window();

  std::shared_ptr<RecurrentModel> model_;
  OptimizerKind kind_;
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
  DeviceOptimizer device_optimizer_;
  std::unique_ptr<cuda::Graph> graph_;
  Buffers buffers_;
  std::int64_t rehearsed_ = 0;  // windows, before the step is recorded
  bool is_recorded_ = false;
};

}  // namespace unroll
