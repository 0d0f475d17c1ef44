#include "cli/sweep_printer.h"

#include <fmt/format.h>

#include <unroll/report/sweep_report.h>
#include <unroll/report/sweep_text.h>

#include "cli/app.h"

namespace unroll::cli {

void SweepPrinter::on_start(const SweepStart& start) {
  if (!quiet_) {
    print_note(describe_sweep_start(start));
  }
  last_line_ = std::chrono::steady_clock::now();
}

void SweepPrinter::on_progress(const SweepProgress& progress) {
  constexpr std::chrono::seconds kPause(5);  // where lines stay
  if (quiet_ || progress.done == shown_done_) {
    return;
  }
  if (line_.is_live()) {
    line_.show(describe_sweep_progress(progress));
    shown_done_ = progress.done;
    return;
  }
  const auto now = std::chrono::steady_clock::now();
  if (progress.done == progress.cells || now - last_line_ >= kPause) {
    print_note(describe_sweep_progress(progress) + "\n");
    shown_done_ = progress.done;
    last_line_ = now;
  }
}

void SweepPrinter::on_finished(const SweepSummary& summary) {
  if (!has_report_) {
    return;
  }
  const std::string problem = write_sweep_report(summary);
  if (!quiet_ && !problem.empty()) {
    line_.print_above(fmt::format("note: no sweep.svg: {}\n", problem));
  }
}

}  // namespace unroll::cli
