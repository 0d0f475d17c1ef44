// Refuses a run that cannot fit in memory before it starts, instead of failing somewhere inside.
#pragma once

#include <cstdint>
#include <string>

#include <unroll/data/options.h>
#include <unroll/model/options.h>
#include <unroll/train/options.h>

namespace unroll {

/// What version 2 of Linux's control groups leaves this process, in its group and those around it:
/// in each the limit less what is used, cached files not counted. Infinite where there is no limit.
/// The arguments are for tests.
double control_group_memory(const std::string& membership = "/proc/self/cgroup",
                            const std::string& root = "/sys/fs/cgroup");

/// Bytes of host memory that this process can still get: the least of what the machine has
/// available, what its control groups leave, and what its address-space limit leaves.
double available_memory();

/// Checks that a run's series, weights and window fit in `available` bytes, by a lower estimate of
/// what they need. `series_length` is of a series that is yet to be made, 0 for one that is in
/// memory already; `models` is how many train side by side.
/// @throws InvalidOption naming the option that needs the most, what it needs and what there is.
void check_memory(std::int64_t series_length, const WindowOptions& windows,
                  const ModelOptions& model, const OptimizerOptions& optimizer, Precision precision,
                  double available, std::int64_t models = 1);

}  // namespace unroll
