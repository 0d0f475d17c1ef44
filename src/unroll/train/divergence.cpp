#include <unroll/train/divergence.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <unroll/base/error.h>

namespace unroll {

void DivergenceGuard::check(double loss, std::int64_t symbols, TrainingProgress& progress) const {
  if (progress.windows == 1) {
    progress.first_loss = loss;
    progress.recent_loss = std::max(loss, baseline_);
  }
  if (std::isfinite(loss)) {
    progress.recent_loss +=
        (loss - progress.recent_loss) / static_cast<double>(recent_windows(symbols));
    if (progress.recent_loss <= bound(progress)) {
      return;
    }
  }
  throw DivergenceError(fmt::format(
      "the loss is {:.5g} at window {} of epoch {}; guessing costs {:.4f}; try a smaller "
      "learning rate",
      loss, progress.window, progress.epoch, baseline_));
}

double DivergenceGuard::bound(const TrainingProgress& progress) const {
  constexpr double kBaselines = 3.25;
  constexpr double kFirstLosses = 2.0;
  return std::max(kBaselines * baseline_, kFirstLosses * progress.first_loss);
}

std::int64_t DivergenceGuard::recent_windows(std::int64_t symbols) {
  constexpr std::int64_t kLeastWindows = 100;
  constexpr std::int64_t kLeastSymbols = 10'000;
  return std::max(kLeastWindows, kLeastSymbols / symbols);
}

}  // namespace unroll
