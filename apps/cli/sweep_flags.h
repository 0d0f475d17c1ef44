// The flags of unroll-sweep.
#pragma once

#include <string>

#include <unroll/run/sweep_options.h>

#include "cli/flags.h"

namespace unroll::cli {

/// Adds the flags of the grid and of what its cells share, which set `options`; it must outlive the
/// parsing. Defaults are those that `options` has now.
void add_sweep_flags(Flags& flags, SweepOptions& options);

/// Adds --workers, and --shard, which sets `shard`.
void add_work_flags(Flags& flags, SweepOptions& options, std::string& shard);

/// Parses "3/8".
/// @throws UsageError naming the flag and what is allowed
Shard parse_shard(const std::string& flag, const std::string& text);

}  // namespace unroll::cli
