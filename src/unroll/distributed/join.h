// Makes a process one of several ranks.
#pragma once

#include <memory>

#include <unroll/distributed/options.h>
#include <unroll/train/ranks.h>

namespace unroll {

/// Meets the other ranks, over LibTorch's c10d with Gloo. The ranks leave each other when the
/// result is destroyed.
/// @throws InvalidOption as options.validate(); RankError if they do not all come within the
/// time-out, or do not fit together; Error if the library was built without UNROLL_DISTRIBUTED
std::unique_ptr<Ranks> join_ranks(const RankOptions& options);

}  // namespace unroll
