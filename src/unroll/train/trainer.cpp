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

/// Sums a row's losses, read back from the device at once.
double sum_losses(const torch::Tensor& losses, std::int64_t epoch, std::int64_t first_window) {
  const torch::Tensor on_host = losses.to(torch::kCPU, torch::kFloat64);
  const auto* values = on_host.const_data_ptr<double>();
  double sum = 0.0;
  for (std::int64_t i = 0; i < on_host.numel(); ++i) {
    if (!std::isfinite(values[i])) {
      throw DivergenceError(
          fmt::format("the loss is {} at window {} of epoch {}; try a smaller learning rate",
                      values[i], first_window + i + 1, epoch));
    }
    sum += values[i];
  }
  return sum;
}

}  // namespace

TrainingResult train(Engine& engine, SeriesSource& source, const WindowOptions& window_options,
                     const TrainerOptions& options, torch::Device device,
                     const std::function<void(const LogRow&)>& log) {
  options.validate();
  TrainingResult result;
  for (std::int64_t epoch = 1; epoch <= options.epochs; ++epoch) {
    const WindowDataset windows = [&] {
      const Stopwatch stopwatch(result.data_seconds);
      return WindowDataset(source.next(), window_options, device);
    }();
    const std::int64_t window_count = windows.window_count();
    torch::Tensor state = engine.initial_state(window_options.batch_size);
    double epoch_sum = 0.0;
    for (std::int64_t done = 0; done < window_count;) {
      const WindowRange range = {.first = done,
                                 .count = std::min(options.log_every, window_count - done)};
      double row_sum = 0.0;
      {
        const Stopwatch stopwatch(result.train_seconds);
        Advance advance = engine.advance(windows, range, std::move(state));
        row_sum = sum_losses(advance.losses, epoch, range.first);
        state = std::move(advance.state);
      }
      done += range.count;
      epoch_sum += row_sum;
      result.windows += range.count;
      result.final_loss = row_sum / static_cast<double>(range.count);
      result.last_epoch_loss = epoch_sum / static_cast<double>(done);
      log({.epoch = epoch,
           .window = done,
           .windows_per_epoch = window_count,
           .mean_loss = result.final_loss,
           .epoch_mean_loss = result.last_epoch_loss,
           .train_seconds = result.train_seconds});
    }
  }
  return result;
}

}  // namespace unroll
