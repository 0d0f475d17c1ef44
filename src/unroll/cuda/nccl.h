// Sums over several GPUs by NCCL, through LibTorch's c10d.
#pragma once

#include <torch/csrc/distributed/c10d/Store.hpp>

#include <chrono>
#include <memory>

#include <unroll/cuda/plugin.h>

namespace unroll::cuda {

/// Meets the other ranks over their store at the first sum.
/// @throws std::exception if LibTorch's NCCL is not that of the header which this was compiled with
std::unique_ptr<Communicator> make_nccl_communicator(const c10::intrusive_ptr<c10d::Store>& store,
                                                     int rank, int size,
                                                     std::chrono::seconds timeout);

}  // namespace unroll::cuda
