// unroll-train: trains a recurrent network on a long series by stateful truncated back-propagation
// through time.

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include <unroll/report/text.h>
#include <unroll/run/training_run.h>
#include <unroll/run/verification.h>

#include "cli/app.h"
#include "cli/flags.h"
#include "cli/progress_printer.h"
#include "cli/shell_word.h"
#include "cli/stop_signal.h"
#include "cli/training_flags.h"

namespace {

using namespace unroll;

constexpr const char* kProgram = "unroll-train";

struct Command {
  RunOptions options;
  std::string resume;
  std::string verify;
  bool json = false;
  bool quiet = false;
  bool no_report = false;
};

/// Whether every file of the run is good.
bool verify(const std::string& run_directory) {
  const std::vector<FileCheck> checks = verify_run(run_directory);
  cli::print_result(describe_checks(checks));
  return std::all_of(checks.begin(), checks.end(),
                     [](const FileCheck& check) { return check.is_good; });
}

/// Says how to go on, and gives the exit code.
int report_stop(const RunOutcome& outcome, const char* program) {
  const int signal = cli::stop_signal();
  cli::print_note(fmt::format(
      "stopped by {} after window {} of epoch {}, and saved; go on with\n"
      "  {} --resume {}\n",
      signal == SIGINT ? "SIGINT" : "SIGTERM", outcome.progress.window, outcome.progress.epoch,
      cli::shell_word(program), cli::shell_word(outcome.run_directory)));
  return cli::kStoppedBySignal + signal;
}

/// Trains, or goes on with a run, and tells how that goes.
RunOutcome train(const Command& command, const cli::Flags& flags) {
  cli::ProgressPrinter progress(command.quiet, !command.no_report);
  const auto stop = [](const TrainingProgress& /*progress*/) { return cli::stop_signal() != 0; };
  return flags.given("resume") ? resume_training({.run_directory = command.resume,
                                                  .options = command.options,
                                                  .given = cli::given_options(flags)},
                                                 progress, stop)
                               : run_training(command.options, progress, stop);
}

/// Does what the command line says, and gives the exit code.
int run(int argc, char** argv) {
  Command command;
  cli::Flags flags(
      kProgram,
      "Trains a recurrent network on a long series, window by window, carrying its state.");
  flags.group("Model");
  flags.choice("model", command.options.model.model,
               "the hand-written cell loop, or torch::nn::RNN");
  flags.choice("engine", command.options.engine,
               "how a training step is executed; auto is fused on the CPU with sgd, else autograd");
  cli::add_training_flags(flags, command.options);
  flags.group("Output");
  flags.integer("log-every", command.options.trainer.log_every,
                "windows between two rows of metrics.csv");
  flags.integer("checkpoint-every", command.options.checkpoint_every,
                "windows between two checkpoints");
  flags.integer(
      "eval-length", command.options.evaluation.eval_length,
      "symbols that the trained model is evaluated on, of a series of its own; 0 for none");
  flags.text("out", command.options.out, "DIR",
             "run directory, new or empty (default: runs/<UTC time>-<model>)");
  flags.toggle("no-report", command.no_report, "no loss.svg and report.html");
  cli::add_report_flags(flags, command.json, command.quiet, "the summary");
  flags.group("Earlier runs");
  flags.text("resume", command.resume, "DIR",
             "go on with this run from its newest checkpoint, to the same last bit");
  flags.text("verify", command.verify, "DIR", "check every file of this run and do nothing else");
  if (!cli::parse_or_answer(flags, kProgram, argc, argv)) {
    return cli::kDone;
  }
  if (flags.given("verify")) {
    flags.check_alone("verify");
    return verify(command.verify) ? cli::kDone : cli::kFailed;
  }
  cli::check_training_flags(flags);
  if (flags.given("resume") && flags.given("out")) {
    throw cli::UsageError("--out cannot be combined with --resume, which goes on where the run is");
  }
  cli::catch_stop_signals();
  const RunOutcome outcome = train(command, flags);
  if (!outcome.summary) {
    return report_stop(outcome, argv[0]);
  }
  cli::print_result(command.json ? outcome.summary->to_json() : describe_result(*outcome.summary));
  return cli::kDone;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_app(kProgram, [&] { return run(argc, argv); });
}
