#include "cli/progress_printer.h"

#include <fmt/format.h>

#include <unroll/report/text.h>
#include <unroll/report/training_report.h>

#include "cli/app.h"

namespace unroll::cli {

bool Pace::is_due(const LogRow& row) {
  constexpr std::chrono::milliseconds kPause(500);
  const auto now = std::chrono::steady_clock::now();
  const bool is_edge = row.epoch != last_epoch_ || row.window == row.windows_per_epoch;
  last_epoch_ = row.epoch;
  if (!is_edge && now - last_line_ < kPause) {
    return false;
  }
  last_line_ = now;
  return true;
}

void ProgressPrinter::on_start(const RunStart& start) {
  start_ = start;
  start_time_ = std::chrono::steady_clock::now();
  last_show_ = start_time_;
  if (!quiet_) {
    print_note(describe_start(start));
  }
}

void ProgressPrinter::on_row(const LogRow& row) {
  if (!quiet_ && pace_.is_due(row)) {
    line_.print_above(describe_row(*start_, row));
  }
}

void ProgressPrinter::on_progress(const TrainingProgress& progress) {
  constexpr std::chrono::milliseconds kPause(100);
  if (!line_.is_live()) {
    return;
  }
  const auto now = std::chrono::steady_clock::now();
  const std::int64_t epochs = start_->options.trainer.epochs;
  const std::int64_t total_windows = epochs * start_->windows_per_epoch;
  if (progress.windows < total_windows && now - last_show_ < kPause) {
    return;
  }
  last_show_ = now;
  line_.show({.epoch = progress.epoch,
              .epochs = epochs,
              .windows = progress.windows,
              .total_windows = total_windows,
              .windows_here = progress.windows - start_->progress.windows,
              .seconds_here = std::chrono::duration<double>(now - start_time_).count(),
              .mean_loss = progress.epoch_sum / static_cast<double>(progress.window),
              .floor = start_->floors ? std::optional(start_->floors->all) : std::nullopt});
}

void ProgressPrinter::on_trained(const Summary& summary) {
  if (!has_report_) {
    return;
  }
  const std::string problem = write_report(summary);
  if (!quiet_ && !problem.empty()) {
    line_.print_above(fmt::format("note: no loss.svg: {}\n", problem));
  }
}

void ProgressPrinter::on_warning(const std::string& warning) {
  line_.print_above(fmt::format("warning: {}\n", warning));
}

void ComparisonPrinter::on_row(const std::string& variant, const LogRow& row) {
  if (first_variant_.empty()) {
    first_variant_ = variant;
  }
  if (!quiet_ && variant == first_variant_ && pace_.is_due(row)) {
    print_note(fmt::format("epoch {}  window {}/{}  mean loss {:.4f}\n", row.epoch, row.window,
                           row.windows_per_epoch, row.mean_loss));
  }
}

}  // namespace unroll::cli
