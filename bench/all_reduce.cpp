// Times what a window of data parallel training adds: one all-reduce over the ranks that the
// environment names, as for unroll-train. Rank 0 prints a JSON object: seconds by elements.

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/types.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <unroll/distributed/join.h>

#include "cli/app.h"
#include "cli/rank_environment.h"

namespace {

using namespace unroll;
using Clock = std::chrono::steady_clock;

/// The median time of an all-reduce of so many float32, in seconds, over some tenths of a second.
double measure(Ranks& ranks, std::int64_t elements) {
  constexpr std::chrono::milliseconds kLong(500);
  constexpr std::size_t kLeast = 5;
  torch::Tensor values = torch::zeros({elements});
  std::vector<double> seconds;
  const auto begin = Clock::now();
  for (bool goes_on = true; goes_on;) {
    const auto start = Clock::now();
    ranks.sum(values);
    seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    torch::Tensor wish = torch::full(
        {1}, std::int64_t{seconds.size() < kLeast || Clock::now() - begin < kLong}, torch::kInt64);
    ranks.maximum(wish);
    goes_on = wish.item<std::int64_t>() != 0;
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds[seconds.size() / 2];
}

int run() {
  std::optional<RankOptions> options = cli::read_rank_environment();
  if (!options) {
    throw cli::UsageError("WORLD_SIZE must be more than 1");
  }
  const auto ranks = join_ranks(*options);
  std::vector<std::string> entries;
  for (const std::int64_t elements : {1, 64, 1'024, 16'384, 65'536, 262'144, 1'048'576}) {
    const double seconds = measure(*ranks, elements);
    entries.push_back(fmt::format("\"{}\": {:.9f}", elements, seconds));
  }
  if (ranks->rank() == 0) {
    cli::print_result(fmt::format("{{{}}}\n", fmt::join(entries, ", ")));
  }
  return cli::kDone;
}

}  // namespace

int main() { return cli::run_app(cli::name_in_ranks("all_reduce"), &run); }
