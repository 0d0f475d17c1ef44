// Runs another program to its end.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace unroll {

/// How a program ended.
struct ProcessEnd {
  int start_error = 0;       ///< the errno that kept it from starting; 0 if it ran
  bool is_too_slow = false;  ///< it was killed at its time limit
  int exit_code = 0;         ///< 128 + the signal's number for one that a signal killed
  std::string out = {};      ///< what it wrote to stdout
  std::string err = {};      ///< and to stderr
};

/// Runs a program, found along PATH, in a folder and without a shell: `command` is its name and its
/// arguments, whatever bytes they are of. Its stdin is empty. At the time limit it is killed, with
/// what it started.
ProcessEnd run_process(std::vector<std::string> command, const std::string& folder,
                       std::chrono::milliseconds limit);

}  // namespace unroll
