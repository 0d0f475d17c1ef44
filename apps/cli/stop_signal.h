// SIGINT and SIGTERM as a wish to stop.
#pragma once

#include <string_view>

namespace unroll::cli {

/// From here on, the first SIGINT or SIGTERM is noted and nothing else; a SIGINT after it ends the
/// program at once.
void catch_stop_signals();

/// The signal that was noted; 0 for none.
int stop_signal();

/// "SIGINT" or "SIGTERM".
const char* signal_name(int signal);

/// Empties the line of the terminal that the cursor is in.
constexpr std::string_view kEraseLine = "\r\x1b[K";

/// Says whether stderr shows an unfinished line, which is erased when a SIGINT ends the program.
void set_unfinished_line(bool is_there);

}  // namespace unroll::cli
