// A sweep's progress on stderr.
#pragma once

#include <chrono>

#include <unroll/run/sweep.h>

namespace unroll::cli {

/// Prints how a sweep goes: its start, then one line that lives on a terminal; elsewhere, such as
/// in a log, a line now and then. Writes its report at the end.
class SweepPrinter final : public SweepObserver {
 public:
  SweepPrinter(bool quiet, bool has_report);
  ~SweepPrinter() override;

  void on_start(const SweepStart& start) override;
  void on_progress(const SweepProgress& progress) override;
  void on_finished(const SweepSummary& summary) override;

 private:
  /// Takes the living line away, so that others can be printed.
  void clear_line();

  bool quiet_;
  bool has_report_;
  bool is_terminal_;
  bool has_line_ = false;
  std::int64_t last_done_ = 0;
  std::chrono::steady_clock::time_point last_line_;
};

}  // namespace unroll::cli
