#include <unroll/report/sweep_text.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include <unroll/report/findings.h>

namespace unroll {
namespace {

/// "0.4601  3:5/5 8:4/5"; "diverged" in the place of the loss if every seed has.
std::string describe_group(const SweepGroup& group) {
  std::string text =
      group.held_out_loss ? fmt::format("{:.4f} ", *group.held_out_loss) : "diverged";
  for (const SweepLagCount& lag : group.lags) {
    text += fmt::format(" {}:{}/{}", lag.lag, lag.learned, group.seeds);
  }
  return text;
}

/// The table of one learning rate and some of the hidden sizes.
std::string describe_table(const SweepSummary& summary, double learning_rate,
                           const std::vector<std::int64_t>& hidden_sizes) {
  constexpr int kColumn = 23;
  std::string text = fmt::format("\n{:>9}{:>10}", "num_steps", "no carry");
  for (const std::int64_t hidden_size : hidden_sizes) {
    text += fmt::format("  {:<{}}", fmt::format("hidden_size {}", hidden_size), kColumn - 2);
  }
  text.erase(text.find_last_not_of(' ') + 1);
  for (const std::int64_t num_steps : summary.config.grid.num_steps) {
    text += fmt::format("\n{:>9}{:>10.4f}", num_steps, summary.process.no_carry_floor(num_steps));
    for (const std::int64_t hidden_size : hidden_sizes) {
      const SweepGroup& group = summary.group(num_steps, hidden_size, learning_rate);
      text += fmt::format("  {:<{}}", describe_group(group), kColumn - 2);
    }
    text.erase(text.find_last_not_of(' ') + 1);
  }
  return text + "\n";
}

std::string describe_floors(const LaggedProcess& process) {
  std::string text = fmt::format("\n{:<34}{:>8}\n", "loss floor", "nats");
  for (const auto& [name, loss] : named_floors(process.floors(1))) {
    text += fmt::format("{:<34}{:>8.4f}\n", name, loss);
  }
  return text;
}

}  // namespace

std::string counted(std::int64_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string describe_diverged(const SweepSummary& summary) {
  const auto count = std::count_if(summary.rows.begin(), summary.rows.end(),
                                   [](const SweepRow& row) { return row.is_diverged; });
  return count == 0 ? ""
                    : fmt::format("{} of {} cells diverged and are in no mean", count,
                                  summary.rows.size());
}

std::string describe_sweep_start(const SweepStart& start) {
  const SweepOptions& options = start.options;
  const SweepGrid& grid = options.grid;
  const RunOptions& run = options.run;
  const SweepProgress& progress = start.progress;
  const std::string shard =
      options.shard.is_whole()
          ? ""
          : fmt::format(", shard {}/{}", options.shard.index, options.shard.count);
  const std::string done =
      progress.done == 0 ? "" : fmt::format("; {} are done already", progress.done);
  return fmt::format(
      "grid     num_steps {} x hidden_size {} x learning_rate {} x {}\n"
      "model    {}, 2 classes, {} engine, {}, {}\n"
      "data     {} of {} symbols, batch size {}, P(Y[t]=1) = {}\n"
      "cells    {}{}, on {}{}\n"
      "sweep    {}\n",
      fmt::join(grid.num_steps, ","), fmt::join(grid.hidden_size, ","),
      fmt::join(grid.learning_rate, ","), counted(grid.seeds, "seed"), name_of(run.model.model),
      name_of(run.engine), name_of(run.dtype), name_of(run.optimizer.optimizer),
      counted(run.trainer.epochs, "epoch"), run.series.series_length, run.windows.batch_size,
      start.process.formula(), progress.cells, shard, counted(options.workers, "worker"), done,
      start.directory);
}

std::string describe_sweep_progress(const SweepProgress& progress) {
  std::string text = fmt::format("{}/{} cells", progress.done, progress.cells);
  if (progress.trained > 0) {
    const double rate = static_cast<double>(progress.trained) / progress.seconds;
    text += fmt::format("  {:.1f} a second  {:.0f} s left", rate,
                        static_cast<double>(progress.cells - progress.done) / rate);
  }
  return text;
}

std::string describe_shard(const SweepOutcome& outcome) {
  return fmt::format("shard {}/{}: {} done; when every shard is, unroll-sweep --merge {}\n",
                     outcome.shard.index, outcome.shard.count,
                     counted(outcome.progress.cells, "cell"), outcome.directory);
}

std::string describe_sweep(const SweepSummary& summary) {
  constexpr std::size_t kColumns = 4;  // side by side on a terminal
  const SweepGrid& grid = summary.config.grid;
  std::string text = fmt::format(
      "{}; {}\n\nheld-out loss in nats, mean over {}, and by how many of them each lag is "
      "learned\n",
      counted(std::ssize(summary.rows), "cell"), summary.directory, counted(grid.seeds, "seed"));
  for (const double learning_rate : grid.learning_rate) {
    if (grid.learning_rate.size() > 1) {
      text += fmt::format("\nlearning_rate {}\n", learning_rate);
    }
    for (std::size_t first = 0; first < grid.hidden_size.size(); first += kColumns) {
      const std::size_t count = std::min(kColumns, grid.hidden_size.size() - first);
      const auto begin = grid.hidden_size.begin() + static_cast<std::ptrdiff_t>(first);
      text += describe_table(summary, learning_rate,
                             {begin, begin + static_cast<std::ptrdiff_t>(count)});
    }
  }
  if (const std::string diverged = describe_diverged(summary); !diverged.empty()) {
    text += fmt::format("\n{}\n", diverged);
  }
  return text + describe_floors(summary.process);
}

}  // namespace unroll
