#include <unroll/model/model.h>

#include <unroll/model/builtin_rnn.h>
#include <unroll/model/manual_rnn.h>

namespace unroll {

torch::Tensor RecurrentModel::initial_state(std::int64_t batch_size) const {
  return torch::zeros({batch_size, options_.hidden_size},
                      parameters().front().options().requires_grad(false));
}

void RecurrentModel::set_weights(const Weights& weights) {
  check_shapes(weights, options_);
  const torch::NoGradGuard no_grad;
  copy_weights(weights);
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
