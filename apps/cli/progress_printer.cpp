#include "cli/progress_printer.h"

#include <unroll/report/text.h>

#include "cli/app.h"

namespace unroll::cli {

void ProgressPrinter::on_start(const RunStart& start) {
  start_ = start;
  if (!quiet_) {
    print_note(describe_start(start));
  }
}

void ProgressPrinter::on_row(const LogRow& row) {
  constexpr std::chrono::milliseconds kPause(500);
  const auto now = std::chrono::steady_clock::now();
  const bool is_edge = row.epoch != last_epoch_ || row.window == row.windows_per_epoch;
  if (!quiet_ && (is_edge || now - last_line_ >= kPause)) {
    print_note(describe_row(*start_, row));
    last_line_ = now;
  }
  last_epoch_ = row.epoch;
}

}  // namespace unroll::cli
