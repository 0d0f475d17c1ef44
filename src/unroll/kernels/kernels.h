// The kernels of the processor that this runs on.
#pragma once

#include <unroll/kernels/workspace.h>

namespace unroll::kernels {

/// The kernels of the best instruction set that the processor has and that this was compiled for,
/// those for these sizes. Real is float or double.
template <class Real>
Kernels<Real> choose_kernels(const StepShape& shape);

template <>
Kernels<float> choose_kernels<float>(const StepShape& shape);
template <>
Kernels<double> choose_kernels<double>(const StepShape& shape);

}  // namespace unroll::kernels
