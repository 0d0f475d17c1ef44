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
  const torch::NoGradGuard no_grad;
  const auto rnn = rnn_->named_parameters();
  const auto copy = [](const torch::Tensor& tensor) {
    return tensor.detach().to(torch::kCPU).clone();
  };
  return {.input_weight = copy(rnn["weight_ih_l0"]),
          .recurrent_weight = copy(rnn["weight_hh_l0"]),
          .bias = copy(rnn["bias_ih_l0"] + rnn["bias_hh_l0"]),  // the two act as their sum
          .readout_weight = copy(readout_->weight),
          .readout_bias = copy(readout_->bias)};
}

void BuiltinRnn::copy_weights(const Weights& weights) {
  auto rnn = rnn_->named_parameters();
  rnn["weight_ih_l0"].copy_(weights.input_weight);
  rnn["weight_hh_l0"].copy_(weights.recurrent_weight);
  rnn["bias_ih_l0"].copy_(weights.bias);
  readout_->weight.copy_(weights.readout_weight);
  readout_->bias.copy_(weights.readout_bias);
}

}  // namespace unroll
