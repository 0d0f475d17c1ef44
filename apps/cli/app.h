// What every app's main shares: exit codes, and errors as one line.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "cli/flags.h"

namespace unroll::cli {

/// Exit codes of every app.
enum ExitCode : int {
  kDone = 0,
  kFailed = 1,             ///< the work failed: input or output, divergence, a corrupt file
  kWrongCommand = 2,       ///< the command line was wrong
  kStoppedBySignal = 128,  ///< and the signal's number, after saving
};

/// Runs an app's body, which gives the exit code. What it throws becomes one line on stderr,
/// "<program>: <what, where, what was expected>", and the exit code.
int run_app(const std::string& program, const std::function<int()>& body);

/// Writes a note to stderr. Where that cannot be done the note is lost, and nothing else.
void print_note(std::string_view text);

/// Writes a result to stdout.
/// @throws FileError if not all of it can be written
void print_result(std::string_view text);

/// Adds --version and --help and parses the command line. Whether the program should go on; it
/// should not if it was asked for one of the two, which this then prints.
/// @throws UsageError
bool parse_or_answer(Flags& flags, const std::string& program, int argc, const char* const* argv);

}  // namespace unroll::cli
