#include <unroll/train/optimizer.h>

#include <torch/optim/adagrad.h>
#include <torch/optim/adam.h>
#include <torch/optim/sgd.h>

#include <array>
#include <cstdint>
#include <stdexcept>
#include <utility>
#include <vector>

namespace unroll {
namespace {

/// A quantity that an optimizer keeps of every parameter, of the parameter's shape.
template <class State>
struct Quantity {
  const char* name;
  const torch::Tensor& (State::*read)() const noexcept;
  torch::Tensor& (State::*write)() noexcept;
};

constexpr std::array<Quantity<torch::optim::AdamParamState>, 2> kAdamQuantities = {
    {{"exp_avg", &torch::optim::AdamParamState::exp_avg, &torch::optim::AdamParamState::exp_avg},
     {"exp_avg_sq", &torch::optim::AdamParamState::exp_avg_sq,
      &torch::optim::AdamParamState::exp_avg_sq}}};
constexpr std::array<Quantity<torch::optim::AdagradParamState>, 1> kAdagradQuantities = {
    {{"sum", &torch::optim::AdagradParamState::sum, &torch::optim::AdagradParamState::sum}}};

template <class State, std::size_t kCount>
OptimizerState gather(const torch::optim::Optimizer& optimizer,
                      const std::map<std::string, torch::Tensor>& parameters,
                      const std::array<Quantity<State>, kCount>& quantities) {
  OptimizerState gathered;
  for (const auto& [name, parameter] : parameters) {
    const auto entry = optimizer.state().find(parameter.unsafeGetTensorImpl());
    if (entry == optimizer.state().end()) {
      continue;
    }
    const auto& state = static_cast<const State&>(*entry->second);
    gathered[name + ".step"] = torch::tensor(state.step(), torch::kInt64);
    for (const auto& quantity : quantities) {
      gathered[name + "." + quantity.name] = (state.*quantity.read)();
    }
  }
  return gathered;
}

torch::Tensor take(OptimizerState& state, const std::string& name, torch::IntArrayRef shape) {
  const auto entry = state.extract(name);
  if (entry.empty() || entry.mapped().sizes() != shape) {
    throw std::invalid_argument("the optimizer's state has no " + name + " of the right shape");
  }
  return entry.mapped();
}

template <class State, std::size_t kCount>
void scatter(torch::optim::Optimizer& optimizer,
             const std::map<std::string, torch::Tensor>& parameters,
             const std::array<Quantity<State>, kCount>& quantities, OptimizerState& gathered) {
  for (const auto& [name, parameter] : parameters) {
    auto state = std::make_unique<State>();
    state->step(take(gathered, name + ".step", {}).template item<std::int64_t>());
    for (const auto& quantity : quantities) {
      const torch::Tensor value = take(gathered, name + "." + quantity.name, parameter.sizes());
      (*state.*quantity.write)() = torch::empty_like(parameter).copy_(value).detach();
    }
    optimizer.state()[parameter.unsafeGetTensorImpl()] = std::move(state);
  }
}

}  // namespace

std::unique_ptr<torch::optim::Optimizer> make_optimizer(std::vector<torch::Tensor> parameters,
                                                        const OptimizerOptions& options) {
  options.validate();
  std::erase_if(parameters,
                [](const torch::Tensor& parameter) { return !parameter.requires_grad(); });
  const double rate = options.learning_rate;
  switch (options.optimizer) {
    case OptimizerKind::kSgd:
      return std::make_unique<torch::optim::SGD>(std::move(parameters),
                                                 torch::optim::SGDOptions(rate));
    case OptimizerKind::kAdagrad:
      return std::make_unique<torch::optim::Adagrad>(std::move(parameters),
                                                     torch::optim::AdagradOptions(rate));
    case OptimizerKind::kAdam:
      return std::make_unique<torch::optim::Adam>(std::move(parameters),
                                                  torch::optim::AdamOptions(rate));
  }
  return nullptr;
}

std::map<std::string, torch::Tensor> trained_parameters(const torch::nn::Module& module) {
  std::map<std::string, torch::Tensor> trained;
  for (const auto& parameter : module.named_parameters()) {
    if (parameter.value().requires_grad()) {
      trained[parameter.key()] = parameter.value();
    }
  }
  return trained;
}

OptimizerState state_of(const torch::optim::Optimizer& optimizer, OptimizerKind kind,
                        const std::map<std::string, torch::Tensor>& parameters) {
  switch (kind) {
    case OptimizerKind::kSgd:
      break;
    case OptimizerKind::kAdagrad:
      return gather(optimizer, parameters, kAdagradQuantities);
    case OptimizerKind::kAdam:
      return gather(optimizer, parameters, kAdamQuantities);
  }
  return {};
}

void set_state(torch::optim::Optimizer& optimizer, OptimizerKind kind,
               const std::map<std::string, torch::Tensor>& parameters, OptimizerState state) {
  const torch::NoGradGuard no_grad;
  if (kind == OptimizerKind::kAdagrad) {
    scatter(optimizer, parameters, kAdagradQuantities, state);
  } else if (kind == OptimizerKind::kAdam) {
    scatter(optimizer, parameters, kAdamQuantities, state);
  }
  if (!state.empty()) {
    throw std::invalid_argument("the optimizer does not know " + state.begin()->first);
  }
}

}  // namespace unroll
