#include <unroll/train/optimizer.h>

#include <torch/optim/adagrad.h>
#include <torch/optim/adam.h>
#include <torch/optim/sgd.h>

#include <vector>

namespace unroll {

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

}  // namespace unroll
