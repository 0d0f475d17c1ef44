// Starts the kernel: between CUDA's compiler, which knows no LibTorch here, and the library's rest.
#pragma once

#include <cuda_runtime_api.h>

#include <unroll/cuda/block_step.h>

namespace unroll::cuda {

/// Whether the kernel was compiled for the current GPU.
bool has_kernel();

/// Runs a BlockStep in one block on a stream, and returns before it is done.
cudaError_t launch(const BlockStepCall<float>& call, const BlockStepPlan& plan,
                   cudaStream_t stream);
cudaError_t launch(const BlockStepCall<double>& call, const BlockStepPlan& plan,
                   cudaStream_t stream);

}  // namespace unroll::cuda
