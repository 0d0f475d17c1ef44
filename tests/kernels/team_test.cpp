// Threads that work together.

#include <unroll/kernels/team.h>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <vector>

namespace unroll::kernels {
namespace {

TEST(Team, SharesANumberOutWithoutGapOrOverlap) {
  for (const std::int64_t total : {0, 1, 5, 64, 131}) {
    for (std::int64_t count = 1; count <= 7; ++count) {
      std::int64_t end = 0;
      for (std::int64_t index = 0; index < count; ++index) {
        const Range range = Share{.index = index, .count = count}.of(total);
        EXPECT_EQ(range.first, end);
        EXPECT_LE(range.size(), total / count + 1);
        EXPECT_GE(range.size(), total / count);
        end = range.end;
      }
      EXPECT_EQ(end, total);
    }
  }
}

TEST(Team, RunsEveryShareOnceACall) {
  for (const std::int64_t size : {1, 2, 5}) {
    Team team(size);
    EXPECT_EQ(team.size(), size);
    std::vector<int> calls(static_cast<std::size_t>(size));
    for (int call = 1; call <= 200; ++call) {
      team.run([&](Share share) {
        EXPECT_EQ(share.count, size);
        ++calls[static_cast<std::size_t>(share.index)];
      });
      ASSERT_EQ(calls, std::vector<int>(calls.size(), call));
    }
  }
}

TEST(Team, MeetsBeforeAnyoneGoesOn) {
  constexpr std::int64_t kSize = 4;
  Team team(kSize);
  std::atomic<std::int64_t> arrived = 0;
  team.run([&](Share /*share*/) {
    for (std::int64_t meeting = 1; meeting <= 500; ++meeting) {
      ++arrived;
      team.meet();
      EXPECT_GE(arrived.load(), meeting * kSize);
      team.meet();
    }
  });
  EXPECT_EQ(arrived.load(), 500 * kSize);
}

TEST(Team, MayEndWithoutACall) { const Team team(3); }

}  // namespace
}  // namespace unroll::kernels
