#include <unroll/model/manual_rnn.h>

#include <vector>

namespace unroll {

ManualRnn::ManualRnn(const ModelOptions& options) : RecurrentModel(options) {
  const std::int64_t C = options.num_classes;
  const std::int64_t H = options.hidden_size;
  W_ = register_parameter("W", torch::zeros({C + H, H}));
  b_ = register_parameter("b", torch::zeros({H}));
  V_ = register_parameter("V", torch::zeros({H, C}));
  c_ = register_parameter("c", torch::zeros({C}));
}

ModelOutput ManualRnn::forward(const torch::Tensor& inputs, const torch::Tensor& state) {
  const std::int64_t C = options().num_classes;
  const std::int64_t H = options().hidden_size;
  const torch::Tensor input_rows = W_.narrow(0, 0, C);
  const torch::Tensor recurrent_rows = W_.narrow(0, C, H);

  // [x_t, h_{t-1}] W = x_t W_x + h_{t-1} W_h, and a one-hot x_t picks one row of W_x: all steps'
  // rows at once, [T, B, H].
  const torch::Tensor input_terms = torch::embedding(input_rows, inputs.t()) + b_;

  torch::Tensor h = state;
  std::vector<torch::Tensor> hidden;
  hidden.reserve(static_cast<std::size_t>(inputs.size(1)));
  for (const torch::Tensor& input_term : input_terms.unbind()) {
    h = torch::addmm(input_term, h, recurrent_rows).tanh();
    hidden.push_back(h);
  }

  const torch::Tensor flat = torch::stack(hidden, 1).flatten(0, 1);  // [B * T, H]
  return {.logits = torch::addmm(c_, flat, V_).view({inputs.size(0), inputs.size(1), C}),
          .state = h};
}

Weights ManualRnn::weight_views() const {
  return {
      .input_weight = W_.detach().narrow(0, 0, options().num_classes).t(),
      .recurrent_weight = W_.detach().narrow(0, options().num_classes, options().hidden_size).t(),
      .bias = b_.detach(),
      .readout_weight = V_.detach().t(),
      .readout_bias = c_.detach()};
}

}  // namespace unroll
