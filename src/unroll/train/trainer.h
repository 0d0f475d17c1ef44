// The one training loop, whatever the model, the engine and the device.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <vector>

#include <unroll/data/series_source.h>
#include <unroll/train/divergence.h>
#include <unroll/train/engine.h>
#include <unroll/train/log_row.h>
#include <unroll/train/options.h>
#include <unroll/train/progress.h>

namespace unroll {

/// What a whole training came to.
struct TrainingResult {
  TrainingProgress progress;
  double data_seconds = 0.0;   ///< waiting for the series and cutting their windows
  double train_seconds = 0.0;  ///< training on them
};

/// Where a training goes on.
struct TrainingStart {
  TrainingProgress progress;
  torch::Tensor state;         ///< [B, H], that the last window left
  double train_seconds = 0.0;  ///< spent so far
};

/// The one training loop, a stretch at a time, so that it can be interleaved with others.
class Trainer {
 public:
  using LogCallback = std::function<void(const LogRow&)>;

  /// Calls `log` after every options.log_every windows, and after a shorter rest at an epoch's end.
  /// `baseline` is what guessing costs, SeriesSource::baseline().
  /// @throws InvalidOption if an option is out of range
  Trainer(Engine& engine, const TrainerOptions& options, double baseline, LogCallback log);
  /// Goes on from where another trainer stood.
  Trainer(Engine& engine, const TrainerOptions& options, double baseline, LogCallback log,
          TrainingStart start);

  /// Begins the next epoch on these windows, from a zero state. They must live until the epoch's
  /// end.
  void begin_epoch(const WindowDataset& windows);

  /// Goes on in an epoch that another trainer has begun, on the same windows.
  void continue_epoch(const WindowDataset& windows) { windows_ = &windows; }

  /// Windows left in this epoch.
  [[nodiscard]] std::int64_t windows_left() const;

  /// Trains on the next `count` windows, at most to the end of the row and of the epoch and on a
  /// block of the dataset's, and gives their losses in nats. The losses are read back from the
  /// device once.
  /// @throws DivergenceError at the window where DivergenceGuard sees an explosion; and what the
  /// log callback throws
  std::vector<double> advance(std::int64_t count);

  [[nodiscard]] const TrainingProgress& progress() const { return progress_; }

  /// The hidden state [B, H] that the last window left.
  [[nodiscard]] const torch::Tensor& state() const { return state_; }

  /// Time spent training.
  [[nodiscard]] double train_seconds() const { return train_seconds_; }

 private:
  void log_row();

  Engine& engine_;
  TrainerOptions options_;
  DivergenceGuard guard_;
  LogCallback log_;
  const WindowDataset* windows_ = nullptr;
  TrainingProgress progress_;
  torch::Tensor state_;  // [B, H]
  double train_seconds_ = 0.0;
};

/// Takes `trainer` on to the end of `epochs`, each on the source's next series: the first on that
/// of the epoch that the trainer is in, if it is in the middle of one. `step` advances the trainer
/// by some windows, and says whether to go on.
/// @throws what Trainer and `step` throw, and InvalidOption if the series holds no window
TrainingResult train(Trainer& trainer, SeriesSource& source, const WindowOptions& window_options,
                     std::int64_t epochs, torch::Device device, const std::function<bool()>& step);

/// Trains for options.epochs, each on the source's next series, from a zero state; calls `log` for
/// every row.
/// @throws what Trainer throws, and InvalidOption if the series holds no window
TrainingResult train(Engine& engine, SeriesSource& source, const WindowOptions& window_options,
                     const TrainerOptions& options, torch::Device device,
                     const Trainer::LogCallback& log);

}  // namespace unroll
