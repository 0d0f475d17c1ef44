// The rule that tells a training that has exploded from one on its way.
#pragma once

#include <cstdint>

#include <unroll/train/progress.h>

namespace unroll {

/// Stops a training that explodes, whether its losses become infinite or not. tanh saturates, so
/// they often stay finite, at many times what guessing costs.
///
/// A training has exploded if its recent loss is above both
///   - 3.25 times the baseline, which is what always guessing the targets' frequencies costs, and
///   - twice the first window's loss, which was measured before any update.
/// The recent loss is an exponential mean over 100 windows or 10,000 symbols, whichever is more.
///
/// Measured, as multiples of the baseline: trainings that end below the baseline stay below 1.9
/// (the tutorial's network at rates up to 1; at its rate with T 1 to 50 or H 2 to 256; coin flips;
/// text at rates up to 0.6). At rates 1.5 and 2 the tutorial's network learns nothing, and 24 of
/// its runs stay below 3.1. Coin flips at rates from 3 on, and text at rate 1, exceed 3.25 with
/// every seed tried.
///
/// Not covered: a training too short for the mean to rise, and a trained, confident network whose
/// data change, which may be stopped although it learns.
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
