#include "cli/sweep_flags.h"

#include <fmt/format.h>

#include <charconv>
#include <system_error>

namespace unroll::cli {

void add_sweep_flags(Flags& flags, SweepOptions& options) {
  RunOptions& run = options.run;
  flags.group("Grid");
  flags.integers("num-steps", options.grid.num_steps, "steps of a window");
  flags.integers("hidden-size", options.grid.hidden_size, "hidden units");
  flags.numbers("learning-rate", options.grid.learning_rate, "the optimizer's step sizes");
  flags.integer("seeds", options.grid.seeds, "seeds that each combination is trained with, from 0");

  flags.group("Each cell");
  flags.choice("model", run.model.model, "the hand-written cell loop, or torch::nn::RNN");
  flags.choice("engine", run.engine,
               "how a training step is executed; auto is fused with sgd, else autograd");
  flags.choice("dtype", run.dtype, "of weights, state and losses");
  flags.integer("series-length", run.series.series_length, "symbols in an epoch's series");
  flags.integer("batch-size", run.windows.batch_size, "rows that the series is cut into");
  flags.integer("epochs", run.trainer.epochs,
                "passes, each over a fresh series and from a zero state");
  flags.choice("optimizer", run.optimizer.optimizer, "how gradients move the weights");
  flags.integer("eval-length", run.evaluation.eval_length,
                "symbols that the trained model is evaluated on, of a series of its own");
  flags.refuse("data",
               "cannot be swept: which lag is learned is known for the sampled process only");
  flags.refuse("init", "cannot be swept: the weights of a file have one hidden size");
  flags.refuse("seed", "is no flag of a sweep: --seeds N trains with the seeds from 0 to N-1");
  flags.refuse("device", "is no flag of a sweep, which trains on the CPU, a worker a core");
  flags.refuse("threads", "is no flag of a sweep: --workers says how many cells train at a time");
}

void add_work_flags(Flags& flags, SweepOptions& options, std::string& shard) {
  flags.group("Work");
  flags.integer("workers", options.workers,
                "cells that are trained at a time, each on one thread; by default one a core");
  flags.text("shard", shard, "I/N",
             "do the I-th of N shares, into the folder --out that all share (default: all)");
}

Shard parse_shard(const std::string& flag, const std::string& text) {
  Shard shard;
  const char* last = text.data() + text.size();
  const auto index = std::from_chars(text.data(), last, shard.index);
  const bool has_slash = index.ec == std::errc() && index.ptr != last && *index.ptr == '/';
  const auto count = std::from_chars(has_slash ? index.ptr + 1 : last, last, shard.count);
  if (count.ec != std::errc() || count.ptr != last || shard.index < 1 ||
      shard.index > shard.count) {
    throw UsageError(
        fmt::format("--{} must be I/N with I from 1 to N, got {}", flag, in_quotes(text)));
  }
  return shard;
}

}  // namespace unroll::cli
