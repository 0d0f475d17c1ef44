// The optimizers to choose from, all LibTorch's.
#pragma once

#include <torch/optim/optimizer.h>

#include <memory>
#include <vector>

#include <unroll/train/options.h>

namespace unroll {

/// Makes the optimizer of those parameters that require a gradient.
/// @throws InvalidOption if the learning rate is not a finite positive number.
std::unique_ptr<torch::optim::Optimizer> make_optimizer(std::vector<torch::Tensor> parameters,
                                                        const OptimizerOptions& options);

}  // namespace unroll
