// Chooses the device, and brings in CUDA only where it is wanted.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <optional>

#include <unroll/train/options.h>

namespace unroll {

/// The device that a choice means on this machine.
///
/// Unroll links only LibTorch's CPU half. Where CUDA is wanted and a driver is there, this loads
/// libtorch_cuda from beside libtorch_cpu. LibTorch settles at its first question about CUDA
/// whether it has it, so call this before any other LibTorch function.
/// Of several GPUs it is the current one, or for one of several processes its own, which becomes
/// the current one: that with the number `local_rank`, counted round.
/// @throws InvalidOption if CUDA is asked for and does not work here; the message says why.
torch::Device resolve_device(DeviceChoice choice, std::optional<std::int64_t> local_rank = {});

}  // namespace unroll
