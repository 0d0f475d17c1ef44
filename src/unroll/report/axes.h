// The parts of a gnuplot script that pictures of losses share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace unroll {

/// The x axis, windows over all epochs, with faint lines where an epoch ends. Defines
/// trained(epoch, window), a row's place on it; trained_unit, what its numbers count; and
/// every_nth, of which so many rows one is drawn.
std::string window_axis(std::int64_t epochs, std::int64_t windows_per_epoch, std::size_t rows);

/// The step from tic to tic on an axis of this size, a 1, 2 or 5 before zeros: so that there are a
/// handful.
double tic_step(double size);

/// How gnuplot draws so many rows: a line, with points where there are few.
std::string line_style(std::size_t rows);

}  // namespace unroll
