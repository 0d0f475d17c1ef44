#include <unroll/train/trainer.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace unroll {
namespace {

/// Adds the time it lives to a sum of seconds.
class Stopwatch {
 public:
  explicit Stopwatch(double& seconds)
      : seconds_(seconds), start_(std::chrono::steady_clock::now()) {}
  ~Stopwatch() {
    seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  double& seconds_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace

Trainer::Trainer(Engine& engine, const TrainerOptions& options, double baseline, LogCallback log)
    : Trainer(engine, options, baseline, std::move(log), {}) {}

Trainer::Trainer(Engine& engine, const TrainerOptions& options, double baseline, LogCallback log,
                 TrainingStart start)
    : engine_(engine),
      options_(options),
      guard_(baseline),
      log_(std::move(log)),
      progress_(start.progress),
      state_(std::move(start.state)),
      train_seconds_(start.train_seconds) {
  options.validate();
}

void Trainer::begin_epoch(const WindowDataset& windows) {
  windows_ = &windows;
  state_ = engine_.initial_state(windows.batch_size());
  ++progress_.epoch;
  progress_.window = 0;
  progress_.windows_per_epoch = windows.window_count();
  progress_.epoch_sum = 0.0;
}

std::int64_t Trainer::windows_left() const {
  return progress_.windows_per_epoch - progress_.window;
}

std::vector<double> Trainer::advance(std::int64_t count) {
  // A row that was begun with a larger log_every may be full already.
  const std::int64_t row_left =
      std::max<std::int64_t>(options_.log_every - progress_.row_windows, 1);
  const WindowRange range = {.first = progress_.window,
                             .count = std::min({count, row_left, windows_left(),
                                                windows_->left_in_block(progress_.window)})};
  std::vector<double> losses(static_cast<std::size_t>(range.count));
  {
    const Stopwatch stopwatch(train_seconds_);
    Advance advance = engine_.advance(*windows_, range, std::move(state_));
    const torch::Tensor on_host = advance.losses.to(torch::kCPU, torch::kFloat64);
    std::copy_n(on_host.const_data_ptr<double>(), losses.size(), losses.begin());
    state_ = std::move(advance.state);
  }
  const std::int64_t symbols = windows_->batch_size() * windows_->num_steps();
  for (const double loss : losses) {
    ++progress_.window;
    ++progress_.windows;
    guard_.check(loss, symbols, progress_);
    progress_.row_sum += loss;
    progress_.epoch_sum += loss;
  }
  progress_.row_windows += range.count;
  if (progress_.row_windows >= options_.log_every || windows_left() == 0) {
    log_row();
  }
  return losses;
}

void Trainer::log_row() {
  progress_.final_loss = progress_.row_sum / static_cast<double>(progress_.row_windows);
  progress_.last_epoch_loss = progress_.epoch_sum / static_cast<double>(progress_.window);
  progress_.row_sum = 0.0;
  progress_.row_windows = 0;
  log_({.epoch = progress_.epoch,
        .window = progress_.window,
        .windows_per_epoch = progress_.windows_per_epoch,
        .mean_loss = progress_.final_loss,
        .epoch_mean_loss = progress_.last_epoch_loss,
        .train_seconds = train_seconds_});
}

TrainingResult train(Trainer& trainer, SeriesSource& source, const WindowOptions& window_options,
                     std::int64_t epochs, torch::Device device, const std::function<bool()>& step) {
  double data_seconds = 0.0;
  bool goes_on = true;
  const auto run_epoch = [&](const auto& enter) {
    const WindowDataset windows = [&] {
      const Stopwatch stopwatch(data_seconds);
      return WindowDataset(source.next(), window_options, device);
    }();
    enter(windows);
    while (goes_on && trainer.windows_left() > 0) {
      goes_on = step();
    }
  };
  if (trainer.progress().is_within_epoch()) {
    run_epoch([&](const WindowDataset& windows) { trainer.continue_epoch(windows); });
  }
  while (goes_on && trainer.progress().epoch < epochs) {
    run_epoch([&](const WindowDataset& windows) { trainer.begin_epoch(windows); });
  }
  return {.progress = trainer.progress(),
          .data_seconds = data_seconds,
          .train_seconds = trainer.train_seconds()};
}

TrainingResult train(Engine& engine, SeriesSource& source, const WindowOptions& window_options,
                     const TrainerOptions& options, torch::Device device,
                     const Trainer::LogCallback& log) {
  Trainer trainer(engine, options, source.baseline(), log);
  return train(trainer, source, window_options, options.epochs, device, [&] {
    trainer.advance(options.log_every);
    return true;
  });
}

}  // namespace unroll
