// What the trainer needs of a training step, however it is executed.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <map>
#include <string>

#include <unroll/data/window_dataset.h>

namespace unroll {

/// The windows first, first + 1, .. first + count - 1 of a dataset.
struct WindowRange {
  std::int64_t first;
  std::int64_t count;
};

/// What training on a range of windows gives, both on the device.
struct Advance {
  torch::Tensor
      losses;  ///< [count]: each window's mean cross-entropy in nats, before that window's update
  torch::Tensor state;  ///< [B, H]: the hidden state after the last window, without history
};

/// What an optimizer has gathered beside the weights, under names that the engine gives.
using OptimizerState = std::map<std::string, torch::Tensor>;

/// Trains a model's parameters, window after window.
class Engine {
 public:
  virtual ~Engine() = default;
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Zeros [B, H]: the state that an epoch starts from.
  [[nodiscard]] virtual torch::Tensor initial_state(std::int64_t batch_size) const = 0;

  /// Trains on a range of windows in order, one update each, carrying the state's value from window
  /// to window and cutting its gradient in between. `state` [B, H] is what the window before the
  /// range left behind.
  virtual Advance advance(const WindowDataset& windows, WindowRange range, torch::Tensor state) = 0;

  /// The hidden state of all B rows, from one that advance() gave: another only where an engine
  /// trains some of the rows and other processes the rest. Then all of them must ask at the same
  /// window.
  [[nodiscard]] virtual torch::Tensor whole_state(const torch::Tensor& state) { return state; }

  /// The optimizer's state, empty for plain SGD. The tensors are its own: who writes to them
  /// changes the training.
  [[nodiscard]] virtual OptimizerState optimizer_state() const { return {}; }

  /// Copies what another engine of the same kind had gathered for the same model.
  /// @throws std::invalid_argument if a tensor is missing, extra, or of another shape
  virtual void set_optimizer_state(const OptimizerState& state);
};

}  // namespace unroll
