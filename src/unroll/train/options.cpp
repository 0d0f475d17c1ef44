#include <unroll/train/options.h>

#include <fmt/format.h>

#include <cmath>

#include <unroll/base/check.h>
#include <unroll/base/error.h>

namespace unroll {

void OptimizerOptions::validate() const {
  if (!(std::isfinite(learning_rate) && learning_rate > 0.0)) {
    throw InvalidOption("learning_rate",
                        fmt::format("must be a finite positive number, got {}", learning_rate));
  }
}

void TrainerOptions::validate() const {
  constexpr std::int64_t kMostEpochs = 1'000'000'000;
  check_between("epochs", epochs, 1, kMostEpochs);
  check_at_least("log_every", log_every, 1);
}

}  // namespace unroll
