// The one training loop, whatever the model, the engine and the device.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <vector>

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
  double data_seconds = 0.0;   ///< waiting for the series and cutting their windows
  double train_seconds = 0.0;  ///< training on them
};

/// The one training loop, a stretch at a time, so that it can be interleaved with others.
class Trainer {
 public:
  using LogCallback = std::function<void(const LogRow&)>;

  /// Calls `log` after every options.log_every windows, and after a shorter rest at an epoch's end.
  /// @throws InvalidOption if an option is out of range
  Trainer(Engine& engine, const TrainerOptions& options, LogCallback log);

  /// Begins the next epoch on these windows, from a zero state. They must live until the epoch's
  /// end.
  void begin_epoch(const WindowDataset& windows);

  /// Windows left in this epoch.
  [[nodiscard]] std::int64_t windows_left() const;

  /// Trains on the next `count` windows, at most to the end of the row and of the epoch, and gives
  /// their losses in nats. The losses are read back from the device once.
  /// @throws DivergenceError at the first window whose loss is not finite; and what the log
  /// callback throws
  std::vector<double> advance(std::int64_t count);

  /// What the training has come to so far.
  [[nodiscard]] const TrainingResult& result() const { return result_; }

 private:
  void log_row();

  Engine& engine_;
  TrainerOptions options_;
  LogCallback log_;
  const WindowDataset* windows_ = nullptr;
  torch::Tensor state_;      // [B, H]
  std::int64_t epoch_ = 0;   // from 1
  std::int64_t window_ = 0;  // windows done in this epoch
  std::int64_t row_windows_ = 0;
  double row_sum_ = 0.0;
  double epoch_sum_ = 0.0;
  TrainingResult result_;
};

/// Trains for options.epochs, each on the source's next series, from a zero state; calls `log` for
/// every row.
/// @throws what Trainer throws, and InvalidOption if the series holds no window
TrainingResult train(Engine& engine, SeriesSource& source, const WindowOptions& window_options,
                     const TrainerOptions& options, torch::Device device,
                     const Trainer::LogCallback& log);

}  // namespace unroll
