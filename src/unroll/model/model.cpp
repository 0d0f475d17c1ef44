#include <unroll/model/model.h>

#include <unroll/model/builtin_rnn.h>
#include <unroll/model/manual_rnn.h>

namespace unroll {

torch::Tensor RecurrentModel::initial_state(std::int64_t batch_size) const {
  return torch::zeros({batch_size, options_.hidden_size},
                      parameters().front().options().requires_grad(false));
}

Weights RecurrentModel::weights() const {
  const Weights views = weight_views();
  const auto copy = [](const torch::Tensor& view) {
    return view.to(torch::kCPU).clone(torch::MemoryFormat::Contiguous);
  };
  return {.input_weight = copy(views.input_weight),
          .recurrent_weight = copy(views.recurrent_weight),
          .bias = copy(views.bias),
          .readout_weight = copy(views.readout_weight),
          .readout_bias = copy(views.readout_bias)};
}

void RecurrentModel::set_weights(const Weights& weights) {
  check_shapes(weights, options_);
  const auto sources = named_tensors(weights);
  const auto targets = named_tensors(weight_views());
  for (std::size_t i = 0; i < targets.size(); ++i) {
    targets[i].tensor.copy_(sources[i].tensor);
  }
}

std::shared_ptr<RecurrentModel> make_model(const ModelOptions& options, torch::Dtype dtype,
                                           torch::Device device) {
  std::shared_ptr<RecurrentModel> model;
  switch (options.model) {
    case ModelKind::kManual:
      model = std::make_shared<ManualRnn>(options);
      break;
    case ModelKind::kBuiltin:
      model = std::make_shared<BuiltinRnn>(options);
      break;
  }
  model->to(device, dtype);
  return model;
}

}  // namespace unroll
