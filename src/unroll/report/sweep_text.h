// What a sweep says to people, as text.
#pragma once

#include <string>

#include <unroll/run/sweep.h>

namespace unroll {

/// "1 epoch", "2 epochs".
std::string counted(std::int64_t count, const char* noun);

/// How many cells diverged, in a sentence without its end; nothing if none has.
std::string describe_diverged(const SweepSummary& summary);

/// A few lines on what is about to be trained, on what, and where the results go.
std::string describe_sweep_start(const SweepStart& start);

/// One short line, without its end: cells done of how many, speed, and the time that is left.
std::string describe_sweep_progress(const SweepProgress& progress);

/// What a shard has done, and what comes after it.
std::string describe_shard(const SweepOutcome& outcome);

/// The table num_steps x hidden_size of the mean held-out loss and of how many seeds have learned
/// which lag, one for each learning rate, and the floors.
std::string describe_sweep(const SweepSummary& summary);

}  // namespace unroll
