// Progress on stderr.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <unroll/run/training_run.h>

#include "cli/terminal_line.h"

namespace unroll::cli {

/// Which log rows are worth a line: every epoch's first and last, and two a second in between, so
/// that a fast run does not flood the terminal. metrics.csv has every row.
class Pace {
 public:
  [[nodiscard]] bool is_due(const LogRow& row);

 private:
  std::int64_t last_epoch_ = 0;
  std::chrono::steady_clock::time_point last_line_;
};

/// Prints how a run goes: its start, then lines at a sensible pace, and below them on a terminal
/// one that says all the time where the run is. Writes its report at the end.
class ProgressPrinter final : public RunObserver {
 public:
  ProgressPrinter(bool quiet, bool has_report)
      : quiet_(quiet), has_report_(has_report), line_(!quiet) {}

  void on_start(const RunStart& start) override;
  void on_row(const LogRow& row) override;
  void on_progress(const TrainingProgress& progress) override;
  void on_trained(const Summary& summary) override;
  void on_warning(const std::string& warning) override;

 private:
  bool quiet_;
  bool has_report_;
  std::optional<RunStart> start_;
  Pace pace_;
  TerminalLine line_;
  std::chrono::steady_clock::time_point start_time_;
  std::chrono::steady_clock::time_point last_show_;
};

/// Prints how a comparison goes, by the first variant that is heard of.
class ComparisonPrinter {
 public:
  explicit ComparisonPrinter(bool quiet) : quiet_(quiet) {}

  void on_row(const std::string& variant, const LogRow& row);

 private:
  bool quiet_;
  std::string first_variant_;
  Pace pace_;
};

}  // namespace unroll::cli
