#include <unroll/run/options.h>

#include <fmt/format.h>

#include <cmath>

#include <unroll/base/check.h>
#include <unroll/base/error.h>

namespace unroll {
namespace {

/// The parameters' dtype must be able to hold the learning rate.
void check_learning_rate(double learning_rate, Precision dtype) {
  const auto narrow = static_cast<float>(learning_rate);
  if (dtype == Precision::kFloat32 && !(std::isfinite(narrow) && narrow > 0.0F)) {
    throw InvalidOption(
        "learning_rate",
        fmt::format("must be a finite positive number in float32, got {}", learning_rate));
  }
}

}  // namespace

void RunOptions::validate() const {
  constexpr std::int64_t kMostThreads = 1024;
  constexpr std::int64_t kLargestSeed = UINT32_MAX;
  model.validate();
  series.validate();
  windows.validate();
  optimizer.validate();
  check_learning_rate(optimizer.learning_rate, dtype);
  trainer.validate();
  evaluation.validate();
  check_between("seed", seed, 0, kLargestSeed);
  check_at_least("checkpoint_every", checkpoint_every, 1);
  check_between("threads", threads, 1, kMostThreads);
}

}  // namespace unroll
