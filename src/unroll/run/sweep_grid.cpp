#include <unroll/run/sweep_grid.h>

#include <fmt/format.h>

#include <algorithm>

#include <unroll/base/check.h>
#include <unroll/base/error.h>

namespace unroll {
namespace {

constexpr std::int64_t kMostCells = 1'000'000;

template <class Number>
void check_list(const char* option, const std::vector<Number>& values) {
  if (values.empty()) {
    throw InvalidOption(option, "must have at least one value");
  }
  std::vector<Number> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  if (const auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end()) {
    throw InvalidOption(option, fmt::format("must have each value once, got {} twice", *twice));
  }
}

/// Whether the product of the sizes is above kMostCells.
bool is_too_large(const std::vector<std::int64_t>& sizes) {
  std::int64_t cells = 1;
  for (const std::int64_t size : sizes) {
    if (size > kMostCells / cells) {
      return true;
    }
    cells *= size;
  }
  return false;
}

}  // namespace

void SweepGrid::sort() {
  std::sort(num_steps.begin(), num_steps.end());
  std::sort(hidden_size.begin(), hidden_size.end());
  std::sort(learning_rate.begin(), learning_rate.end());
}

void SweepGrid::validate() const {
  check_list("num_steps", num_steps);
  check_list("hidden_size", hidden_size);
  check_list("learning_rate", learning_rate);
  check_at_least("seeds", seeds, 1);
  if (is_too_large(
          {std::ssize(num_steps), std::ssize(hidden_size), std::ssize(learning_rate), seeds})) {
    throw InvalidOption(
        "seeds", fmt::format("must leave at most {} cells, got {} for {} x {} x {}", kMostCells,
                             seeds, num_steps.size(), hidden_size.size(), learning_rate.size()));
  }
}

std::vector<SweepCell> SweepGrid::cells() const {
  std::vector<SweepCell> cells;
  cells.reserve(num_steps.size() * hidden_size.size() * learning_rate.size() *
                static_cast<std::size_t>(seeds));
  for (const std::int64_t steps : num_steps) {
    for (const std::int64_t units : hidden_size) {
      for (const double rate : learning_rate) {
        for (std::int64_t seed = 0; seed < seeds; ++seed) {
          cells.push_back(
              {.num_steps = steps, .hidden_size = units, .learning_rate = rate, .seed = seed});
        }
      }
    }
  }
  return cells;
}

void Shard::validate() const {
  if (index < 1 || index > count) {
    throw InvalidOption("shard",
                        fmt::format("must be I/N with I from 1 to N, got {}/{}", index, count));
  }
}

std::string describe_cell(const SweepCell& cell) {
  return fmt::format("num_steps {}, hidden_size {}, learning_rate {}, seed {}", cell.num_steps,
                     cell.hidden_size, cell.learning_rate, cell.seed);
}

}  // namespace unroll
