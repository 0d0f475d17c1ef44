// Everything that can be chosen about a sweep: what unroll-sweep's flags set, and sweep.json, which
// records it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unroll/run/options.h>
#include <unroll/run/sweep_grid.h>

namespace unroll {

struct SweepOptions {
  /// The sweep's defaults: one epoch of 300,000 symbols.
  SweepOptions();

  /// What every cell shares. What the grid has, device, threads, log_every, checkpoint_every, data,
  /// init and out do not count.
  RunOptions run;
  SweepGrid grid = {};
  Shard shard = {};
  /// Cells that are trained side by side, each on one thread; by default one a core.
  std::int64_t workers;
  /// The folder of the sweep, new, empty, or of the same sweep, which then goes on; empty for
  /// sweeps/<UTC time>.
  std::string out = {};

  /// The options of one cell's run.
  [[nodiscard]] RunOptions of_cell(const SweepCell& cell) const;

  /// @throws InvalidOption for the first value that is out of range, in any cell
  void validate() const;
};

/// What a sweep.json says.
struct SweepConfig {
  SweepGrid grid;
  /// Every option beside the grid with its value, as text, under its flag's name: "batch_size".
  std::vector<std::pair<std::string, std::string>> options;
};

/// One JSON object, indented, with a final newline: the grid's lists and every option under their
/// flags' names with `auto` resolved, the process, and the versions of what ran first.
/// `options` must have its grid in order.
std::string sweep_json(const SweepOptions& options, EngineChoice engine);

/// Reads the text of a sweep.json, trusting nothing in it. `name` stands for the file in errors.
/// @throws FileError
SweepConfig parse_sweep_json(std::string_view text, const std::string& name);

/// The SHA-256, in hexadecimal digits, of what a sweep.json says but for its versions: two sweeps
/// with the same one have the same results.
std::string sweep_digest(const SweepConfig& config);

/// Checks that a sweep in `directory` may go on with these options. The versions do not count.
/// @throws InvalidOption naming the first option that is another, and both values
void check_same_sweep(const SweepConfig& saved, const SweepConfig& asked,
                      const std::string& directory);

}  // namespace unroll
