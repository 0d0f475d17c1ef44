#include <unroll/run/options.h>

#include <unroll/base/check.h>

namespace unroll {

void RunOptions::validate() const {
  constexpr std::int64_t kMostThreads = 1024;
  constexpr std::int64_t kLargestSeed = UINT32_MAX;
  model.validate();
  series.validate();
  windows.validate();
  optimizer.validate();
  trainer.validate();
  check_between("seed", seed, 0, kLargestSeed);
  check_between("threads", threads, 1, kMostThreads);
}

}  // namespace unroll
