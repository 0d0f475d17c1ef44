// One long series of symbols: what a process or a file gives, and what the windowed dataset cuts.
#pragma once

#include <cstdint>
#include <vector>

namespace unroll {

/// Inputs X_t and targets Y_t for t = 0 .. length-1, each a class index in [0, num_classes).
/// Both have the same length. 64-bit, as LibTorch's index operations want it, so that a tensor can
/// view the memory.
struct Series {
  std::vector<std::int64_t> inputs;
  std::vector<std::int64_t> targets;
  std::int64_t num_classes = 2;

  [[nodiscard]] std::int64_t length() const { return static_cast<std::int64_t>(inputs.size()); }
};

}  // namespace unroll
