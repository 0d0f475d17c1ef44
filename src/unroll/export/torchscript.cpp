#include <unroll/export/torchscript.h>

#include <fmt/format.h>
#include <torch/script.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <sstream>
#include <tuple>
#include <utility>

#include <unroll/base/error.h>
#include <unroll/base/quote.h>
#include <unroll/model/manual_rnn.h>
#include <unroll/run/tensor_file.h>
#include <unroll/run/weights_file.h>

namespace unroll {
namespace {

constexpr const char* kSource = R"(
def forward(self, inputs: Tensor, state: Tensor) -> Tuple[Tensor, Tensor]:
    assert inputs.dim() == 2 and inputs.size(1) > 0, "inputs must be int64 of shape [batch, steps], one step at least"
    assert state.dim() == 2 and state.size(0) == inputs.size(0), "state must be of shape [batch, hidden]"
    bias = self.rnn.bias_ih_l0 + self.rnn.bias_hh_l0
    input_terms = torch.embedding(self.rnn.weight_ih_l0.t(), inputs) + bias
    recurrent_weight = self.rnn.weight_hh_l0.t()
    hidden: List[Tensor] = []
    for step in range(inputs.size(1)):
        state = torch.tanh(torch.addmm(input_terms[:, step], state, recurrent_weight))
        hidden.append(state)
    logits = torch.matmul(torch.stack(hidden, 1), self.readout.weight.t()) + self.readout.bias
    return logits, state

def initial_state(self, batch_size: int) -> Tensor:
    bias = self.rnn.bias_ih_l0
    return torch.zeros([batch_size, bias.size(0)], dtype=bias.dtype, device=bias.device)
)";

/// The module, with submodules so that its state_dict() has the names of a weights file.
torch::jit::Module make_module(const Weights& weights) {
  torch::jit::Module rnn("Rnn");
  rnn.register_parameter("weight_ih_l0", weights.input_weight, false);
  rnn.register_parameter("weight_hh_l0", weights.recurrent_weight, false);
  rnn.register_parameter("bias_ih_l0", weights.bias, false);
  rnn.register_parameter("bias_hh_l0", torch::zeros_like(weights.bias), false);
  torch::jit::Module readout("Readout");
  readout.register_parameter("weight", weights.readout_weight, false);
  readout.register_parameter("bias", weights.readout_bias, false);
  torch::jit::Module module("Unroll");
  module.register_module("rnn", rnn);
  module.register_module("readout", readout);
  module.define(kSource);
  module.eval();
  return module;
}

ModelOutput run(torch::jit::Module& module, const torch::Tensor& inputs,
                const torch::Tensor& state) {
  const auto output = module.forward({inputs, state}).toTuple();
  return {.logits = output->elements()[0].toTensor(), .state = output->elements()[1].toTensor()};
}

/// Runs the written module and the trained one over the same inputs, `steps` at a time, each from
/// the state that the trained one has carried there, and gives the largest difference in logits and
/// state, relative to the logits where they are above 1.
double run_both(torch::jit::Module& module, ManualRnn& model, const torch::Tensor& inputs,
                std::int64_t steps) {
  torch::Tensor state = module.run_method("initial_state", inputs.size(0)).toTensor();
  double largest = largest_difference(model.initial_state(inputs.size(0)), state);
  for (const torch::Tensor& window : inputs.split(steps, 1)) {
    const ModelOutput expected = model.forward(window, state);
    const ModelOutput written = run(module, window, state);
    const double scale = std::max(1.0, expected.logits.abs().max().item<double>());
    largest = std::max({largest, largest_difference(expected.logits, written.logits) / scale,
                        largest_difference(expected.state, written.state)});
    state = expected.state;
  }
  return largest;
}

/// The largest difference between the module, which becomes float64, and what it should be.
double difference_from(torch::jit::Module& module, const Weights& weights) {
  const torch::NoGradGuard no_grad;
  const std::int64_t H = weights.input_weight.size(0);
  const std::int64_t C = weights.input_weight.size(1);
  ManualRnn model({.num_classes = C, .hidden_size = H});
  model.to(torch::kFloat64);
  module.to(torch::kFloat64);
  model.set_weights(weights);
  const auto symbols = [C](std::int64_t batch, std::int64_t steps) {
    return (torch::arange(batch * steps).view({batch, steps}) * 7 / 3)
        .remainder(C)
        .to(torch::kInt64);
  };
  return std::max({run_both(module, model, symbols(3, 100), 10),
                   run_both(module, model, symbols(2, 14), 7),
                   run_both(module, model, symbols(1, 500), 1)});
}

torch::jit::Module load_module(const std::string& path) {
  std::istringstream bytes(read_file(path));
  try {
    return torch::jit::load(bytes, torch::kCPU);
  } catch (const std::exception&) {  // which says where in LibTorch, in many lines
    throw FileError(path, "is no TorchScript module, or a damaged one");
  }
}

/// A module's parameters as a file has them.
SafeTensors parameters_of(const torch::jit::Module& module, const std::string& path) {
  SafeTensors tensors;
  for (const auto& parameter : module.named_parameters()) {
    if (parameter.value.scalar_type() != torch::kFloat32 &&
        parameter.value.scalar_type() != torch::kFloat64) {
      throw FileError(path,
                      fmt::format("{} must be float32 or float64", printable(parameter.name)));
    }
    const torch::Tensor tensor = fit_for_view(parameter.value);
    const SafeTensorView view = view_of(parameter.name, tensor);
    tensors[view.name] = {
        .dtype = view.dtype, .shape = view.shape, .bytes = std::string(view.bytes)};
  }
  return tensors;
}

}  // namespace

double write_torchscript(WholeFile& file, const Weights& weights, const std::string& provenance) {
  std::ostringstream bytes;
  make_module(weights).save(bytes, {{kProvenanceFile, provenance}});
  file.write(bytes.view());
  file.finish();
  torch::jit::Module written = torch::jit::load(file.temporary(), torch::kCPU);
  const double difference = difference_from(written, weights);
  if (!(difference <= kExportTolerance)) {
    throw FileError(
        file.path(),
        fmt::format(
            "not written: the exported module differs from the model by {}, at most {} expected",
            difference, kExportTolerance));
  }
  return difference;
}

double save_torchscript(const std::string& path, const Weights& weights,
                        const std::string& provenance) {
  WholeFile file(path);
  const double difference = write_torchscript(file, weights, provenance);
  file.publish();
  return difference;
}

Weights load_torchscript(const std::string& path) {
  torch::jit::Module module = load_module(path);
  Weights weights = weights_of(parameters_of(module, path), path);
  double difference = INFINITY;
  try {
    difference = difference_from(module, weights);
  } catch (const std::exception&) {
    throw FileError(path, "is no module of unroll-export's: it cannot be run as one");
  }
  if (!(difference <= kExportTolerance)) {
    throw FileError(path, fmt::format("is no module of unroll-export's: its logits differ from "
                                      "those of its parameters by {}",
                                      difference));
  }
  return weights;
}

}  // namespace unroll
