// A training step on the CPU, as one object: weights and state in, windows through, weights and
// state out.
#pragma once

#include <cstdint>
#include <memory>

#include <unroll/kernels/team.h>
#include <unroll/kernels/views.h>
#include <unroll/kernels/workspace.h>

namespace unroll::kernels {

/// Forward, softmax cross-entropy, back-propagation through the window and plain SGD, window after
/// window, by the kernels that serve the sizes. How many threads there are changes no bit. On x86,
/// numbers below the smallest normal one count as zero. Real is float or double.
template <class Real>
class Step {
 public:
  /// With the kernels of the processor that this runs on, on as many of `threads` threads as the
  /// sizes keep busy.
  explicit Step(const StepShape& shape, std::int64_t threads = 1);
  /// With these kernels, on as many threads as there are shares of kRowsOfShare rows.
  Step(const StepShape& shape, const Kernels<Real>& kernels, std::int64_t threads = 1);

  [[nodiscard]] const StepShape& shape() const { return workspace_.shape; }

  /// How many threads it trains on.
  [[nodiscard]] std::int64_t threads() const { return team_.size(); }

  void load_parameters(const ParameterViews<Real>& parameters);
  void store_parameters(const ParameterViews<Real>& parameters) const;

  /// The state [B, H] that the next window starts from, and that the last one left.
  void load_state(const Real* state);
  void store_state(Real* state) const;

  /// Trains on `count` windows, one update each. Gives each window's loss in nats before its
  /// update. Every symbol must lie in [0, C).
  void run(const SymbolRows& symbols, std::int64_t count, Real learning_rate, Real* losses);

  /// The first window of `symbols` without an update: gives its loss, and its gradient by the
  /// parameters. Carries the state on.
  Real find_gradient(const SymbolRows& symbols, const ParameterViews<Real>& gradient);

  /// The parameters -= learning_rate * gradient.
  void descend(const ParameterViews<Real>& gradient, Real learning_rate);

 private:
  void load_symbols(const SymbolRows& symbols, std::int64_t first, Range rows);
  void carry_state(Range rows);
  Real run_window(const SymbolRows& symbols, std::int64_t first, Parameters<Real>& target,
                  Real rate, Share share);

  Kernels<Real> kernels_;
  Workspace<Real> workspace_;
  std::unique_ptr<Parameters<Real>> gradient_;  // null if none was asked for
  Team team_;
};

extern template class Step<float>;
extern template class Step<double>;

}  // namespace unroll::kernels
