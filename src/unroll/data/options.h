// What can be chosen about the data, with the tutorial's values as defaults.
#pragma once

#include <cstdint>

namespace unroll {

struct SeriesOptions {
  /// Symbols in an epoch's series, N.
  std::int64_t series_length = 1'000'000;

  /// @throws InvalidOption if series_length is below 1.
  void validate() const;
};

struct WindowOptions {
  /// Contiguous rows that the series is cut into, B. They train side by side, each with a state of
  /// its own.
  std::int64_t batch_size = 3;
  /// Steps of a window, T: how far back a gradient can reach.
  std::int64_t num_steps = 10;

  /// @throws InvalidOption if a size is below 1.
  void validate() const;

  /// Whether a series of this length holds one window at least.
  /// @throws InvalidOption if the batch is larger than the series, or a window longer than a row;
  /// it names sizes that fit.
  void validate_for(std::int64_t series_length) const;

  /// Windows in a series of this length: each of the batch_size rows has series_length / batch_size
  /// symbols, and (series_length / batch_size) / num_steps windows. Both remainders are dropped.
  [[nodiscard]] std::int64_t window_count(std::int64_t series_length) const {
    return series_length / batch_size / num_steps;
  }

  /// Symbols in a series of this length that fill no window.
  [[nodiscard]] std::int64_t unused_symbols(std::int64_t series_length) const {
    return series_length - window_count(series_length) * batch_size * num_steps;
  }
};

}  // namespace unroll
