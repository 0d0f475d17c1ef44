#include <unroll/distributed/options.h>

#include <unroll/base/check.h>

namespace unroll {

void RankOptions::validate() const {
  constexpr std::int64_t kDay = 86'400;
  check_between("rank_timeout", timeout, 1, kDay);
  check_at_least("size", size, 1);
  check_between("rank", rank, 0, size - 1);
  check_between("local_rank", local_rank, 0, size - 1);
  check_between("master_port", master_port, size == 1 ? 0 : 1, kMostPort);
}

}  // namespace unroll
