// Where a run is, in one line that is written over and over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace unroll {

/// What the line tells.
struct LiveStatus {
  std::int64_t epoch;           ///< from 1
  std::int64_t epochs;          ///< of how many
  std::int64_t windows;         ///< trained, over all epochs
  std::int64_t total_windows;   ///< of how many, at least 1
  std::int64_t windows_here;    ///< of those trained, by this process
  double seconds_here;          ///< that this process took for them, its waiting for data included
  double mean_loss;             ///< over this epoch's windows so far, in nats
  std::optional<double> floor;  ///< that it is heading for; unknown for a user's own series
};

/// How the line may look.
struct LiveStyle {
  std::size_t width;  ///< columns, of which the line takes no more
  bool colour;        ///< whether there may be colour codes, which take no column
};

/// Bar, part done, epoch, windows per second, time left, mean loss and its distance to the floor.
/// What does not fit is left out, and the part done goes last: only below 4 columns there is
/// nothing. No line end.
std::string describe_live(const LiveStatus& status, const LiveStyle& style);

}  // namespace unroll
