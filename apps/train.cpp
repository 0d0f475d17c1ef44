// unroll-train: trains a recurrent network on a long series by stateful truncated back-propagation
// through time.

#include <string>

#include <unroll/report/text.h>
#include <unroll/run/training_run.h>

#include "cli/app.h"
#include "cli/flags.h"
#include "cli/progress_printer.h"
#include "cli/training_flags.h"

namespace {

constexpr const char* kProgram = "unroll-train";

void train(int argc, char** argv) {
  using namespace unroll;  // NOLINT(google-build-using-namespace)
  RunOptions options;
  bool json = false;
  bool quiet = false;
  bool version = false;
  bool help = false;
  cli::Flags flags(
      kProgram,
      "Trains a recurrent network on a long series, window by window, carrying its state.");
  cli::add_training_flags(flags, options);
  flags.toggle("json", json, "print one JSON object, the summary, and nothing else on stdout");
  flags.toggle("quiet", quiet, "no progress on stderr");
  flags.group("Help");
  flags.toggle("version", version, "print the version");
  flags.toggle("help", help, "print this text");
  flags.parse(argc, argv);
  if (help || version) {
    cli::print_result(help ? flags.help() : cli::version_line(kProgram));
    return;
  }
  cli::check_training_flags(flags);
  cli::ProgressPrinter progress(quiet);
  const Summary summary = run_training(options, progress);
  cli::print_result(json ? summary.to_json() : describe_result(summary));
}

}  // namespace

int main(int argc, char** argv) {
  return unroll::cli::run_app(kProgram, [&] { train(argc, argv); });
}
