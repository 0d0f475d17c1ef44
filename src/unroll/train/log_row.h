// What the trainer says while it works.
#pragma once

#include <cstdint>

namespace unroll {

/// What is known after every log_every windows, and after a shorter rest at an epoch's end.
struct LogRow {
  std::int64_t epoch;              ///< from 1
  std::int64_t window;             ///< windows done in this epoch
  std::int64_t windows_per_epoch;  ///< of how many
  double mean_loss;                ///< over the windows since the row before, in nats
  double epoch_mean_loss;          ///< over this epoch's windows so far, in nats
  double train_seconds;            ///< time spent training so far, without the data's
};

}  // namespace unroll
