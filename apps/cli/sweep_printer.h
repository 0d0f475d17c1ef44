// A sweep's progress on stderr.
#pragma once

#include <chrono>

#include <unroll/run/sweep.h>

#include "cli/terminal_line.h"

namespace unroll::cli {

/// Prints how a sweep goes: its start, then on a terminal one line that changes in place;
/// elsewhere, such as in a log, a line now and then. Writes its report at the end.
class SweepPrinter final : public SweepObserver {
 public:
  SweepPrinter(bool quiet, bool has_report)
      : quiet_(quiet), has_report_(has_report), line_(!quiet) {}

  void on_start(const SweepStart& start) override;
  void on_progress(const SweepProgress& progress) override;
  void on_finished(const SweepSummary& summary) override;

 private:
  bool quiet_;
  bool has_report_;
  TerminalLine line_;
  std::int64_t shown_done_ = 0;
  std::chrono::steady_clock::time_point last_line_;
};

}  // namespace unroll::cli
