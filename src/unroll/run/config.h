// config.json: everything needed to repeat a run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <unroll/data/lagged_process.h>
#include <unroll/run/options.h>

namespace unroll {

/// The SHA-256 of the files that a run reads, in hexadecimal digits; empty where there is none. Of
/// a series file it is the header's.
struct FileDigests {
  std::string data;
  std::string init;
};

/// What a run's `auto` choices came to.
struct ResolvedRun {
  EngineChoice engine = EngineChoice::kAutograd;
  std::string device;
  std::int64_t ranks = 1;               ///< processes that train together
  std::int64_t learning_rate_from = 0;  ///< windows trained before this learning rate
  std::string fault = {};  ///< made on purpose, by a comparison's self-check; empty for none
  FileDigests digests = {};
};

/// One JSON object, indented, with a final newline: the options under their flags' names with
/// `auto` resolved, the fault if there is one, the process unless the series is the user's own, and
/// the versions of what ran.
std::string config_json(const RunOptions& options, const ResolvedRun& resolved,
                        const std::optional<LaggedProcess>& process);

/// What a config.json says.
struct RunConfig {
  RunOptions options;
  FileDigests digests;
  std::int64_t ranks = 1;
  std::int64_t learning_rate_from = 0;  ///< windows trained before this learning rate
  std::string versions;                 ///< of what ran, as JSON
};

/// The versions that this program would write.
std::string current_versions();

/// Whether a run may go on with another value of this option.
bool may_change(const std::string& option);

/// Something that two configs of one run must share, and do not.
struct Contradiction {
  std::string option;
  std::string value;  ///< of the one
  std::string other;  ///< and of the other
};

/// The first option that may not change and differs. Of the user's series the bytes count, not
/// where they lie.
std::optional<Contradiction> find_contradiction(const RunConfig& config, const RunConfig& other);

/// Reads the text of a config.json, trusting nothing in it. `name` stands for the file in errors.
/// @throws FileError
RunConfig parse_config(std::string_view text, const std::string& name);

/// The options' names in a config.json, which are their flags'.
std::vector<std::string> option_names();

/// What `options` would have under the flag's name in a config.json, as text.
std::string config_value(const RunOptions& options, const std::string& key);

}  // namespace unroll
