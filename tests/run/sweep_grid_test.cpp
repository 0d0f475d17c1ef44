// Which cells a sweep has, in which order, and who trains them.

#include <unroll/run/sweep_grid.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "../support/refusal.h"

namespace unroll {
namespace {

using testing::validation_refusal;

TEST(SweepGrid, DefaultHas140Cells) {
  EXPECT_EQ(validation_refusal(SweepGrid()), "accepted");
  EXPECT_EQ(SweepGrid().cells().size(), 140U);
}

TEST(SweepGrid, SeedGoesFastestAndNumStepsSlowest) {
  const SweepGrid grid = {
      .num_steps = {2, 5}, .hidden_size = {3, 4}, .learning_rate = {0.1, 0.2}, .seeds = 2};
  const std::vector<SweepCell> cells = grid.cells();
  ASSERT_EQ(cells.size(), 16U);
  EXPECT_EQ(cells[0], (SweepCell{.num_steps = 2, .hidden_size = 3, .learning_rate = 0.1}));
  EXPECT_EQ(cells[1],
            (SweepCell{.num_steps = 2, .hidden_size = 3, .learning_rate = 0.1, .seed = 1}));
  EXPECT_EQ(cells[2], (SweepCell{.num_steps = 2, .hidden_size = 3, .learning_rate = 0.2}));
  EXPECT_EQ(cells[4], (SweepCell{.num_steps = 2, .hidden_size = 4, .learning_rate = 0.1}));
  EXPECT_EQ(cells[8], (SweepCell{.num_steps = 5, .hidden_size = 3, .learning_rate = 0.1}));
}

TEST(SweepGrid, TheSameValuesAreTheSameGrid) {
  SweepGrid grid = {.num_steps = {5, 2}, .hidden_size = {4, 3}, .learning_rate = {0.2, 0.1}};
  grid.sort();
  EXPECT_EQ(grid,
            (SweepGrid{.num_steps = {2, 5}, .hidden_size = {3, 4}, .learning_rate = {0.1, 0.2}}));
}

TEST(SweepGrid, RefusesWhatIsNoGrid) {
  EXPECT_EQ(validation_refusal(SweepGrid{.num_steps = {}}),
            "num_steps must have at least one value");
  EXPECT_EQ(validation_refusal(SweepGrid{.hidden_size = {3, 2, 3}}),
            "hidden_size must have each value once, got 3 twice");
  EXPECT_EQ(validation_refusal(SweepGrid{.learning_rate = {0.5, 0.5}}),
            "learning_rate must have each value once, got 0.5 twice");
  EXPECT_EQ(validation_refusal(SweepGrid{.seeds = 0}), "seeds must be at least 1, got 0");
  EXPECT_EQ(validation_refusal(SweepGrid{.seeds = INT64_MAX}),
            "seeds must leave at most 1000000 cells, got 9223372036854775807 for 7 x 4 x 1");
}

TEST(Shard, TogetherTheyHaveEachPlaceOnce) {
  constexpr std::int64_t kCount = 3;
  for (std::size_t place = 0; place < 10; ++place) {
    int owners = 0;
    for (std::int64_t index = 1; index <= kCount; ++index) {
      owners += Shard{.index = index, .count = kCount}.has(place) ? 1 : 0;
    }
    EXPECT_EQ(owners, 1) << place;
  }
  EXPECT_TRUE((Shard{.index = 2, .count = 3}.has(4)));
}

TEST(Shard, RefusesWhatIsNone) {
  EXPECT_EQ(validation_refusal(Shard()), "accepted");
  EXPECT_EQ(validation_refusal(Shard{.index = 3, .count = 2}),
            "shard must be I/N with I from 1 to N, got 3/2");
  EXPECT_EQ(validation_refusal(Shard{.index = 0, .count = 2}),
            "shard must be I/N with I from 1 to N, got 0/2");
}

}  // namespace
}  // namespace unroll
