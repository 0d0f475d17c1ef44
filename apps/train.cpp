// unroll-train: trains a recurrent network on a long series by stateful truncated back-propagation
// through time.

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <unroll/distributed/join.h>
#include <unroll/report/text.h>
#include <unroll/run/training_run.h>
#include <unroll/run/verification.h>

#include "cli/app.h"
#include "cli/flags.h"
#include "cli/progress_printer.h"
#include "cli/rank_environment.h"
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
  std::int64_t rank_timeout = RankOptions().timeout;
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
  const int signal = outcome.stop_reason;
  cli::print_note(
      fmt::format("stopped by {} after window {} of epoch {}, and saved; go on with\n"
                  "  {} --resume {}\n",
                  cli::signal_name(signal), outcome.progress.window, outcome.progress.epoch,
                  cli::shell_word(program), cli::shell_word(outcome.run_directory)));
  return cli::kStoppedBySignal + signal;
}

/// Joins the other ranks, if the environment says that there are any.
std::unique_ptr<Ranks> join(const Command& command) {
  const std::optional<RankOptions> environment = cli::read_rank_environment();
  RankOptions options = environment.value_or(RankOptions());
  options.timeout = command.rank_timeout;
  options.validate();
  return environment ? join_ranks(options) : nullptr;
}

/// Trains, or goes on with a run, and tells how that goes.
RunOutcome train(const Command& command, const cli::Flags& flags, Ranks* ranks) {
  cli::ProgressPrinter progress(command.quiet, !command.no_report);
  const auto stop = [](const TrainingProgress& /*progress*/) { return cli::stop_signal(); };
  return flags.given("resume") ? resume_training({.run_directory = command.resume,
                                                  .options = command.options,
                                                  .given = cli::given_options(flags)},
                                                 progress, stop, ranks)
                               : run_training(command.options, progress, stop, ranks);
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
               "how a training step is executed; auto is fused with sgd, else autograd");
  cli::add_training_flags(flags, command.options);
  flags.group("Output");
  flags.integer("log-every", command.options.trainer.log_every,
                "windows between two rows of metrics.csv");
  flags.integer("checkpoint-every", command.options.checkpoint_every,
                "windows between two checkpoints");
  flags.integer(
      "eval-length", command.options.evaluation.eval_length,
      "symbols that the trained model is evaluated on, of a series of its own; 0 for none");
  flags.output("out", command.options.out, cli::folder(),
               "run directory, new or empty (default: runs/<UTC time>-<model>)");
  flags.toggle("no-report", command.no_report, "no loss.svg and report.html");
  cli::add_report_flags(flags, command.json, command.quiet, "the summary");
  flags.group("Several processes");
  flags.integer("rank-timeout", command.rank_timeout,
                "seconds that a rank waits for the others; ranks are what WORLD_SIZE, RANK, "
                "MASTER_ADDR and MASTER_PORT say, as torchrun sets them");
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
  const std::unique_ptr<Ranks> ranks = join(command);
  cli::catch_stop_signals();
  const RunOutcome outcome = train(command, flags, ranks.get());
  if (ranks && ranks->rank() != 0) {  // rank 0 speaks
    return outcome.stop_reason == 0 ? cli::kDone : cli::kStoppedBySignal + outcome.stop_reason;
  }
  if (!outcome.summary) {
    return report_stop(outcome, argv[0]);
  }
  cli::print_result(command.json ? outcome.summary->to_json() : describe_result(*outcome.summary));
  return cli::kDone;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_app(cli::name_in_ranks(kProgram), [&] { return run(argc, argv); });
}
