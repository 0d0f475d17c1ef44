// config.json: everything needed to repeat a run.
#pragma once

#include <optional>
#include <string>

#include <unroll/data/lagged_process.h>
#include <unroll/run/options.h>

namespace unroll {

/// What a run's `auto` choices came to.
struct ResolvedRun {
  EngineChoice engine = EngineChoice::kAutograd;
  std::string device;
  std::string fault = {};  ///< made on purpose, by a comparison's self-check; empty for none
};

/// One JSON object, indented, with a final newline: the options under their flags' names with
/// `auto` resolved, the fault if there is one, the process unless the series is the user's own, and
/// the versions of what ran.
std::string config_json(const RunOptions& options, const ResolvedRun& resolved,
                        const std::optional<LaggedProcess>& process);

}  // namespace unroll
