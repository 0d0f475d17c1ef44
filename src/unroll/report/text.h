// What a run says to people, as text: the lines while it trains and the table at its end.
#pragma once

#include <string>
#include <vector>

#include <unroll/run/summary.h>
#include <unroll/run/training_run.h>
#include <unroll/run/verification.h>
#include <unroll/train/log_row.h>

namespace unroll {

/// A few lines on what is about to be trained, on what, and where the results go.
std::string describe_start(const RunStart& start);

/// One line on where the training is: epoch, windows done of how many, mean loss in nats, the floor
/// it is heading for (for a user's own series none is known) and speed.
std::string describe_row(const RunStart& start, const LogRow& row);

/// What --verify found: a line a file, and what to do.
std::string describe_checks(const std::vector<FileCheck>& checks);

/// The table of what was reached against the floors.
std::string describe_result(const Summary& summary);

}  // namespace unroll
