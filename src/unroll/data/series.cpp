#include <unroll/data/series.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

namespace unroll {
namespace {

/// How often each class is the target, over the symbols that baseline_of() looks at.
std::vector<std::int64_t> target_counts(const Series& series) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(series.num_classes));
  const auto count = [&](const std::vector<std::int64_t>& targets) {
    for (const std::int64_t target : targets) {
      ++counts.at(static_cast<std::size_t>(target));
    }
  };
  if (!series.file) {
    count(series.targets);
    return counts;
  }
  constexpr std::int64_t kPieceSymbols = std::int64_t{1} << 16;
  constexpr std::int64_t kMostPieces = 256;
  const std::int64_t all_pieces = (series.length() + kPieceSymbols - 1) / kPieceSymbols;
  const std::int64_t pieces = std::min(all_pieces, kMostPieces);
  std::vector<std::int64_t> inputs;
  std::vector<std::int64_t> targets;
  for (std::int64_t i = 0; i < pieces; ++i) {
    const std::int64_t first = i * all_pieces / pieces * kPieceSymbols;
    const std::int64_t symbols = std::min(kPieceSymbols, series.length() - first);
    inputs.resize(static_cast<std::size_t>(symbols));
    targets.resize(static_cast<std::size_t>(symbols));
    series.file->read(first, symbols, inputs.data(), targets.data());
    count(targets);
  }
  return counts;
}

}  // namespace

Series series_in(std::shared_ptr<const SeriesFile> file) {
  const std::int64_t num_classes = file->num_classes();
  return {.inputs = {}, .targets = {}, .num_classes = num_classes, .file = std::move(file)};
}

double baseline_of(const Series& series) {
  const std::vector<std::int64_t> counts = target_counts(series);
  double total = 0.0;
  for (const std::int64_t count : counts) {
    total += static_cast<double>(count);
  }
  double entropy = 0.0;
  for (const std::int64_t count : counts) {
    if (count > 0) {
      const double frequency = static_cast<double>(count) / total;
      entropy -= frequency * std::log(frequency);
    }
  }
  return entropy;
}

Series first_symbols(const Series& series, std::int64_t count) {
  if (count < 0 || count > series.length()) {
    throw std::out_of_range("more symbols than a series has");
  }
  Series first = {.inputs = {}, .targets = {}, .num_classes = series.num_classes};
  if (series.file) {
    first.inputs.resize(static_cast<std::size_t>(count));
    first.targets.resize(static_cast<std::size_t>(count));
    series.file->read(0, count, first.inputs.data(), first.targets.data());
  } else {
    first.inputs.assign(series.inputs.begin(), series.inputs.begin() + count);
    first.targets.assign(series.targets.begin(), series.targets.begin() + count);
  }
  return first;
}

}  // namespace unroll
