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
  using namespace unroll;
  RunOptions options;
  bool json = false;
  bool quiet = false;
  cli::Flags flags(
      kProgram,
      "Trains a recurrent network on a long series, window by window, carrying its state.");
  flags.group("Model");
  flags.choice("model", options.model.model, "the hand-written cell loop, or torch::nn::RNN");
  flags.choice("engine", options.engine,
               "how a training step is executed; auto is fused on the CPU with sgd, else autograd");
  cli::add_training_flags(flags, options);
  flags.group("Output");
  flags.integer("log-every", options.trainer.log_every, "windows between two rows of metrics.csv");
  flags.text("out", options.out, "DIR",
             "run directory, new or empty (default: runs/<UTC time>-<model>)");
  cli::add_report_flags(flags, json, quiet, "the summary");
  if (!cli::parse_or_answer(flags, kProgram, argc, argv)) {
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
