// Stateful truncated back-propagation through time (Williams and Peng 1990), one update a window:
//
//     forward          the model runs the window from the carried state
//     cross-entropy    the mean over its B * T positions
//     backward         through the window's T steps and no further
//     update           the optimizer moves the parameters
//     carry            the state's value goes on to the next window, its gradient ends here

#include <unroll/train/autograd_engine.h>

#include <torch/nn/functional/loss.h>

#include <utility>
#include <vector>

#include <unroll/train/optimizer.h>

namespace unroll {

AutogradEngine::AutogradEngine(std::shared_ptr<RecurrentModel> model,
                               const OptimizerOptions& options)
    : model_(std::move(model)),
      kind_(options.optimizer),
      optimizer_(make_optimizer(model_->parameters(), options)) {}

AutogradEngine::AutogradEngine(std::shared_ptr<RecurrentModel> model,
                               const OptimizerOptions& options, GradientAverager averager)
    : AutogradEngine(std::move(model), options) {
  averager_.emplace(std::move(averager));
}

torch::Tensor AutogradEngine::initial_state(std::int64_t batch_size) const {
  return model_->initial_state(batch_size);
}

Advance AutogradEngine::advance(const WindowDataset& windows, WindowRange range,
                                torch::Tensor state) {
  torch::Tensor losses = torch::empty({range.count}, state.options());
  for (std::int64_t i = 0; i < range.count; ++i) {
    const Window window = windows.window(range.first + i);
    const ModelOutput output = model_->forward(window.inputs, state);
    const torch::Tensor loss =
        torch::nn::functional::cross_entropy(output.logits.flatten(0, 1), window.targets.flatten());

    optimizer_->zero_grad();
    loss.backward();
    average(loss.detach());  // over the ranks, if there are several
    optimizer_->step();

    state = output.state.detach();
    losses[i].copy_(
        loss.detach());  // stays on the device: reading it here would wait for the step to end
  }
  return {.losses = losses, .state = state};
}

void AutogradEngine::average(const torch::Tensor& loss) {
  if (!averager_) {
    return;
  }
  const std::vector<torch::Tensor>& parameters = optimizer_->param_groups().front().params();
  std::vector<torch::Tensor> tensors;
  tensors.reserve(parameters.size() + 1);
  for (const torch::Tensor& parameter : parameters) {
    tensors.push_back(parameter.grad());
  }
  tensors.push_back(loss);
  averager_->average(tensors);
}

OptimizerState AutogradEngine::optimizer_state() const {
  return state_of(*optimizer_, kind_, trained_parameters(*model_));
}

void AutogradEngine::set_optimizer_state(const OptimizerState& state) {
  set_state(*optimizer_, kind_, trained_parameters(*model_), state);
}

}  // namespace unroll
