// An optimizer's step that a CUDA graph can hold.
#pragma once

#include <torch/optim/optimizer.h>
#include <torch/types.h>

#include <cstdint>

#include <unroll/train/options.h>

namespace unroll {

/// Makes the steps of one of make_optimizer()'s optimizers in operations that take nothing from the
/// host that changes from step to step: LibTorch's own Adam computes with a count that the host
/// keeps. What has been gathered stays the optimizer's, but for its counts of steps, which lag
/// until they are told.
class DeviceOptimizer {
 public:
  /// Of an optimizer that outlives this one.
  DeviceOptimizer(torch::optim::Optimizer& optimizer, OptimizerKind kind);

  /// Moves the parameters by their gradients.
  void step();

  /// Tells the optimizer of so many steps that were made.
  void count(std::int64_t steps);

  /// Takes what the optimizer has gathered, after it was set.
  void load();

 private:
  void step_sgd();
  void step_adagrad();
  void step_adam();

  torch::optim::Optimizer& optimizer_;
  OptimizerKind kind_;
  torch::Tensor steps_;  // of Adam: [], float32, on the device
};

}  // namespace unroll
