#include <unroll/report/text.h>

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace unroll {
namespace {

std::int64_t windows_done(const LogRow& row) {
  return (row.epoch - 1) * row.windows_per_epoch + row.window;
}

/// A floor with what to call it.
struct NamedFloor {
  std::string name;
  double loss;
};

/// From the easiest to reach to the hardest.
std::vector<NamedFloor> named_floors(const Floors& floors, std::int64_t num_steps) {
  std::vector<NamedFloor> named = {
      {"no lag seen", floors.none},
      {fmt::format("no carried state, num_steps {}", num_steps), floors.no_carry},
      {"every lag seen", floors.all},
  };
  for (const auto& [lag, loss] : floors.per_lag) {
    named.push_back({fmt::format("only lag {} seen", lag), loss});
  }
  std::stable_sort(named.begin(), named.end(), [](const NamedFloor& left, const NamedFloor& right) {
    return left.loss > right.loss;
  });
  return named;
}

/// Where a run goes on from; nothing for a new one.
std::string describe_progress(const TrainingProgress& progress) {
  return progress.epoch == 0 ? ""
                             : fmt::format("resumed  after window {} of epoch {}\n",
                                           progress.window, progress.epoch);
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
             "run      {}\n",
             name_of(options.model.model), options.model.hidden_size, options.model.num_classes,
             start.engine, start.device, name_of(options.dtype), options.series.series_length, data,
             start.windows_per_epoch, options.windows.batch_size, options.windows.num_steps,
             options.trainer.epochs, name_of(options.optimizer.optimizer),
             options.optimizer.learning_rate, start.run_directory) +
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
  constexpr std::string_view kLine = "{:<34}{:>8.4f}{}\n";
  std::string table =
      fmt::format("{} windows in {:.1f} s, {:.1f} us a window; {}\n\n", summary.windows,
                  summary.seconds, summary.microseconds_per_window(), summary.run_directory);
  table += fmt::format("{:<34}{:>8}\n", "mean loss", "nats");
  table += fmt::format(kLine, "last log row", summary.final_loss, "");
  table += fmt::format(kLine, "last epoch", summary.last_epoch_loss, "");
  if (summary.floors) {
    table += fmt::format("\n{:<34}{:>8}  {}\n", "loss floor", "nats", "last epoch");
    for (const auto& [name, loss] : named_floors(*summary.floors, summary.num_steps)) {
      const double above = summary.last_epoch_loss - loss;
      table +=
          fmt::format(kLine, name, loss,
                      fmt::format("  {:.4f} {}", std::abs(above), above < 0 ? "below" : "above"));
    }
  }
  return table;
}

}  // namespace unroll
