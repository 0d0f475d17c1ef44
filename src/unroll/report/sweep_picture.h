// The picture of a sweep: heat maps over num_steps and hidden_size, of the mean held-out loss and,
// for each lag, of how many seeds have learned it.
#pragma once

#include <string>

#include <unroll/report/gnuplot.h>
#include <unroll/run/sweep_summary.h>

namespace unroll {

/// At most so many learning rates are drawn, the smallest first; the page's tables have all.
inline constexpr std::size_t kMostDrawnRates = 4;

/// The gnuplot script, with its numbers in it.
std::string sweep_script(const SweepSummary& summary);

/// What that picture shows.
PictureText describe_sweep_picture(const SweepSummary& summary);

}  // namespace unroll
