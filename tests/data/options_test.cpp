// The data's sizes: defaults, and what is refused.

#include <unroll/data/options.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <sstream>
#include <string>

#include <unroll/base/error.h>

namespace unroll {
namespace {

/// What a series of this length is refused with.
std::string refusal(const WindowOptions& options, std::int64_t series_length) {
  try {
    options.validate_for(series_length);
  } catch (const InvalidOption& error) {
    return error.what();
  }
  return "accepted";
}

TEST(SeriesOptions, DefaultIsTheTutorials) { EXPECT_EQ(SeriesOptions().series_length, 1'000'000); }

TEST(SeriesOptions, RefusesALengthBelowOne) {
  EXPECT_NO_THROW(SeriesOptions{.series_length = 1}.validate());
  EXPECT_THROW(SeriesOptions{.series_length = 0}.validate(), InvalidOption);
  EXPECT_THROW(SeriesOptions{.series_length = std::numeric_limits<std::int64_t>::min()}.validate(),
               InvalidOption);
}

TEST(WindowOptions, DefaultsAreTheTutorials) {
  EXPECT_EQ(WindowOptions().batch_size, 3);
  EXPECT_EQ(WindowOptions().num_steps, 10);
}

TEST(WindowOptions, RefusesSizesBelowOne) {
  EXPECT_EQ(refusal({.batch_size = 0, .num_steps = 1}, 10), "batch_size must be at least 1, got 0");
  EXPECT_EQ(refusal({.batch_size = -3, .num_steps = 1}, 10),
            "batch_size must be at least 1, got -3");
  EXPECT_EQ(refusal({.batch_size = 1, .num_steps = 0}, 10), "num_steps must be at least 1, got 0");
}

TEST(WindowOptions, CountsWholeWindowsOnly) {
  EXPECT_EQ(WindowOptions().window_count(1'000'000), 33'333);
  // 17 symbols in 3 rows of 5, each of 2 windows of 2.
  EXPECT_EQ((WindowOptions{.batch_size = 3, .num_steps = 2}.window_count(17)), 2);
  EXPECT_EQ((WindowOptions{.batch_size = 3, .num_steps = 2}.window_count(12)), 2);
  EXPECT_EQ((WindowOptions{.batch_size = 3, .num_steps = 2}.window_count(11)), 1);
}

TEST(WindowOptions, CountsTheSymbolsThatFillNoWindow) {
  // 17 symbols in 3 rows of 5, each of 2 windows of 2: 12 are used.
  EXPECT_EQ((WindowOptions{.batch_size = 3, .num_steps = 2}.unused_symbols(17)), 5);
  EXPECT_EQ((WindowOptions{.batch_size = 3, .num_steps = 2}.unused_symbols(12)), 0);
  EXPECT_EQ((WindowOptions{.batch_size = 64, .num_steps = 10}.unused_symbols(1'000)), 360);
}

TEST(WindowOptions, TheSeriesMustHoldTheBatch) {
  EXPECT_EQ(refusal({.batch_size = 10, .num_steps = 1}, 10), "accepted");
  EXPECT_EQ(refusal({.batch_size = 11, .num_steps = 1}, 10),
            "batch_size must be at most the series' 10 symbols, got 11; --batch-size 10 "
            "--num-steps 1 would fit");
}

TEST(WindowOptions, ARowMustHoldTheWindow) {
  EXPECT_EQ(refusal({.batch_size = 3, .num_steps = 3}, 11), "accepted");
  EXPECT_EQ(refusal({.batch_size = 3, .num_steps = 4}, 11),
            "num_steps must be at most 3, the length of a row (11 symbols in 3 rows), got 4; "
            "--batch-size 2 --num-steps 4 would fit");
}

TEST(WindowOptions, ASeriesShorterThanAWindowFitsAsOne) {
  EXPECT_EQ(refusal({.batch_size = 3, .num_steps = 10}, 9),
            "num_steps must be at most 3, the length of a row (9 symbols in 3 rows), got 10; "
            "--batch-size 1 --num-steps 9 would fit");
}

TEST(WindowOptions, WhatIsSaidToFitFits) {
  for (std::int64_t length = 1; length <= 30; ++length) {
    for (std::int64_t batch_size = 1; batch_size <= 32; ++batch_size) {
      for (std::int64_t num_steps = 1; num_steps <= 32; ++num_steps) {
        const std::string said =
            refusal({.batch_size = batch_size, .num_steps = num_steps}, length);
        WindowOptions fitting{.batch_size = batch_size, .num_steps = num_steps};
        if (const std::size_t found = said.find("--batch-size "); found != std::string::npos) {
          std::istringstream words(said.substr(found));
          std::string word;
          words >> word >> fitting.batch_size >> word >> fitting.num_steps;
        }
        ASSERT_EQ(refusal(fitting, length), "accepted") << said;
      }
    }
  }
}

TEST(WindowOptions, NothingFitsAnEmptySeries) {
  EXPECT_EQ(refusal({.batch_size = 1, .num_steps = 1}, 0),
            "batch_size must be at most the series' 0 symbols, got 1");
}

TEST(WindowOptions, TheLargestSizesOverflowNothing) {
  constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(refusal({.batch_size = 1, .num_steps = kLargest}, kLargest), "accepted");
  EXPECT_EQ(refusal({.batch_size = kLargest, .num_steps = 1}, kLargest), "accepted");
  EXPECT_NE(refusal({.batch_size = kLargest, .num_steps = kLargest}, kLargest), "accepted");
  EXPECT_NE(refusal({.batch_size = kLargest, .num_steps = kLargest}, 1), "accepted");
}

}  // namespace
}  // namespace unroll
