// Which kernel serves which size, by what bench/ measures: kSmallHidden of small_step-inl.h and
// kMaxOneHotClasses of workspace.h are decided with it, where what they cut off is laid out.
// Included once for each instruction set.

#if defined(UNROLL_KERNELS_CHOICE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_KERNELS_CHOICE_INL_H_
#undef UNROLL_KERNELS_CHOICE_INL_H_
#else
#define UNROLL_KERNELS_CHOICE_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>

#include <unroll/kernels/loss_kernels-inl.h>
#include <unroll/kernels/panel_kernels-inl.h>
#include <unroll/kernels/small_step-inl.h>
#include <unroll/kernels/workspace.h>

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class Real>
constexpr int kNativeLanes = static_cast<int>(hn::MaxLanes(hn::ScalableTag<Real>()));

/// Calls use(PanelRow) with the narrowest row that holds `columns`, or the widest there is.
template <class Real, int kLanes, class Use>
void with_row(std::int64_t columns, Use&& use) {
  if (columns <= kLanes) {
    use(PanelRow<Real, kLanes, 1>());
  } else if constexpr (kLanes < kNativeLanes<Real>) {
    with_row<Real, 2 * kLanes>(columns, use);
  } else {
    use(PanelRow<Real, kLanes, 2>());
  }
}

template <class Step, class Real>
void use_small_step(const StepShape& shape, Kernels<Real>& kernels) {
  kernels.small_windows = &Step::run;
  kernels.trace_size = Step::trace_size(shape.num_steps);
}

template <class Real>
Kernels<Real> choose(const StepShape& shape) {
  constexpr int kNarrowest = 16 / static_cast<int>(sizeof(Real));
  Kernels<Real> kernels{};
  with_row<Real, kNarrowest>(shape.hidden_size, [&](auto row) {
    using Row = decltype(row);
    using Passes = HiddenPasses<Row>;
    kernels.widths.hidden = Row::kWidth;
    kernels.prepare = &Passes::prepare;
    kernels.forward = &Passes::forward;
    kernels.backward = &Passes::backward;
    kernels.update = &Passes::update;
    kernels.loss = &run_loss<BinaryLoss<Row>, Real>;
  });
  kernels.widths.classes = 2;
  if (shape.num_classes != 2) {
    with_row<Real, kNarrowest>(shape.num_classes, [&](auto row) {
      kernels.widths.classes = decltype(row)::kWidth;
      kernels.loss = &run_loss<SoftmaxLoss<decltype(row)>, Real>;
    });
  }

  // Vectors of 256 bits at most: they divide faster than wider ones.
  constexpr int kSmallLanes = std::min(kNativeLanes<Real>, 2 * kNarrowest);
  if constexpr (kSmallLanes >= 4) {
    using Tag = hn::CappedTag<Real, static_cast<std::size_t>(kSmallLanes)>;
    if (shape.num_classes == 2 && shape.hidden_size <= kSmallHidden) {
      if (shape.batch_size <= SmallStep<Tag, 1>::kMaxRows) {
        use_small_step<SmallStep<Tag, 1>>(shape, kernels);
      } else if (shape.batch_size <= SmallStep<Tag, 2>::kMaxRows) {
        use_small_step<SmallStep<Tag, 2>>(shape, kernels);
      } else if (shape.batch_size <= SmallStep<Tag, 4>::kMaxRows) {
        use_small_step<SmallStep<Tag, 4>>(shape, kernels);
      }
    }
  }
  return kernels;
}

}  // namespace unroll::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
