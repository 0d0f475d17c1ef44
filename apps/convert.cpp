// unroll-convert: makes the binary form of a series from a CSV file, of any size in little memory.

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include <unroll/base/file.h>
#include <unroll/base/quote.h>
#include <unroll/data/conversion.h>
#include <unroll/report/conversion_text.h>

#include "cli/app.h"
#include "cli/flags.h"
#include "cli/stop_signal.h"
#include "cli/terminal_line.h"
#include "cli/training_flags.h"

namespace {

using namespace unroll;

constexpr const char* kProgram = "unroll-convert";

/// Shows on a terminal how far a conversion is, and hears a wish to stop.
class Progress {
 public:
  Progress(bool quiet, const std::string& source) : line_(!quiet) {
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(source, error);
    of_total_ = error ? "" : fmt::format(" of {:.1f}", megabytes(size));
  }

  /// Whether to go on when this much of the CSV file is done.
  bool goes_on(std::int64_t bytes) {
    constexpr std::chrono::milliseconds kPause(100);
    const auto now = std::chrono::steady_clock::now();
    if (line_.is_live() && now - last_show_ >= kPause) {
      last_show_ = now;
      line_.show(fmt::format("{:.1f}{} MB of CSV", megabytes(static_cast<std::uintmax_t>(bytes)),
                             of_total_));
    }
    return cli::stop_signal() == 0;
  }

 private:
  static double megabytes(std::uintmax_t bytes) { return static_cast<double>(bytes) / 1e6; }

  cli::TerminalLine line_;
  std::string of_total_;
  std::chrono::steady_clock::time_point last_show_;
};

int convert(int argc, char** argv) {
  std::string source;
  std::string output;
  bool force = false;
  bool json = false;
  bool quiet = false;
  cli::Flags flags(kProgram,
                   "Makes the binary form of a series, which --data reads as it trains and never "
                   "holds in memory as a whole.");
  flags.group("Conversion");
  flags.positional("source", source, "FILE.csv", "the series, columns input,target");
  flags.output("output", output, cli::series_file(), "the file to write; required");
  flags.toggle("force", force, "replace a file that exists");
  flags.require("output");
  cli::add_report_flags(flags, json, quiet, "what was written");
  if (!cli::parse_or_answer(flags, kProgram, argc, argv)) {
    return cli::kDone;
  }
  const std::string place = place_for(output, force);
  std::error_code ignored;  // of what is not there
  if (std::filesystem::equivalent(source, place, ignored)) {
    throw cli::UsageError(
        fmt::format("--output must be another file than the series, got {}", in_quotes(output)));
  }
  cli::catch_stop_signals();
  std::optional<Conversion> made;
  {
    Progress progress(quiet, source);
    made = convert_csv(source, place, [&](std::int64_t bytes) { return progress.goes_on(bytes); });
  }
  if (!made) {
    cli::print_note(
        fmt::format("stopped by {}; nothing was written\n", cli::signal_name(cli::stop_signal())));
    return cli::kStoppedBySignal + cli::stop_signal();
  }
  if (!made->class_gaps.empty()) {
    cli::print_note(fmt::format("warning: {}: {}\n", output, made->class_gaps));
  }
  cli::print_result(json ? conversion_json(output, *made) : describe_conversion(output, *made));
  return cli::kDone;
}

}  // namespace

int main(int argc, char** argv) {
  return unroll::cli::run_app(kProgram, [&] { return convert(argc, argv); });
}
