// unroll-train as several ranks on this host, started as a line of shell does.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "../support/free_port.h"
#include "train_program.h"

namespace unroll::testing {

/// What a rank's shell runs, by the rank's number, and what goes on meanwhile: $pid0, $pid1 .. are
/// the ranks' processes.
struct RankScript {
  std::int64_t size;
  std::function<std::string(std::int64_t)> command;
  std::string meanwhile = {};
};

/// How a rank ended.
struct RankOutcome : Outcome {
  std::filesystem::file_time_type spoke_at;  ///< when it last wrote to stderr, or began
};

/// Runs the ranks in a folder, to the end of all.
inline std::vector<RankOutcome> run_ranks(const TempDir& folder, const RankScript& script) {
  const TempDir captured;
  std::string text = "export MASTER_ADDR=127.0.0.1 MASTER_PORT=" + std::to_string(free_port());
  text.append(" WORLD_SIZE=").append(std::to_string(script.size)).append("\n");
  std::string waiting;
  const auto file = [&](const char* kind, const std::string& number) {
    return shell_word(captured / (kind + number));
  };
  for (std::int64_t rank = 0; rank < script.size; ++rank) {
    const std::string number = std::to_string(rank);
    text.append("(export RANK=").append(number).append("; ").append(script.command(rank));
    text.append(") > ").append(file("out", number)).append(" 2> ").append(file("err", number));
    text.append(" & pid").append(number).append("=$!\n");
    waiting.append("wait $pid").append(number).append("; echo $? > ");
    waiting.append(file("code", number)).append("\n");
  }
  run_shell(text + script.meanwhile + "\n" + waiting, folder.path());
  std::vector<RankOutcome> outcomes;
  outcomes.reserve(static_cast<std::size_t>(script.size));
  for (std::int64_t rank = 0; rank < script.size; ++rank) {
    const std::string number = std::to_string(rank);
    outcomes.push_back({{.exit_code = std::stoi(read_bytes(captured / ("code" + number))),
                         .out = read_bytes(captured / ("out" + number)),
                         .err = read_bytes(captured / ("err" + number))},
                        std::filesystem::last_write_time(captured / ("err" + number))});
  }
  return outcomes;
}

/// Runs unroll-train in so many ranks, each with these flags.
inline std::vector<RankOutcome> train_in_ranks(const TempDir& folder, std::int64_t size,
                                               const std::string& flags,
                                               const std::string& meanwhile = "") {
  return run_ranks(
      folder, {.size = size,
               .command = [&](std::int64_t /*rank*/) { return "exec " + train_command(flags); },
               .meanwhile = meanwhile});
}

/// The exit codes, "0 0 1 ".
inline std::string exit_codes(const std::vector<RankOutcome>& outcomes) {
  std::string codes;
  for (const Outcome& outcome : outcomes) {
    codes.append(std::to_string(outcome.exit_code)).append(" ");
  }
  return codes;
}

}  // namespace unroll::testing
