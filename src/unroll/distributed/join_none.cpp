// join_ranks() of a library that was built without UNROLL_DISTRIBUTED.

#include <fmt/format.h>

#include <unroll/distributed/join.h>

namespace unroll {

std::unique_ptr<Ranks> join_ranks(const RankOptions& options) {
  throw Error(fmt::format(
      "this is rank {} of {}, but the program was built to train in one process; build it with "
      "-DUNROLL_DISTRIBUTED=ON",
      options.rank, options.size));
}

}  // namespace unroll
