#include <unroll/cuda/launch.h>

namespace unroll::cuda {
namespace {

/// All threads of this block.
struct WholeBlock {
  template <class Phase>
  __device__ void run(const Phase& phase) const {
    phase(static_cast<int>(threadIdx.x));
    __syncthreads();
  }
};

template <class Real, int kRows>
__global__ __launch_bounds__(kMostLanes) void run_block_step(
    const __grid_constant__ BlockStepCall<Real> call, const __grid_constant__ BlockStepPlan plan) {
  extern __shared__ __align__(kRowsOfTile * sizeof(double)) unsigned char shared[];
  BlockStep<Real, kRows>(call, plan, shared).run(WholeBlock());
}

template <class Real, int kRows>
cudaError_t launch_with_rows(const BlockStepCall<Real>& call, const BlockStepPlan& plan,
                             cudaStream_t stream) {
  const auto kernel = &run_block_step<Real, kRows>;
  // More than 48 KiB have to be asked for.
  const cudaError_t error = cudaFuncSetAttribute(
      kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(plan.bytes));
  if (error != cudaSuccess) {
    return error;
  }
  kernel<<<1, static_cast<unsigned>(plan.lanes), plan.bytes, stream>>>(call, plan);
  return cudaGetLastError();
}

template <class Real>
cudaError_t launch_any(const BlockStepCall<Real>& call, const BlockStepPlan& plan,
                       cudaStream_t stream) {
  return plan.rows == kRowsOfTile ? launch_with_rows<Real, kRowsOfTile>(call, plan, stream)
                                  : launch_with_rows<Real, 1>(call, plan, stream);
}

}  // namespace

bool has_kernel() {
  cudaFuncAttributes attributes;
  if (cudaFuncGetAttributes(&attributes, &run_block_step<float, 1>) == cudaSuccess) {
    return true;
  }
  cudaGetLastError();  // so that no later call reports it
  return false;
}

cudaError_t launch(const BlockStepCall<float>& call, const BlockStepPlan& plan,
                   cudaStream_t stream) {
  return launch_any(call, plan, stream);
}

cudaError_t launch(const BlockStepCall<double>& call, const BlockStepPlan& plan,
                   cudaStream_t stream) {
  return launch_any(call, plan, stream);
}

}  // namespace unroll::cuda
