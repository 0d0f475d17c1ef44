#include <unroll/data/options.h>

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include <unroll/base/check.h>
#include <unroll/base/error.h>

namespace unroll {
namespace {

/// "; --batch-size 3 --num-steps 10 would fit": the same windows in fewer rows, or if the series is
/// shorter than one window, all of it as one. Nothing fits an empty series.
std::string sizes_that_fit(const WindowOptions& asked, std::int64_t series_length) {
  if (series_length < 1) {
    return "";
  }
  const std::int64_t num_steps = std::min(asked.num_steps, series_length);
  return fmt::format("; --batch-size {} --num-steps {} would fit", series_length / num_steps,
                     num_steps);
}

}  // namespace

void SeriesOptions::validate() const { check_at_least("series_length", series_length, 1); }

void WindowOptions::validate() const {
  check_at_least("batch_size", batch_size, 1);
  check_at_least("num_steps", num_steps, 1);
}

void WindowOptions::validate_for(std::int64_t series_length) const {
  validate();
  if (batch_size > series_length) {
    throw InvalidOption(
        "batch_size", fmt::format("must be at most the series' {} symbols, got {}{}", series_length,
                                  batch_size, sizes_that_fit(*this, series_length)));
  }
  const std::int64_t row_length = series_length / batch_size;
  if (num_steps > row_length) {
    throw InvalidOption(
        "num_steps",
        fmt::format("must be at most {}, the length of a row ({} symbols in {} rows), got {}{}",
                    row_length, series_length, batch_size, num_steps,
                    sizes_that_fit(*this, series_length)));
  }
}

}  // namespace unroll
