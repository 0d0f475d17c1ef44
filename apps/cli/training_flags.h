// The flags of a program that trains.
#pragma once

#include <set>
#include <string>

#include <unroll/run/options.h>

#include "cli/flags.h"

namespace unroll::cli {

/// Adds the hyper-parameters' flags, which set `options`; it must outlive the parsing. Defaults are
/// those that `options` has now.
void add_training_flags(Flags& flags, RunOptions& options);

/// Adds --json, whose object is `what`, and --quiet.
void add_report_flags(Flags& flags, bool& json, bool& quiet, const std::string& what);

/// Checks what no single flag can say: that a user's own series comes with its own length.
/// @throws UsageError
void check_training_flags(const Flags& flags);

/// The options of config.json whose flags were on the command line.
std::set<std::string> given_options(const Flags& flags);

}  // namespace unroll::cli
