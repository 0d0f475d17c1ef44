#include <unroll/kernels/step.h>

#include <hwy/detect_compiler_arch.h>

#include <algorithm>

#if HWY_ARCH_X86
#include <xmmintrin.h>
#endif

#include <unroll/kernels/kernels.h>

namespace unroll::kernels {
namespace {

/// Products of a state with a recurrent weight in a window, from which on another thread is worth
/// its meetings.
constexpr std::int64_t kProductsOfThread = 1'000'000;

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

/// Calls move(an element of the step's, the caller's) for every parameter.
template <class Parameters, class Real, class Move>
void for_each_parameter(Parameters& mine, const ParameterViews<Real>& theirs, Move&& move) {
  const std::int64_t C = mine.input_weight.rows();
  const std::int64_t H = mine.input_weight.columns();
  for (std::int64_t h = 0; h < H; ++h) {
    for (std::int64_t c = 0; c < C; ++c) {
      move(mine.input_weight.at(c, h), theirs.input_weight.at(h, c));
      move(mine.readout_weight.at(c, h), theirs.readout_weight.at(c, h));
    }
    move(mine.bias.at(0, h), theirs.bias.at(h, 0));
  }
  // In blocks, so that whichever way the caller's matrix lies, cache lines are used whole.
  constexpr std::int64_t kBlock = 64 / sizeof(Real);
  for (std::int64_t first = 0; first < H; first += kBlock) {
    const std::int64_t end = std::min(first + kBlock, H);
    for (std::int64_t h = 0; h < H; ++h) {
      for (std::int64_t from = first; from < end; ++from) {
        move(mine.recurrent_weight.at(from, h), theirs.recurrent_weight.at(h, from));
      }
    }
  }
  for (std::int64_t c = 0; c < C; ++c) {
    move(mine.readout_bias.at(0, c), theirs.readout_bias.at(c, 0));
  }
}

/// How many threads the sizes keep busy.
template <class Real>
std::int64_t busy_threads(const StepShape& shape, const Kernels<Real>& kernels,
                          std::int64_t threads) {
  const bool is_small = kernels.small_windows != nullptr;
  return is_small ? 1 : std::clamp(shape.batch_size / kRowsOfShare, std::int64_t{1}, threads);
}

/// As many threads as are worth their meetings.
std::int64_t worthy_threads(const StepShape& shape, std::int64_t threads) {
  const std::int64_t products = shape.positions() * shape.hidden_size * shape.hidden_size;
  return std::clamp(products / kProductsOfThread, std::int64_t{1}, threads);
}

}  // namespace

template <class Real>
Step<Real>::Step(const StepShape& shape, std::int64_t threads)
    : Step(shape, choose_kernels<Real>(shape), worthy_threads(shape, threads)) {}

template <class Real>
Step<Real>::Step(const StepShape& shape, const Kernels<Real>& kernels, std::int64_t threads)
    : kernels_(kernels),
      workspace_(shape, kernels.widths, kernels.trace_size),
      team_(busy_threads(shape, kernels, threads)) {}

template <class Real>
void Step<Real>::load_parameters(const ParameterViews<Real>& parameters) {
  // Parameters that were no numbers have left NaN in the padding; what else has padding is made
  // of these in every window.
  Parameters<Real>& mine = workspace_.parameters;
  for (PanelMatrix<Real>* matrix : {&mine.input_weight, &mine.bias, &mine.recurrent_weight,
                                    &mine.readout_weight, &workspace_.recurrent_transposed}) {
    matrix->clear_padding();
  }
  for_each_parameter(mine, parameters, [](Real& to, const Real& from) { to = from; });
}

template <class Real>
void Step<Real>::store_parameters(const ParameterViews<Real>& parameters) const {
  for_each_parameter(workspace_.parameters, parameters,
                     [](const Real& from, Real& to) { to = from; });
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
void Step<Real>::load_symbols(const SymbolRows& symbols, std::int64_t first, Range rows) {
  Workspace<Real>& w = workspace_;
  for (std::int64_t b = rows.first; b < rows.end; ++b) {
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
    for (std::int64_t t = 0; t < w.shape.num_steps; ++t) {
      const std::int64_t first_position = t * w.B() + rows.first;
      Real* one_hot = w.one_hot.panel(0, first_position);
      std::fill_n(one_hot, rows.size() * width, Real(0));
      for (std::int64_t b = 0; b < rows.size(); ++b) {
        one_hot[b * width + w.inputs[first_position + b]] = Real(1);
      }
    }
  }
}

template <class Real>
void Step<Real>::carry_state(Range rows) {
  PanelMatrix<Real>& hidden = workspace_.hidden;
  for (std::int64_t panel = 0; panel < hidden.panels(); ++panel) {
    std::copy_n(hidden.panel(panel, workspace_.P() + rows.first), rows.size() * hidden.width(),
                hidden.panel(panel, rows.first));
  }
}

/// A thread's share of a window; to the first thread, gives its loss. The thread has met the others
/// after the window before, and not yet after this one.
template <class Real>
Real Step<Real>::run_window(const SymbolRows& symbols, std::int64_t first, Parameters<Real>& target,
                            Real rate, Share share) {
  const Range rows = share.of(workspace_.B());
  load_symbols(symbols, first, rows);
  kernels_.prepare(workspace_, share);
  team_.meet();
  kernels_.forward(workspace_, share);
  team_.meet();
  kernels_.loss(workspace_, share);
  team_.meet();
  kernels_.backward(workspace_, share);
  team_.meet();
  kernels_.update(workspace_, target, rate, share);
  const Real loss = share.index == 0 ? workspace_.mean_loss() : Real(0);
  team_.meet();
  carry_state(rows);
  return loss;
}

template <class Real>
void Step<Real>::run(const SymbolRows& symbols, std::int64_t count, Real learning_rate,
                     Real* losses) {
  if (kernels_.small_windows != nullptr) {
    const FlushDenormals flush;
    kernels_.small_windows(workspace_, symbols, count, learning_rate, losses);
    return;
  }
  team_.run([&](Share share) {
    const FlushDenormals flush;
    for (std::int64_t k = 0; k < count; ++k) {
      const Real loss = run_window(symbols, k * workspace_.shape.num_steps, workspace_.parameters,
                                   learning_rate, share);
      if (share.index == 0) {
        losses[k] = loss;
      }
    }
  });
}

template <class Real>
Real Step<Real>::find_gradient(const SymbolRows& symbols, const ParameterViews<Real>& gradient) {
  if (!gradient_) {
    gradient_ = std::make_unique<Parameters<Real>>(workspace_.shape, kernels_.widths);
  }
  // From zero, a descent by a rate of -1 leads to the gradient.
  gradient_->clear();
  Real loss = 0;
  team_.run([&](Share share) {
    const FlushDenormals flush;
    const Real mine = run_window(symbols, 0, *gradient_, Real(-1), share);
    if (share.index == 0) {
      loss = mine;
    }
  });
  for_each_parameter(*gradient_, gradient, [](const Real& from, Real& to) { to = from; });
  return loss;
}

template <class Real>
void Step<Real>::descend(const ParameterViews<Real>& gradient, Real learning_rate) {
  for_each_parameter(workspace_.parameters, gradient,
                     [=](Real& mine, const Real& slope) { mine -= learning_rate * slope; });
}

template class Step<float>;
template class Step<double>;

}  // namespace unroll::kernels
