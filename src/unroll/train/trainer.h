// The one training loop, whatever the model, the engine and the device.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>

#include <unroll/data/series_source.h>
#include <unroll/train/engine.h>
#include <unroll/train/log_row.h>
#include <unroll/train/options.h>

namespace unroll {

/// What a whole training came to.
struct TrainingResult {
  std::int64_t windows = 0;    ///< windows trained, over all epochs
  double final_loss = 0.0;     ///< the last row's mean_loss
  double last_epoch_loss = 0;  ///< the mean over the last epoch's windows
  double data_seconds = 0.0;   ///< making the series and their windows
  double train_seconds = 0.0;  ///< training on them
};

/// Trains for options.epochs, each on the source's next series, from a zero state; calls `log` for
/// every row.
/// @throws InvalidOption if an option is out of range or the series holds no window;
///         DivergenceError at the first window whose loss is not finite; and what `log` throws.
TrainingResult train(Engine& engine, SeriesSource& source, const WindowOptions& window_options,
                     const TrainerOptions& options, torch::Device device,
                     const std::function<void(const LogRow&)>& log);

}  // namespace unroll
