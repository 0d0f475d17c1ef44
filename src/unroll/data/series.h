// One long series of symbols: what a process or a file gives, and what the windowed dataset cuts.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <unroll/data/series_file.h>

namespace unroll {

/// Inputs X_t and targets Y_t for t = 0 .. length-1, each a class index in [0, num_classes).
/// Both have the same length. 64-bit, as LibTorch's index operations want it, so that a tensor can
/// view the memory.
struct Series {
  std::vector<std::int64_t> inputs;
  std::vector<std::int64_t> targets;
  std::int64_t num_classes = 2;
  /// Where the symbols are of a series that is not in memory; inputs and targets are empty then.
  std::shared_ptr<const SeriesFile> file = nullptr;

  [[nodiscard]] std::int64_t length() const {
    return file ? file->length() : static_cast<std::int64_t>(inputs.size());
  }
};

/// A series whose symbols stay in their file.
Series series_in(std::shared_ptr<const SeriesFile> file);

/// What it costs to always guess the same, the frequencies of the series' targets: their entropy,
/// in nats a symbol. A long series in a file is sampled, at places that depend on its length alone:
/// of more than 2^24 symbols, 256 pieces of 2^16 each.
/// @throws what SeriesFile::read throws
double baseline_of(const Series& series);

/// The first `count` symbols, in memory.
/// @throws std::out_of_range; what SeriesFile::read throws
Series first_symbols(const Series& series, std::int64_t count);

}  // namespace unroll
