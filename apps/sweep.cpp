// unroll-sweep: trains a grid of networks, and says which lag is learned where.

#include <fmt/format.h>

#include <string>
#include <vector>

#include <unroll/report/sweep_text.h>
#include <unroll/run/sweep.h>

#include "cli/app.h"
#include "cli/flags.h"
#include "cli/rank_environment.h"
#include "cli/shell_word.h"
#include "cli/stop_signal.h"
#include "cli/sweep_flags.h"
#include "cli/sweep_printer.h"
#include "cli/training_flags.h"

namespace {

using namespace unroll;

constexpr const char* kProgram = "unroll-sweep";

struct Command {
  SweepOptions options;
  std::string shard;
  std::string merge;
  bool json = false;
  bool quiet = false;
  bool no_report = false;
};

/// Trains until all is done or a signal comes, and shows how it goes.
SweepOutcome train_grid(const Command& command) {
  cli::catch_stop_signals();
  cli::SweepPrinter printer(command.quiet, !command.no_report);
  return run_sweep(command.options, printer, [] { return cli::stop_signal() != 0; });
}

SweepSummary merge_shards(const Command& command) {
  cli::SweepPrinter printer(command.quiet, !command.no_report);
  return merge_sweep(command.merge, printer);
}

/// The command that goes on: the one that was typed, and the folder if that was not.
std::string go_on_command(const std::vector<std::string>& words, bool has_out,
                          const std::string& directory) {
  std::string command;
  for (const std::string& word : words) {
    command.append(command.empty() ? "" : " ").append(cli::shell_word(word));
  }
  return has_out ? command : fmt::format("{} --out {}", command, cli::shell_word(directory));
}

/// Says how far it came and how to go on, and gives the exit code.
int report_stop(const SweepOutcome& outcome, const std::string& command) {
  const int signal = cli::stop_signal();
  cli::print_note(fmt::format("stopped by {} with {} of {} cells done and kept; go on with\n  {}\n",
                              cli::signal_name(signal), outcome.progress.done,
                              outcome.progress.cells, command));
  return cli::kStoppedBySignal + signal;
}

void print_summary(const Command& command, const SweepSummary& summary) {
  cli::print_result(command.json ? summary.to_json() : describe_sweep(summary));
}

/// Does what the command line says, and gives the exit code.
int sweep(int argc, char** argv) {
  Command command;
  cli::Flags flags(kProgram, "Trains a grid of networks: which lag is learned where?");
  cli::add_sweep_flags(flags, command.options);
  cli::add_work_flags(flags, command.options, command.shard);
  flags.text("merge", command.merge, "DIR", "join what the shards in this folder have done");
  flags.group("Output");
  flags.output("out", command.options.out, cli::folder(),
               "the sweep's folder, new, or of a sweep to go on with (default: sweeps/<UTC time>)");
  flags.toggle("no-report", command.no_report, "no sweep.svg and sweep.html");
  cli::add_report_flags(flags, command.json, command.quiet, "the sweep's groups");
  if (!cli::parse_or_answer(flags, kProgram, argc, argv)) {
    return cli::kDone;
  }
  if (flags.given("merge")) {
    flags.check_alone("merge", {"json", "quiet", "no-report"});
    print_summary(command, merge_shards(command));
    return cli::kDone;
  }
  cli::check_trains_alone();
  if (flags.given("shard")) {
    command.options.shard = cli::parse_shard("shard", command.shard);
  }
  const SweepOutcome outcome = train_grid(command);
  if (outcome.is_stopped) {
    return report_stop(outcome,
                       go_on_command({argv, argv + argc}, flags.given("out"), outcome.directory));
  }
  if (!command.quiet && outcome.progress.trained == 0) {
    cli::print_note(fmt::format("nothing was left to train in {}\n", outcome.directory));
  }
  if (outcome.summary) {
    print_summary(command, *outcome.summary);
  } else {
    cli::print_result(command.json ? outcome.to_json() : describe_shard(outcome));
  }
  return cli::kDone;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_app(kProgram, [&] { return sweep(argc, argv); });
}
