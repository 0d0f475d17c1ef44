#include <unroll/kernels/step.h>

#include <hwy/detect_compiler_arch.h>

#include <algorithm>

#if HWY_ARCH_X86
#include <xmmintrin.h>
#endif

#include <unroll/kernels/kernels.h>

namespace unroll::kernels {
namespace {

/// While it lives, numbers too small for a full mantissa count as zero on this thread. They do not
/// matter to a loss, but processors take a hundred times as long over each, and the gradients of
/// saturated units are full of them. Does nothing on another architecture than x86.
class FlushDenormals {
#if HWY_ARCH_X86
 public:
  FlushDenormals() { _mm_setcsr(saved_ | kFlushResults | kFlushOperands); }
  ~FlushDenormals() { _mm_setcsr(saved_); }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  static constexpr unsigned kFlushResults = 0x8000;   // MXCSR.FTZ
  static constexpr unsigned kFlushOperands = 0x0040;  // MXCSR.DAZ
  unsigned saved_ = _mm_getcsr();
#else
 public:
  FlushDenormals() {}  // Not defaulted, so that a variable of it is used.
#endif
};

/// Calls move(an element of the workspace, the caller's) for every parameter.
template <class Workspace, class Real, class Move>
void for_each_parameter(Workspace& w, const ParameterViews<Real>& parameters, Move&& move) {
  for (std::int64_t h = 0; h < w.H(); ++h) {
    for (std::int64_t c = 0; c < w.C(); ++c) {
      move(w.input_weight.at(c, h), parameters.input_weight.at(h, c));
      move(w.readout_weight.at(c, h), parameters.readout_weight.at(c, h));
    }
    move(w.bias.at(0, h), parameters.bias.at(h, 0));
  }
  // In blocks, so that whichever way the caller's matrix lies, cache lines are used whole.
  constexpr std::int64_t kBlock = 64 / sizeof(Real);
  for (std::int64_t first = 0; first < w.H(); first += kBlock) {
    const std::int64_t end = std::min(first + kBlock, w.H());
    for (std::int64_t h = 0; h < w.H(); ++h) {
      for (std::int64_t from = first; from < end; ++from) {
        move(w.recurrent_weight.at(from, h), parameters.recurrent_weight.at(h, from));
      }
    }
  }
  for (std::int64_t c = 0; c < w.C(); ++c) {
    move(w.readout_bias.at(0, c), parameters.readout_bias.at(c, 0));
  }
}

}  // namespace

template <class Real>
Step<Real>::Step(const StepShape& shape) : Step(shape, choose_kernels<Real>(shape)) {}

template <class Real>
Step<Real>::Step(const StepShape& shape, const Kernels<Real>& kernels)
    : kernels_(kernels), workspace_(shape, kernels.widths, kernels.trace_size) {}

template <class Real>
void Step<Real>::load_parameters(const ParameterViews<Real>& parameters) {
  // Parameters that were no numbers have left NaN in the padding; what else has padding is made
  // of these in every window.
  Workspace<Real>& w = workspace_;
  for (PanelMatrix<Real>* matrix : {&w.input_weight, &w.bias, &w.recurrent_weight,
                                    &w.recurrent_transposed, &w.readout_weight}) {
    matrix->clear_padding();
  }
  for_each_parameter(w, parameters, [](Real& mine, const Real& theirs) { mine = theirs; });
}

template <class Real>
void Step<Real>::store_parameters(const ParameterViews<Real>& parameters) const {
  for_each_parameter(workspace_, parameters, [](const Real& mine, Real& theirs) { theirs = mine; });
}

template <class Real>
void Step<Real>::load_state(const Real* state) {
  for (std::int64_t b = 0; b < workspace_.B(); ++b) {
    for (std::int64_t h = 0; h < workspace_.H(); ++h) {
      workspace_.hidden.at(b, h) = state[b * workspace_.H() + h];
    }
  }
}

template <class Real>
void Step<Real>::store_state(Real* state) const {
  for (std::int64_t b = 0; b < workspace_.B(); ++b) {
    for (std::int64_t h = 0; h < workspace_.H(); ++h) {
      state[b * workspace_.H() + h] = workspace_.hidden.at(b, h);
    }
  }
}

template <class Real>
void Step<Real>::load_symbols(const SymbolRows& symbols, std::int64_t first) {
  Workspace<Real>& w = workspace_;
  for (std::int64_t b = 0; b < w.B(); ++b) {
    const std::int64_t* inputs = symbols.inputs + b * symbols.stride + first;
    const std::int64_t* targets = symbols.targets + b * symbols.stride + first;
    for (std::int64_t t = 0; t < w.shape.num_steps; ++t) {
      w.inputs[t * w.B() + b] = inputs[t];
      w.targets[t * w.B() + b] = static_cast<std::int32_t>(targets[t]);
    }
  }
  if (w.C() <= kMaxOneHotClasses) {
    // Set by index, not by comparison: a branch on random symbols is mispredicted every other time.
    const std::int64_t width = w.one_hot.width();
    Real* one_hot = w.one_hot.panel(0);
    std::fill_n(one_hot, w.P() * width, Real(0));
    for (std::int64_t p = 0; p < w.P(); ++p) {
      one_hot[p * width + w.inputs[p]] = Real(1);
    }
  }
}

template <class Real>
void Step<Real>::carry_state() {
  PanelMatrix<Real>& hidden = workspace_.hidden;
  for (std::int64_t panel = 0; panel < hidden.panels(); ++panel) {
    std::copy_n(hidden.panel(panel, workspace_.P()), workspace_.B() * hidden.width(),
                hidden.panel(panel));
  }
}

template <class Real>
void Step<Real>::run(const SymbolRows& symbols, std::int64_t count, Real learning_rate,
                     Real* losses) {
  const FlushDenormals flush;
  if (kernels_.small_windows != nullptr) {
    kernels_.small_windows(workspace_, symbols, count, learning_rate, losses);
    return;
  }
  for (std::int64_t k = 0; k < count; ++k) {
    load_symbols(symbols, k * workspace_.shape.num_steps);
    kernels_.prepare(workspace_);
    kernels_.forward(workspace_);
    losses[k] = kernels_.loss(workspace_);
    kernels_.backward(workspace_);
    kernels_.update(workspace_, learning_rate);
    carry_state();
  }
}

template class Step<float>;
template class Step<double>;

}  // namespace unroll::kernels
