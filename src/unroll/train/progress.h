// How far a training has come.
#pragma once

#include <cstdint>

namespace unroll {

/// With the weights, the optimizer's state and the hidden state it is all that a training needs to
/// go on as if it had not stopped.
struct TrainingProgress {
  std::int64_t epoch = 0;   ///< from 1; 0 before the first
  std::int64_t window = 0;  ///< windows done in this epoch
  std::int64_t windows_per_epoch = 0;
  std::int64_t windows = 0;      ///< windows trained, over all epochs
  std::int64_t row_windows = 0;  ///< of which since the last log row
  double row_sum = 0.0;          ///< the sum of their losses
  double epoch_sum = 0.0;        ///< the sum of this epoch's losses
  double final_loss = 0.0;       ///< the last row's mean_loss
  double last_epoch_loss = 0.0;  ///< this epoch's mean loss at the last row
  double first_loss = 0.0;       ///< the first window's, before any update
  double recent_loss = 0.0;      ///< a running mean of the last losses, see divergence.h

  [[nodiscard]] bool is_within_epoch() const { return window < windows_per_epoch; }
};

}  // namespace unroll
