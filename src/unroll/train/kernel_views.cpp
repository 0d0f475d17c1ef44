#include <unroll/train/kernel_views.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <stdexcept>

namespace unroll {

kernels::StepShape step_shape(const Weights& weights, const WindowDataset& windows,
                              const Window& span, const torch::Tensor& state) {
  const kernels::StepShape shape = {.batch_size = windows.batch_size(),
                                    .num_steps = windows.num_steps(),
                                    .num_classes = weights.readout_bias.size(0),
                                    .hidden_size = weights.bias.size(0)};
  const torch::Tensor& bias = weights.bias;
  if (windows.num_classes() > shape.num_classes) {
    throw std::invalid_argument(fmt::format("windows of {} classes for a model of {}",
                                            windows.num_classes(), shape.num_classes));
  }
  if (state.device() != bias.device() || state.scalar_type() != bias.scalar_type() ||
      state.sizes() != torch::IntArrayRef({shape.batch_size, shape.hidden_size})) {
    throw std::invalid_argument(
        fmt::format("a state [{}] of {} on the device {}, not [{}, {}] of {} on {}",
                    fmt::join(state.sizes(), ", "), torch::toString(state.scalar_type()),
                    state.device().str(), shape.batch_size, shape.hidden_size,
                    torch::toString(bias.scalar_type()), bias.device().str()));
  }
  if (span.inputs.device() != bias.device()) {
    throw std::invalid_argument(fmt::format("windows on the device {}, not {}",
                                            span.inputs.device().str(), bias.device().str()));
  }
  return shape;
}

}  // namespace unroll
