// Tensors as the kernels take them: where they lie, on whatever device.
#pragma once

#include <torch/types.h>

#include <cstdint>

#include <unroll/data/window_dataset.h>
#include <unroll/kernels/shape.h>
#include <unroll/kernels/views.h>
#include <unroll/model/weights.h>

namespace unroll {

template <class Real>
kernels::MatrixView<Real> view_of(const torch::Tensor& tensor) {
  return {.data = tensor.mutable_data_ptr<Real>(),
          .row_stride = tensor.stride(0),
          .column_stride = tensor.dim() == 2 ? tensor.stride(1) : 0};
}

template <class Real>
kernels::ParameterViews<Real> view_of(const Weights& weights) {
  return {.input_weight = view_of<Real>(weights.input_weight),
          .recurrent_weight = view_of<Real>(weights.recurrent_weight),
          .bias = view_of<Real>(weights.bias),
          .readout_weight = view_of<Real>(weights.readout_weight),
          .readout_bias = view_of<Real>(weights.readout_bias)};
}

inline kernels::SymbolRows symbols_of(const Window& windows) {
  return {.inputs = windows.inputs.const_data_ptr<std::int64_t>(),
          .targets = windows.targets.const_data_ptr<std::int64_t>(),
          .stride = windows.inputs.stride(0)};
}

/// The sizes of a step on windows in `span`, which lie in `windows`, from `state`.
/// @throws std::invalid_argument if the windows have more classes than the weights, if the state is
/// not [B, H] of their dtype, or if one of them is on another device than the weights
kernels::StepShape step_shape(const Weights& weights, const WindowDataset& windows,
                              const Window& span, const torch::Tensor& state);

}  // namespace unroll
