// SIGINT and SIGTERM as a wish to stop.
#pragma once

namespace unroll::cli {

/// From here on, the first SIGINT or SIGTERM is noted and nothing else; a SIGINT after it ends the
/// program at once.
void catch_stop_signals();

/// The signal that was noted; 0 for none.
int stop_signal();

}  // namespace unroll::cli
