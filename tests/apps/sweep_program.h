// unroll-sweep, run as its users run it.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "train_program.h"

namespace unroll::testing {

/// Flags of a small sweep: eight cells.
constexpr const char* kSmallSweep =
    " --num-steps 2,5 --hidden-size 3,4 --seeds 2 --series-length 300 --eval-length 2000 ";

/// unroll-sweep with these flags, as text for a shell.
inline std::string sweep_command(const std::string& flags) {
  return shell_word(UNROLL_BINARY_DIR "/unroll-sweep") + " " + flags;
}

/// Runs unroll-sweep in a folder.
inline Outcome sweep(const TempDir& folder, const std::string& flags) {
  return run_shell(sweep_command(flags), folder.path());
}

/// Runs unroll-sweep in a folder and expects it to succeed.
inline Outcome expect_sweeps(const TempDir& folder, const std::string& flags) {
  Outcome outcome = sweep(folder, flags);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  return outcome;
}

/// A sweep's sweep.csv without the times, its last column.
inline std::string read_sweep(const TempDir& folder, const std::string& name) {
  std::string kept;
  for (const std::string& line : lines_of(read_bytes(folder / (name + "/sweep.csv")))) {
    kept.append(line, 0, line.rfind(',')).append("\n");
  }
  return kept;
}

}  // namespace unroll::testing
