// The optimizers to choose from, all LibTorch's.
#pragma once

#include <torch/nn/module.h>
#include <torch/optim/optimizer.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <unroll/train/engine.h>
#include <unroll/train/options.h>

namespace unroll {

/// Makes the optimizer of those parameters that require a gradient.
/// @throws InvalidOption if the learning rate is not a finite positive number.
std::unique_ptr<torch::optim::Optimizer> make_optimizer(std::vector<torch::Tensor> parameters,
                                                        const OptimizerOptions& options);

/// A module's parameters that require a gradient, by name.
std::map<std::string, torch::Tensor> trained_parameters(const torch::nn::Module& module);

/// What an optimizer of this kind has gathered for each parameter, "<parameter>.<quantity>": of
/// Adam step [], exp_avg and exp_avg_sq; of Adagrad step [] and sum; of SGD nothing. Nothing either
/// before Adam's first step. The tensors but step are the optimizer's own.
OptimizerState state_of(const torch::optim::Optimizer& optimizer, OptimizerKind kind,
                        const std::map<std::string, torch::Tensor>& parameters);

/// Copies such a state into an optimizer.
/// @throws std::invalid_argument if a tensor is missing, extra, or of another shape
void set_state(torch::optim::Optimizer& optimizer, OptimizerKind kind,
               const std::map<std::string, torch::Tensor>& parameters, OptimizerState state);

}  // namespace unroll
