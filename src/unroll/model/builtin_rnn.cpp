#include <unroll/model/builtin_rnn.h>

#include <torch/nn/functional/embedding.h>

#include <tuple>

namespace unroll {

BuiltinRnn::BuiltinRnn(const ModelOptions& options)
    : RecurrentModel(options),
      rnn_(torch::nn::RNNOptions(options.num_classes, options.hidden_size)
               .nonlinearity(torch::kTanh)
               .batch_first(true)),
      readout_(options.hidden_size, options.num_classes) {
  register_module("rnn", rnn_);
  register_module("readout", readout_);
  const torch::NoGradGuard no_grad;
  rnn_->named_parameters()["bias_hh_l0"].zero_().requires_grad_(false);
}

ModelOutput BuiltinRnn::forward(const torch::Tensor& inputs, const torch::Tensor& state) {
  const torch::Tensor one_hot =
      torch::one_hot(inputs, options().num_classes).to(state.scalar_type());  // [B, T, C]
  const auto [hidden, last] = rnn_->forward(one_hot, state.unsqueeze(0));  // [B, T, H], [1, B, H]
  return {.logits = readout_->forward(hidden), .state = last.squeeze(0)};
}

Weights BuiltinRnn::weights() const {
  Weights weights = RecurrentModel::weights();
  weights.bias += rnn_->named_parameters()["bias_hh_l0"].detach().to(torch::kCPU);
  return weights;
}

Weights BuiltinRnn::weight_views() const {
  const auto rnn = rnn_->named_parameters();
  return {.input_weight = rnn["weight_ih_l0"].detach(),
          .recurrent_weight = rnn["weight_hh_l0"].detach(),
          .bias = rnn["bias_ih_l0"].detach(),
          .readout_weight = readout_->weight.detach(),
          .readout_bias = readout_->bias.detach()};
}

}  // namespace unroll
