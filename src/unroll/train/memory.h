// Refuses a run that cannot fit in memory before it starts, instead of failing somewhere inside.
#pragma once

#include <cstdint>

#include <unroll/data/options.h>
#include <unroll/model/options.h>
#include <unroll/train/options.h>

namespace unroll {

/// Bytes of host memory that this process can still get: the least of what the machine has
/// available, what its control group allows, and what its address-space limit leaves.
double available_memory();

/// Checks that a run's series, weights and window fit in `available` bytes, by a lower estimate of
/// what they need.
/// @throws InvalidOption naming the option that needs the most, what it needs and what there is.
void check_memory(std::int64_t series_length, const WindowOptions& windows,
                  const ModelOptions& model, const OptimizerOptions& optimizer, Precision precision,
                  double available);

}  // namespace unroll
