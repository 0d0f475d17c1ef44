// The rule that tells a training that has exploded from one on its way.
#pragma once

#include <cstdint>

#include <unroll/train/progress.h>

namespace unroll {

/// Stops a training whose losses explode, whether they become infinite or not: tanh saturates, so
/// the losses of a training that has exploded often stay finite, at many times what guessing costs.
///
/// A training has exploded if its recent loss is above both
///   - 3.25 times the baseline, which is what always guessing the targets' frequencies costs, and
///   - twice the first window's loss, which no update can be blamed for.
/// The recent loss is an exponential mean over 100 windows or 10,000 symbols, whichever is more.
///
/// Measured on the tutorial's task (T 1 to 50, H 2 to 256): a training that ends below the baseline
/// stays below 1.9 times it. At learning rates 1.5 and 2, where the default network learns nothing,
/// 24 runs reach 3.05 times at most. Trainings that explode (a series of 1,000 coin flips at rates
/// 5 to 1e30, text at rate 1) go above 3.5 times.
class DivergenceGuard {
 public:
  /// `baseline` in nats a symbol.
  explicit DivergenceGuard(double baseline) : baseline_(baseline) {}

  /// Takes the loss of the window that `progress` has just counted, of `symbols` symbols, into its
  /// running mean.
  /// @throws DivergenceError that names the window, the loss and the baseline
  void check(double loss, std::int64_t symbols, TrainingProgress& progress) const;

  /// Whether a training is halfway to where it is stopped: weights from here on are not worth going
  /// on from, if it is stopped later.
  [[nodiscard]] bool is_exploding(const TrainingProgress& progress) const {
    return 2.0 * progress.recent_loss > bound(progress);
  }

  /// The windows that the running mean is over.
  [[nodiscard]] static std::int64_t recent_windows(std::int64_t symbols);

 private:
  [[nodiscard]] double bound(const TrainingProgress& progress) const;

  double baseline_;
};

}  // namespace unroll
