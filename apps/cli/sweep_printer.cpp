#include "cli/sweep_printer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <unroll/report/sweep_report.h>
#include <unroll/report/sweep_text.h>

#include "cli/app.h"

namespace unroll::cli {
namespace {

constexpr const char* kClearLine = "\r\033[K";

}  // namespace

SweepPrinter::SweepPrinter(bool quiet, bool has_report)
    : quiet_(quiet), has_report_(has_report), is_terminal_(::isatty(STDERR_FILENO) != 0) {}

SweepPrinter::~SweepPrinter() { clear_line(); }

void SweepPrinter::on_start(const SweepStart& start) {
  if (!quiet_) {
    print_note(describe_sweep_start(start));
  }
  last_line_ = std::chrono::steady_clock::now();
}

void SweepPrinter::on_progress(const SweepProgress& progress) {
  constexpr std::chrono::seconds kPause(5);  // where lines stay
  const auto now = std::chrono::steady_clock::now();
  const bool is_last = progress.done == progress.cells;
  if (quiet_ || progress.done == last_done_ ||
      (!is_terminal_ && !is_last && now - last_line_ < kPause)) {
    return;
  }
  last_done_ = progress.done;
  last_line_ = now;
  const std::string line = describe_sweep_progress(progress);
  print_note(is_terminal_ ? kClearLine + line : line + "\n");
  has_line_ = is_terminal_;
}

void SweepPrinter::on_finished(const SweepSummary& summary) {
  clear_line();
  if (!has_report_) {
    return;
  }
  const std::string problem = write_sweep_report(summary);
  if (!quiet_ && !problem.empty()) {
    print_note(fmt::format("note: no sweep.svg: {}\n", problem));
  }
}

void SweepPrinter::clear_line() {
  if (has_line_) {
    print_note(kClearLine);
    has_line_ = false;
  }
}

}  // namespace unroll::cli
