#include <unroll/train/trainer.h>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include <unroll/base/error.h>

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

Trainer::Trainer(Engine& engine, const TrainerOptions& options, LogCallback log)
    : engine_(engine), options_(options), log_(std::move(log)) {
  options.validate();
}

void Trainer::begin_epoch(const WindowDataset& windows) {
  windows_ = &windows;
  state_ = engine_.initial_state(windows.batch_size());
  ++epoch_;
  window_ = 0;
  epoch_sum_ = 0.0;
}

std::int64_t Trainer::windows_left() const {
  return windows_ == nullptr ? 0 : windows_->window_count() - window_;
}

std::vector<double> Trainer::advance(std::int64_t count) {
  const WindowRange range = {
      .first = window_,
      .count = std::min({count, options_.log_every - row_windows_, windows_left()})};
  std::vector<double> losses(static_cast<std::size_t>(range.count));
  {
    const Stopwatch stopwatch(result_.train_seconds);
    Advance advance = engine_.advance(*windows_, range, std::move(state_));
    const torch::Tensor on_host = advance.losses.to(torch::kCPU, torch::kFloat64);
    std::copy_n(on_host.const_data_ptr<double>(), losses.size(), losses.begin());
    state_ = std::move(advance.state);
  }
  for (const double loss : losses) {
    ++window_;
    if (!std::isfinite(loss)) {
      throw DivergenceError(
          fmt::format("the loss is {} at window {} of epoch {}; try a smaller learning rate", loss,
                      window_, epoch_));
    }
    row_sum_ += loss;
    epoch_sum_ += loss;
  }
  row_windows_ += range.count;
  result_.windows += range.count;
  if (row_windows_ == options_.log_every || windows_left() == 0) {
    log_row();
  }
  return losses;
}

void Trainer::log_row() {
  result_.final_loss = row_sum_ / static_cast<double>(row_windows_);
  result_.last_epoch_loss = epoch_sum_ / static_cast<double>(window_);
  log_({.epoch = epoch_,
        .window = window_,
        .windows_per_epoch = windows_->window_count(),
        .mean_loss = result_.final_loss,
        .epoch_mean_loss = result_.last_epoch_loss,
        .train_seconds = result_.train_seconds});
  row_sum_ = 0.0;
  row_windows_ = 0;
}

TrainingResult train(Engine& engine, SeriesSource& source, const WindowOptions& window_options,
                     const TrainerOptions& options, torch::Device device,
                     const Trainer::LogCallback& log) {
  Trainer trainer(engine, options, log);
  double data_seconds = 0.0;
  for (std::int64_t epoch = 1; epoch <= options.epochs; ++epoch) {
    const WindowDataset windows = [&] {
      const Stopwatch stopwatch(data_seconds);
      return WindowDataset(source.next(), window_options, device);
    }();
    trainer.begin_epoch(windows);
    while (trainer.windows_left() > 0) {
      trainer.advance(options.log_every);
    }
  }
  TrainingResult result = trainer.result();
  result.data_seconds = data_seconds;
  return result;
}

}  // namespace unroll
