// Refuses a run that cannot fit in memory before it starts, instead of failing somewhere inside.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

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

/// What trains side by side, on which series.
struct MemoryDemand {
  std::int64_t series_length = 0;  ///< of a series that is yet to be made
  std::int64_t series_held = 1;    ///< such series in memory at a time
  std::int64_t eval_length = 0;  ///< of the series that is made for the evaluation, after training
  bool series_in_file = false;   ///< windows are read from a file when they are trained on
  WindowOptions windows = {};
  ModelOptions model = {};
  OptimizerOptions optimizer = {};
  Precision precision = Precision::kFloat32;
  std::vector<EngineChoice> engines;  ///< of each model, none of them kAuto
  bool in_ranks = false;              ///< gradients are averaged over several processes
};

/// Checks that series, weights and windows fit in `available` bytes, by a lower estimate of what
/// they need.
/// @throws InvalidOption naming the option that needs the most, what it needs and what there is.
void check_memory(const MemoryDemand& demand, double available);

}  // namespace unroll
