// When a training counts as exploded, and when it does not.

#include <unroll/train/divergence.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <unroll/base/error.h>

namespace unroll {
namespace {

constexpr std::int64_t kSymbols = 100;  // of a window, so that the recent loss is over 100 windows

/// Gives a guard these losses, and then `rest` until `windows` have been seen. The number of the
/// window that it stops at, 0 if it does not.
std::int64_t stopped_at(double baseline, std::vector<double> losses, double rest,
                        std::int64_t windows) {
  const DivergenceGuard guard(baseline);
  losses.resize(static_cast<std::size_t>(windows), rest);
  TrainingProgress progress = {.epoch = 1};
  for (const double loss : losses) {
    ++progress.window;
    ++progress.windows;
    try {
      guard.check(loss, kSymbols, progress);
    } catch (const DivergenceError&) {
      return progress.windows;
    }
  }
  return 0;
}

TEST(DivergenceGuard, LetsATrainingPassThatStaysBelowItsBound) {
  EXPECT_EQ(stopped_at(0.7, {0.7}, 0.7 * 3.2, 10'000), 0);
  EXPECT_EQ(stopped_at(0.7, {0.7}, 0.01, 10'000), 0);
}

// The mean m of the last windows nears the loss by a hundredth a window, from 1: after n windows
// m = 4 - 3 * 0.99^n, which is above 3.25 from n = 138 on. The first of these losses is window 2's.
TEST(DivergenceGuard, StopsWhereTheMeanOfTheLastWindowsIsAboveTheBound) {
  EXPECT_EQ(stopped_at(1.0, {1.0}, 4.0, 1'000), 138 + 1);
}

TEST(DivergenceGuard, StopsAtOnceAtAHugeLoss) {
  EXPECT_EQ(stopped_at(0.7, {0.7, 0.6, 0.6}, 1e30, 10), 4);
}

TEST(DivergenceGuard, LetsAShortPeakPass) {
  std::vector<double> losses(200, 0.7);
  for (std::size_t i = 50; i < 60; ++i) {
    losses[i] = 7.0;
  }
  EXPECT_EQ(stopped_at(0.7, losses, 0.7, 1'000), 0);
}

// Weights of another task cost more than guessing before they are trained on this one, and a series
// whose targets hardly change costs nothing to guess.
TEST(DivergenceGuard, AllowsTwiceWhatTheFirstWindowCosts) {
  EXPECT_EQ(stopped_at(0.7, {5.0}, 9.9, 10'000), 0);
  EXPECT_NE(stopped_at(0.7, {5.0}, 10.2, 10'000), 0);
  EXPECT_EQ(stopped_at(0.0, {0.7}, 1.3, 10'000), 0);
}

TEST(DivergenceGuard, StopsAtALossThatIsNotFinite) {
  EXPECT_EQ(stopped_at(0.7, {0.7, 0.6}, std::numeric_limits<double>::infinity(), 5), 3);
  EXPECT_EQ(stopped_at(0.7, {}, std::numeric_limits<double>::quiet_NaN(), 5), 1);
}

TEST(DivergenceGuard, CallsATrainingExplodingHalfwayToItsBound) {
  const DivergenceGuard guard(1.0);
  EXPECT_FALSE(guard.is_exploding({.first_loss = 1.0, .recent_loss = 1.62}));
  EXPECT_TRUE(guard.is_exploding({.first_loss = 1.0, .recent_loss = 1.63}));
  EXPECT_FALSE(guard.is_exploding({.first_loss = 5.0, .recent_loss = 5.0}));
}

TEST(DivergenceGuard, LooksBackOver100WindowsOr10000Symbols) {
  EXPECT_EQ(DivergenceGuard::recent_windows(1), 10'000);
  EXPECT_EQ(DivergenceGuard::recent_windows(30), 333);
  EXPECT_EQ(DivergenceGuard::recent_windows(100), 100);
  EXPECT_EQ(DivergenceGuard::recent_windows(2'500), 100);
}

TEST(DivergenceGuard, NamesWindowLossAndWhatGuessingCosts) {
  const DivergenceGuard guard(0.69314718);
  TrainingProgress progress = {
      .epoch = 3, .window = 2'000, .windows = 9'000, .first_loss = 0.7, .recent_loss = 0.7};
  try {
    guard.check(1771.7123, kSymbols, progress);
    FAIL() << "it goes on";
  } catch (const DivergenceError& error) {
    EXPECT_STREQ(error.what(),
                 "the loss is 1771.7 at window 2000 of epoch 3; guessing costs 0.6931; try a "
                 "smaller learning rate");
  }
  EXPECT_TRUE(guard.is_exploding(progress));
}

}  // namespace
}  // namespace unroll
