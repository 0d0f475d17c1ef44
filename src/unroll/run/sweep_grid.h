// The cells of a sweep: every combination of a few hyper-parameters, and which of them a machine
// trains.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace unroll {

/// One training of a sweep.
struct SweepCell {
  std::int64_t num_steps = 0;
  std::int64_t hidden_size = 0;
  double learning_rate = 0.0;
  std::int64_t seed = 0;

  bool operator==(const SweepCell&) const = default;
};

/// The values that are combined.
struct SweepGrid {
  std::vector<std::int64_t> num_steps = {1, 2, 3, 5, 8, 10, 15};
  std::vector<std::int64_t> hidden_size = {2, 4, 8, 16};
  std::vector<double> learning_rate = {0.2};
  /// How many seeds each combination is trained with: 0, 1, .. seeds - 1.
  std::int64_t seeds = 5;

  bool operator==(const SweepGrid&) const = default;

  /// Every list in ascending order: the same values are the same grid.
  void sort();

  /// @throws InvalidOption if a list is empty or has a value twice, seeds is below 1, or there are
  /// more than a million cells
  void validate() const;

  /// Every cell: the seed goes fastest, then learning_rate, hidden_size, num_steps.
  [[nodiscard]] std::vector<SweepCell> cells() const;
};

/// The part of a sweep that one process does: of the grid's cells those whose place, from 0, is
/// index - 1 modulo count. The default is the whole.
struct Shard {
  std::int64_t index = 1;
  std::int64_t count = 1;

  /// @throws InvalidOption if index is not from 1 to count
  void validate() const;

  [[nodiscard]] bool is_whole() const { return count == 1; }

  [[nodiscard]] bool has(std::size_t place) const {
    return static_cast<std::int64_t>(place) % count == index - 1;
  }
};

/// "num_steps 5, hidden_size 16, learning_rate 0.2, seed 3".
std::string describe_cell(const SweepCell& cell);

}  // namespace unroll
