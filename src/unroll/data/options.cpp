#include <unroll/data/options.h>

#include <fmt/format.h>

#include <unroll/base/check.h>
#include <unroll/base/error.h>

namespace unroll {

void SeriesOptions::validate() const { check_at_least("series_length", series_length, 1); }

void WindowOptions::validate() const {
  check_at_least("batch_size", batch_size, 1);
  check_at_least("num_steps", num_steps, 1);
}

void WindowOptions::validate_for(std::int64_t series_length) const {
  validate();
  if (batch_size > series_length) {
    throw InvalidOption("batch_size", fmt::format("must be at most the series' {} symbols, got {}",
                                                  series_length, batch_size));
  }
  const std::int64_t row_length = series_length / batch_size;
  if (num_steps > row_length) {
    throw InvalidOption(
        "num_steps",
        fmt::format("must be at most {}, the length of a row ({} symbols in {} rows), got {}",
                    row_length, series_length, batch_size, num_steps));
  }
}

}  // namespace unroll
