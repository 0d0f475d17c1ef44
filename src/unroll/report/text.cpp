#include <unroll/report/text.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <vector>

#include <unroll/report/findings.h>

namespace unroll {
namespace {

std::int64_t windows_done(const LogRow& row) {
  return (row.epoch - 1) * row.windows_per_epoch + row.window;
}

/// Where a run goes on from; nothing for a new one.
std::string describe_progress(const TrainingProgress& progress) {
  return progress.epoch == 0 ? ""
                             : fmt::format("resumed  after window {} of epoch {}\n",
                                           progress.window, progress.epoch);
}

constexpr std::string_view kLine = "{:<34}{:>8.4f}{}\n";

std::string describe_error(const Estimate& estimate) {
  return estimate.standard_error ? fmt::format("  +- {:.4f}", *estimate.standard_error) : "";
}

/// What the loss is over that the baseline and the floors are held against.
std::string_view describe_judged(const Summary& summary) {
  if (!summary.evaluation) {
    return "last epoch";
  }
  return summary.evaluation->is_held_out ? "held out" : "same data";
}

/// What the process's lagged inputs do to the model's answer.
std::string describe_combinations(const Evaluation& evaluation) {
  std::string text = fmt::format("\n{:<34}{:>8}{:>9}\n", "learned, mean over", "P(Y=1)", "truth");
  const std::size_t count = std::min(evaluation.combinations.size(), kMostCombinations);
  for (std::size_t row = 0; row < count; ++row) {
    const Combination& combination = evaluation.combinations[row];
    text += fmt::format("{:<34}{:>8}{:>9.4f}\n", describe_inputs(evaluation, combination),
                        describe_number(combination.probability), combination.truth);
  }
  text += fmt::format("\n{:<34}{:>8}{:>9}  {}\n", "lag", "effect", "truth", "learned");
  for (const LagKnowledge& lag : evaluation.lags) {
    text += fmt::format("{:<34}{:>8}{:>+9.4f}  {}\n", lag.lag, describe_signed(lag.effect.value),
                        lag.true_effect, describe_verdict(lag));
  }
  return text;
}

/// How much the model's answer hangs on each of the last inputs.
std::string describe_profile(const Evaluation& evaluation) {
  constexpr double kWidth = 30.0;  // characters of a bar of 1
  if (evaluation.profile.empty()) {
    return "\nthe series is too short to tell which lags the network uses\n";
  }
  const bool is_binary = evaluation.profile.front().effect.has_value();
  std::string text = fmt::format(
      "\n{:<34}{:>8}\n", is_binary ? "lag, its input flipped" : "lag, its input another class",
      is_binary ? "P(Y=1)" : "moves");
  for (const LagInfluence& influence : evaluation.profile) {
    const std::string change = influence.effect ? describe_signed(influence.effect->value)
                                                : describe_number(influence.change.value);
    const auto bar = static_cast<std::size_t>(std::lround(kWidth * influence.change.value));
    text += fmt::format("{:<34}{:>8}{}{}\n", influence.lag, change, bar > 0 ? "  " : "",
                        std::string(bar, '#'));
  }
  return text;
}

/// Who trains which rows, where there are several ranks.
std::string describe_ranks(const RunStart& start) {
  if (start.ranks == 1) {
    return "";
  }
  const std::int64_t rows = start.options.windows.batch_size;
  const std::int64_t least = rows / start.ranks;
  const std::int64_t most = (rows + start.ranks - 1) / start.ranks;
  return fmt::format("ranks    {}, each with {} rows of every window\n", start.ranks,
                     least == most ? fmt::to_string(least) : fmt::format("{} or {}", least, most));
}

}  // namespace

std::string describe_start(const RunStart& start) {
  const RunOptions& options = start.options;
  const std::string data =
      start.process ? fmt::format("P(Y[t]=1) = {}", start.process->formula()) : options.data;
  return fmt::format(
             "model    {}, {} hidden units, {} classes, {} engine on {}, {}\n"
             "data     {} symbols an epoch, {}\n"
             "windows  {} of {} x {} an epoch, {} epochs, {} with learning rate {}\n"
             "{}run      {}\n",
             name_of(options.model.model), options.model.hidden_size, options.model.num_classes,
             start.engine, start.device, name_of(options.dtype), options.series.series_length, data,
             start.windows_per_epoch, options.windows.batch_size, options.windows.num_steps,
             options.trainer.epochs, name_of(options.optimizer.optimizer),
             options.optimizer.learning_rate, describe_ranks(start), start.run_directory) +
         describe_progress(start.progress);
}

std::string describe_row(const RunStart& start, const LogRow& row) {
  const double rate = static_cast<double>(windows_done(row)) / row.train_seconds;
  const std::string floor = start.floors ? fmt::format("  floor {:.4f}", start.floors->all) : "";
  return fmt::format("epoch {}/{}  window {}/{}  mean loss {:.4f}{}  {:.0f} windows/s\n", row.epoch,
                     start.options.trainer.epochs, row.window, row.windows_per_epoch, row.mean_loss,
                     floor, rate);
}

std::string describe_checks(const std::vector<FileCheck>& checks) {
  std::string text;
  for (const FileCheck& check : checks) {
    text += fmt::format("{:<8} {}: {}\n", check.is_good ? "good" : "DAMAGED", check.file,
                        check.finding);
  }
  return text;
}

std::string describe_result(const Summary& summary) {
  const std::optional<Evaluation>& evaluation = summary.evaluation;
  std::string text =
      fmt::format("{} windows in {:.1f} s, {:.1f} us a window; {}\n\n", summary.windows,
                  summary.seconds, summary.microseconds_per_window(), summary.run_directory);
  text += fmt::format("{:<34}{:>8}\n", "mean loss", "nats");
  text += fmt::format(kLine, "last log row", summary.final_loss, "");
  text += fmt::format(kLine, "last epoch", summary.last_epoch_loss, "");
  if (evaluation) {
    text += fmt::format(kLine, describe_series(*evaluation), evaluation->loss.value,
                        describe_error(evaluation->loss));
  }
  const double loss = evaluation ? evaluation->loss.value : summary.last_epoch_loss;
  const std::string_view judged = describe_judged(summary);
  text += fmt::format("\n{:<34}{:>8}  {}\n", "baseline", "nats", judged);
  text += fmt::format(kLine, kBaseline, summary.baseline,
                      fmt::format("  {}", describe_distance(loss, summary.baseline)));
  if (summary.floors) {
    text += fmt::format("\n{:<34}{:>8}  {}\n", "loss floor", "nats", judged);
    for (const auto& [name, floor] : named_floors(*summary.floors, summary.num_steps)) {
      text += fmt::format(kLine, name, floor, fmt::format("  {}", describe_distance(loss, floor)));
    }
  }
  if (evaluation) {
    text += (summary.floors ? describe_combinations(*evaluation) : describe_profile(*evaluation));
    if (evaluation->is_impossible) {
      text += fmt::format("\nFAULT: {}\n", kImpossible);
    }
  }
  return text;
}

}  // namespace unroll
