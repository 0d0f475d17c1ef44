// The sizes of a training step.
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

}  // namespace unroll::kernels
