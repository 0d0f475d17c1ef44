// The caller's parameters and symbols, where they lie.
#pragma once

#include <cstdint>

namespace unroll::kernels {

/// A matrix of the caller's, where element (row, column) is at row * row_stride + column *
/// column_stride.
template <class Real>
struct MatrixView {
  Real* data;
  std::int64_t row_stride;
  std::int64_t column_stride;

  [[nodiscard]] constexpr Real& at(std::int64_t row, std::int64_t column) const {
    return data[row * row_stride + column * column_stride];
  }
};

/// The caller's parameters in the layout of a PyTorch nn.RNN and nn.Linear; a vector is a matrix of
/// one column.
template <class Real>
struct ParameterViews {
  MatrixView<Real> input_weight;      ///< [H, C]
  MatrixView<Real> recurrent_weight;  ///< [H, H]
  MatrixView<Real> bias;              ///< [H, 1]
  MatrixView<Real> readout_weight;    ///< [C, H]
  MatrixView<Real> readout_bias;      ///< [C, 1]
};

/// The symbols of consecutive windows, in place: row b of them starts at b * stride, window k of a
/// row at k * T.
struct SymbolRows {
  const std::int64_t* inputs;
  const std::int64_t* targets;
  std::int64_t stride;
};

}  // namespace unroll::kernels
