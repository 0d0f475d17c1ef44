// unroll-sweep: trains a grid of networks, and says which lag is learned where.

#include <fmt/format.h>

#include <csignal>
#include <string>
#include <vector>

#include <unroll/report/sweep_text.h>
#include <unroll/run/sweep.h>

#include "cli/app.h"
#include "cli/flags.h"
#include "cli/shell_word.h"
#include "cli/stop_signal.h"
#include "cli/sweep_flags.h"
#include "cli/sweep_printer.h"
#include "cli/training_flags.h"

namespace {

using namespace unroll;

constexpr const char* kProgram = "unroll-sweep";

/// The command that goes on: the one that was typed, and the folder if that was not.
std::string go_on_command(const std::vector<std::string>& words, bool has_out,
                          const std::string& directory) {
  std::string command;
  for (const std::string& word : words) {
    command.append(command.empty() ? "" : " ").append(cli::shell_word(word));
  }
  return has_out ? command : fmt::format("{} --out {}", command, cli::shell_word(directory));
}

/// Trains until all is done or a signal comes, and shows how it goes.
SweepOutcome train_grid(const SweepOptions& options, bool quiet) {
  cli::catch_stop_signals();
  cli::SweepPrinter printer(quiet);
  return run_sweep(options, printer, [] { return cli::stop_signal() != 0; });
}

/// Says how far it came and how to go on, and gives the exit code.
int report_stop(const SweepOutcome& outcome, const std::string& command) {
  const int signal = cli::stop_signal();
  cli::print_note(fmt::format("stopped by {} with {} of {} cells done and kept; go on with\n  {}\n",
                              signal == SIGINT ? "SIGINT" : "SIGTERM", outcome.progress.done,
                              outcome.progress.cells, command));
  return cli::kStoppedBySignal + signal;
}

/// Does what the command line says, and gives the exit code.
int sweep(int argc, char** argv) {
  SweepOptions options;
  std::string shard;
  std::string merge;
  bool json = false;
  bool quiet = false;
  cli::Flags flags(kProgram, "Trains a grid of networks: which lag is learned where?");
  cli::add_sweep_flags(flags, options);
  cli::add_work_flags(flags, options, shard);
  flags.text("merge", merge, "DIR", "join what the shards in this folder have done");
  flags.group("Output");
  flags.text("out", options.out, "DIR",
             "the sweep's folder, new, or of a sweep to go on with (default: sweeps/<UTC time>)");
  cli::add_report_flags(flags, json, quiet, "the sweep's groups");
  if (!cli::parse_or_answer(flags, kProgram, argc, argv)) {
    return cli::kDone;
  }
  const auto print = [json](const SweepSummary& summary) {
    cli::print_result(json ? summary.to_json() : describe_sweep(summary));
  };
  if (flags.given("merge")) {
    flags.check_alone("merge", {"json", "quiet"});
    cli::SweepPrinter printer(quiet);
    print(merge_sweep(merge, printer));
    return cli::kDone;
  }
  if (flags.given("shard")) {
    options.shard = cli::parse_shard("shard", shard);
  }
  const SweepOutcome outcome = train_grid(options, quiet);
  if (outcome.is_stopped) {
    return report_stop(outcome,
                       go_on_command({argv, argv + argc}, flags.given("out"), outcome.directory));
  }
  if (!quiet && outcome.progress.trained == 0) {
    cli::print_note(fmt::format("nothing was left to train in {}\n", outcome.directory));
  }
  if (outcome.summary) {
    print(*outcome.summary);
  } else {
    cli::print_result(json ? outcome.to_json() : describe_shard(outcome));
  }
  return cli::kDone;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_app(kProgram, [&] { return sweep(argc, argv); });
}
