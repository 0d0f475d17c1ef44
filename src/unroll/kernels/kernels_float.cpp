// The kernels in single precision, for each instruction set.

#include <unroll/kernels/kernels.h>

// Beside AVX3, it has nothing that is used here.
#define HWY_DISABLED_TARGETS HWY_AVX3_DL
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "unroll/kernels/kernels_float.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as it wants to be.
#include <hwy/highway.h>

#include <unroll/kernels/choice-inl.h>

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels::HWY_NAMESPACE {

Kernels<float> choose_float(const StepShape& shape) { return choose<float>(shape); }

}  // namespace unroll::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll::kernels {

HWY_EXPORT(choose_float);

template <>
Kernels<float> choose_kernels<float>(const StepShape& shape) {
  return HWY_DYNAMIC_DISPATCH(choose_float)(shape);
}

}  // namespace unroll::kernels
#endif
