// Sums over several GPUs by NCCL, through LibTorch's c10d.
#pragma once

#include <c10/util/intrusive_ptr.h>

#include <torch/csrc/distributed/c10d/Store.hpp>

#include <chrono>
#include <memory>
#include <string>

#include <unroll/cuda/plugin.h>

namespace unroll::cuda {

/// Why LibTorch's NCCL cannot be called: it is not that of the header which this was compiled with.
/// Empty if it can.
std::string nccl_problem();

/// Meets the other ranks over their store at the first sum.
std::unique_ptr<Communicator> make_nccl_communicator(const c10::intrusive_ptr<c10d::Store>& store,
                                                     int rank, int size,
                                                     std::chrono::seconds timeout);

}  // namespace unroll::cuda
