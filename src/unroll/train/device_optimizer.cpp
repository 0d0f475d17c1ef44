#include <unroll/train/device_optimizer.h>

#include <ATen/ops/_fused_adam.h>
#include <torch/optim/adagrad.h>
#include <torch/optim/adam.h>
#include <torch/optim/sgd.h>

#include <memory>
#include <utility>
#include <vector>

namespace unroll {
namespace {

const std::vector<torch::Tensor>& parameters_of(torch::optim::Optimizer& optimizer) {
  return optimizer.param_groups().front().params();
}

template <class Options>
const Options& options_of(torch::optim::Optimizer& optimizer) {
  return static_cast<const Options&>(optimizer.param_groups().front().options());
}

template <class State>
State* find_state(torch::optim::Optimizer& optimizer, const torch::Tensor& parameter) {
  const auto entry = optimizer.state().find(parameter.unsafeGetTensorImpl());
  return entry == optimizer.state().end() ? nullptr : static_cast<State*>(entry->second.get());
}

template <class State>
void count_in(torch::optim::Optimizer& optimizer, std::int64_t steps) {
  for (const torch::Tensor& parameter : parameters_of(optimizer)) {
    if (auto* const state = find_state<State>(optimizer, parameter)) {
      state->step(state->step() + steps);
    }
  }
}

}  // namespace

DeviceOptimizer::DeviceOptimizer(torch::optim::Optimizer& optimizer, OptimizerKind kind)
    : optimizer_(optimizer), kind_(kind) {
  load();
}

void DeviceOptimizer::load() {
  if (kind_ != OptimizerKind::kAdam) {
    return;
  }
  const torch::Tensor& first = parameters_of(optimizer_).front();
  const auto* const state = find_state<torch::optim::AdamParamState>(optimizer_, first);
  steps_ = torch::full({}, state == nullptr ? 0.0 : static_cast<double>(state->step()),
                       first.options().dtype(torch::kFloat32).requires_grad(false));
}

void DeviceOptimizer::count(std::int64_t steps) {
  if (kind_ == OptimizerKind::kAdagrad) {
    count_in<torch::optim::AdagradParamState>(optimizer_, steps);
  } else if (kind_ == OptimizerKind::kAdam) {
    count_in<torch::optim::AdamParamState>(optimizer_, steps);
  }
}

void DeviceOptimizer::step() {
  const torch::NoGradGuard no_grad;
  switch (kind_) {
    case OptimizerKind::kSgd:
      return step_sgd();
    case OptimizerKind::kAdagrad:
      return step_adagrad();
    case OptimizerKind::kAdam:
      return step_adam();
  }
}

void DeviceOptimizer::step_sgd() {
  const auto& options = options_of<torch::optim::SGDOptions>(optimizer_);
  for (const torch::Tensor& parameter : parameters_of(optimizer_)) {
    torch::Tensor value = parameter.detach();
    value.add_(parameter.grad(), -options.lr());
  }
}

void DeviceOptimizer::step_adagrad() {
  const auto& options = options_of<torch::optim::AdagradOptions>(optimizer_);
  for (const torch::Tensor& parameter : parameters_of(optimizer_)) {
    torch::Tensor value = parameter.detach();
    torch::Tensor& sum = find_state<torch::optim::AdagradParamState>(optimizer_, parameter)->sum();
    sum.addcmul_(parameter.grad(), parameter.grad());
    value.addcdiv_(parameter.grad(), sum.sqrt().add_(options.eps()), -options.lr());
  }
}

void DeviceOptimizer::step_adam() {
  const auto& options = options_of<torch::optim::AdamOptions>(optimizer_);
  std::vector<torch::Tensor> values;
  std::vector<torch::Tensor> gradients;
  std::vector<torch::Tensor> means;
  std::vector<torch::Tensor> mean_squares;
  for (const torch::Tensor& parameter : parameters_of(optimizer_)) {
    auto* state = find_state<torch::optim::AdamParamState>(optimizer_, parameter);
    if (state == nullptr) {
      auto fresh = std::make_unique<torch::optim::AdamParamState>();
      fresh->step(0);
      fresh->exp_avg(torch::zeros_like(parameter.detach()));
      fresh->exp_avg_sq(torch::zeros_like(parameter.detach()));
      state = fresh.get();
      optimizer_.state()[parameter.unsafeGetTensorImpl()] = std::move(fresh);
    }
    values.push_back(parameter.detach());
    gradients.push_back(parameter.grad());
    means.push_back(state->exp_avg());
    mean_squares.push_back(state->exp_avg_sq());
  }
  steps_.add_(1);
  const std::vector<torch::Tensor> steps(values.size(), steps_);
  const auto [mean_decay, square_decay] = options.betas();
  at::_fused_adam_(values, gradients, means, mean_squares, {}, steps, options.lr(), mean_decay,
                   square_decay, options.weight_decay(), options.eps(), options.amsgrad(),
                   /*maximize=*/false);
}

}  // namespace unroll
