// Progress on stderr.
#pragma once

#include <chrono>
#include <optional>

#include <unroll/run/training_run.h>

namespace unroll::cli {

/// Prints how a run goes: its start, then a line at every epoch's first and last row and twice a
/// second in between, so that a fast run does not flood the terminal. metrics.csv has every row.
class ProgressPrinter final : public RunObserver {
 public:
  explicit ProgressPrinter(bool quiet) : quiet_(quiet) {}

  void on_start(const RunStart& start) override;
  void on_row(const LogRow& row) override;

 private:
  bool quiet_;
  std::optional<RunStart> start_;
  std::int64_t last_epoch_ = 0;
  std::chrono::steady_clock::time_point last_line_;
};

}  // namespace unroll::cli
