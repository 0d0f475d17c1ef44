#include "cli/training_flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <unroll/run/config.h>

namespace unroll::cli {

void add_training_flags(Flags& flags, RunOptions& options) {
  flags.group("Network");
  flags.integer("hidden-size", options.model.hidden_size, "hidden units");
  flags.choice("dtype", options.dtype, "of weights, state and losses");
  flags.text("init", options.init, "FILE.safetensors",
             "start from these weights (default: drawn from the seed)");

  flags.group("Data");
  flags.integer("series-length", options.series.series_length, "symbols in an epoch's series");
  flags.integer("batch-size", options.windows.batch_size, "rows that the series is cut into");
  flags.integer("num-steps", options.windows.num_steps, "steps of a window");
  flags.text("data", options.data, "FILE",
             "train on your own series, columns input,target, or what unroll-convert made of it "
             "(default: the sampled process)");
  flags.integer("seed", options.seed, "of the series and of the initial weights");

  flags.group("Training");
  flags.integer("epochs", options.trainer.epochs,
                "passes, each over a fresh series and from a zero state");
  flags.choice("optimizer", options.optimizer.optimizer, "how gradients move the weights");
  flags.number("learning-rate", options.optimizer.learning_rate, "the optimizer's step size");
  flags.choice("device", options.device, "where; auto is CUDA if it works, else the CPU");
  flags.integer("threads", options.threads,
                "CPU threads, at most; the fused engine uses more than one for large sizes only");
}

void add_report_flags(Flags& flags, bool& json, bool& quiet, const std::string& what) {
  flags.toggle("json", json,
               fmt::format("print one JSON object, {}, and nothing else on stdout", what));
  flags.toggle("quiet", quiet, "no progress on stderr");
}

std::set<std::string> given_options(const Flags& flags) {
  std::set<std::string> given;
  for (std::string option : option_names()) {
    std::string flag = option;
    std::replace(flag.begin(), flag.end(), '_', '-');
    if (flags.given(flag)) {
      given.insert(std::move(option));
    }
  }
  return given;
}

void check_training_flags(const Flags& flags) {
  if (flags.given("data") && flags.given("series-length")) {
    throw UsageError(
        "--series-length cannot be combined with --data, whose file has a length of its own");
  }
}

}  // namespace unroll::cli
