// The sizes of a training step, and how threads share it.
#pragma once

#include <cstdint>

namespace unroll::kernels {

/// Axes, as everywhere: B batch, T steps of a window, C classes, H hidden units. A window has P = T
/// * B positions; position p = t * B + b is step t of row b.
struct StepShape {
  std::int64_t batch_size;   ///< B
  std::int64_t num_steps;    ///< T
  std::int64_t num_classes;  ///< C, at least 1
  std::int64_t hidden_size;  ///< H

  [[nodiscard]] std::int64_t positions() const { return num_steps * batch_size; }

  bool operator==(const StepShape&) const = default;
};

/// The numbers from first to end - 1.
struct Range {
  std::int64_t first;
  std::int64_t end;

  [[nodiscard]] std::int64_t size() const { return end - first; }
};

/// A thread's part of a pass: the index-th of `count` nearly equal ones.
struct Share {
  std::int64_t index = 0;
  std::int64_t count = 1;

  /// Of the numbers from 0 to total - 1.
  [[nodiscard]] Range of(std::int64_t total) const {
    return {.first = total * index / count, .end = total * (index + 1) / count};
  }
};

}  // namespace unroll::kernels
