#include <unroll/distributed/options.h>

#include <unroll/base/check.h>

namespace unroll {

void RankOptions::validate() const {
  constexpr std::int64_t kDay = 86'400;
  check_between("rank_timeout", timeout, 1, kDay);
}

}  // namespace unroll
