// A training step on the CPU, as one object: weights and state in, windows through, weights and
// state out.
#pragma once

#include <cstdint>

#include <unroll/kernels/workspace.h>

namespace unroll::kernels {

/// A matrix of the caller's, where element (row, column) is at row * row_stride + column *
/// column_stride.
template <class Real>
struct MatrixView {
  Real* data;
  std::int64_t row_stride;
  std::int64_t column_stride;

  [[nodiscard]] Real& at(std::int64_t row, std::int64_t column) const {
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

/// Forward, softmax cross-entropy, back-propagation through the window and plain SGD, window after
/// window, by the kernels that serve the sizes. One thread. On x86, numbers below the smallest
/// normal one count as zero. Real is float or double.
template <class Real>
class Step {
 public:
  /// With the kernels of the processor that this runs on.
  explicit Step(const StepShape& shape);
  /// With these kernels.
  Step(const StepShape& shape, const Kernels<Real>& kernels);

  [[nodiscard]] const StepShape& shape() const { return workspace_.shape; }

  void load_parameters(const ParameterViews<Real>& parameters);
  void store_parameters(const ParameterViews<Real>& parameters) const;

  /// The state [B, H] that the next window starts from, and that the last one left.
  void load_state(const Real* state);
  void store_state(Real* state) const;

  /// Trains on `count` windows, one update each. Gives each window's loss in nats before its
  /// update. Every symbol must lie in [0, C).
  void run(const SymbolRows& symbols, std::int64_t count, Real learning_rate, Real* losses);

 private:
  void load_symbols(const SymbolRows& symbols, std::int64_t first);
  void carry_state();

  Kernels<Real> kernels_;
  Workspace<Real> workspace_;
};

extern template class Step<float>;
extern template class Step<double>;

}  // namespace unroll::kernels
