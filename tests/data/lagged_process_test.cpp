// The process's probabilities and its exact loss floors.

#include <unroll/data/lagged_process.h>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <unroll/base/error.h>

namespace unroll {
namespace {

constexpr double kExact = 1e-14;

/// Entropy, in nats, of a coin that shows 1 with probability p.
double entropy(double p) {
  return p <= 0.0 || p >= 1.0 ? 0.0 : -p * std::log(p) - (1.0 - p) * std::log(1.0 - p);
}

// What the tutorial's process says of Y: lag 3 seen as 0 or 1 leaves (0.5 + 0.25) / 2 or
// (1 + 0.75) / 2; lag 8 seen as 0 or 1 leaves (0.5 + 1) / 2 or (0.25 + 0.75) / 2.
const double none = entropy(0.625);
const double only_lag3 = (entropy(0.375) + entropy(0.875)) / 2.0;
const double only_lag8 = (entropy(0.75) + entropy(0.5)) / 2.0;
const double both = (entropy(0.5) + entropy(0.25) + entropy(1.0) + entropy(0.75)) / 4.0;

/// The error that a process of these numbers is refused with.
std::string refusal(double base, std::vector<LagEffect> effects) {
  try {
    const LaggedProcess process(base, std::move(effects));
  } catch (const InvalidOption& error) {
    return error.what();
  }
  return "accepted";
}

TEST(LaggedProcess, TutorialHasItsProbabilities) {
  const LaggedProcess process = LaggedProcess::tutorial();
  EXPECT_EQ(process.probability(0b00), 0.5);
  EXPECT_EQ(process.probability(0b01), 1.0);   // X[t-3] = 1
  EXPECT_EQ(process.probability(0b10), 0.25);  // X[t-8] = 1
  EXPECT_EQ(process.probability(0b11), 0.75);
}

TEST(LaggedProcess, ProbabilityAtLooksBackByTheLag) {
  // One 1 at index 10 of 30: it is seen 3 and 8 steps later and nowhere else.
  std::vector<std::int64_t> inputs(30, 0);
  inputs[10] = 1;
  const LaggedProcess process = LaggedProcess::tutorial();
  for (std::int64_t t = 0; t < 30; ++t) {
    EXPECT_EQ(process.probability_at(inputs, t), t == 13 ? 1.0 : t == 18 ? 0.25 : 0.5) << t;
  }
}

TEST(LaggedProcess, ProbabilityAtWrapsToTheEnd) {
  // Python's X[t-3] and X[t-8] of a list of 10 whose last element alone is 1.
  std::vector<std::int64_t> inputs(10, 0);
  inputs[9] = 1;
  const LaggedProcess process = LaggedProcess::tutorial();
  for (std::int64_t t = 0; t < 10; ++t) {
    EXPECT_EQ(process.probability_at(inputs, t), t == 2 ? 1.0 : t == 7 ? 0.25 : 0.5) << t;
  }
}

TEST(LaggedProcess, ProbabilityAtWrapsAroundASeriesShorterThanTheLag) {
  // Of 2 symbols, 3 steps back is the other one and 8 steps back is the symbol itself.
  const LaggedProcess process = LaggedProcess::tutorial();
  EXPECT_EQ(process.probability_at({1, 0}, 0), 0.25);
  EXPECT_EQ(process.probability_at({1, 0}, 1), 1.0);
  EXPECT_EQ(process.probability_at({1}, 0), 0.75);
}

TEST(LaggedProcess, FloorsOfTheTutorialAreClosedForm) {
  const LaggedProcess process = LaggedProcess::tutorial();
  EXPECT_NEAR(process.floor(0b00), none, kExact);
  EXPECT_NEAR(process.floor(0b01), only_lag3, kExact);
  EXPECT_NEAR(process.floor(0b10), only_lag8, kExact);
  EXPECT_NEAR(process.floor(0b11), both, kExact);
}

TEST(LaggedProcess, FloorsOfTheTutorialAreTheKnownNumbers) {
  const Floors floors = LaggedProcess::tutorial().floors(10);
  EXPECT_NEAR(floors.none, 0.6615632, 5e-8);
  ASSERT_EQ(floors.per_lag.size(), 2U);
  EXPECT_EQ(floors.per_lag[0].lag, 3);
  EXPECT_NEAR(floors.per_lag[0].loss, 0.5191667, 5e-8);
  EXPECT_EQ(floors.per_lag[1].lag, 8);
  EXPECT_NEAR(floors.per_lag[1].loss, 0.6277412, 5e-8);
  EXPECT_NEAR(floors.all, 0.4544544, 5e-8);
  EXPECT_NEAR(floors.no_carry, 0.5489, 5e-5);
}

TEST(LaggedProcess, NoCarryFloorAveragesWhatEachPositionSees) {
  const LaggedProcess process = LaggedProcess::tutorial();
  // Positions 0 to 2 see neither lag, 3 to 7 see lag 3, and the rest both.
  EXPECT_NEAR(process.no_carry_floor(1), none, kExact);
  EXPECT_NEAR(process.no_carry_floor(3), none, kExact);
  EXPECT_NEAR(process.no_carry_floor(4), (3 * none + only_lag3) / 4, kExact);
  EXPECT_NEAR(process.no_carry_floor(5), (3 * none + 2 * only_lag3) / 5, kExact);
  EXPECT_NEAR(process.no_carry_floor(8), (3 * none + 5 * only_lag3) / 8, kExact);
  EXPECT_NEAR(process.no_carry_floor(9), (3 * none + 5 * only_lag3 + both) / 9, kExact);
  EXPECT_NEAR(process.no_carry_floor(10), (3 * none + 5 * only_lag3 + 2 * both) / 10, kExact);
  EXPECT_NEAR(process.no_carry_floor(1000), (3 * none + 5 * only_lag3 + 992 * both) / 1000, kExact);
  EXPECT_NEAR(process.no_carry_floor(5), 0.6046, 5e-5);
}

TEST(LaggedProcess, NoCarryFloorOfAWindowWithoutEndIsTheWholeFloor) {
  EXPECT_NEAR(LaggedProcess::tutorial().no_carry_floor(std::numeric_limits<std::int64_t>::max()),
              both, kExact);
}

TEST(LaggedProcess, NoCarryFloorNeedsAWindow) {
  EXPECT_THROW(static_cast<void>(LaggedProcess::tutorial().no_carry_floor(0)), InvalidOption);
  EXPECT_THROW(static_cast<void>(LaggedProcess::tutorial().no_carry_floor(-1)), InvalidOption);
}

TEST(LaggedProcess, ThreeLagsAgreeWithBruteForce) {
  // By hand: every subset of {5, 0, 2}, given out of order and with the present input among them,
  // by summing over the eight inputs' combinations.
  const std::vector<LagEffect> effects = {
      {.lag = 5, .effect = -0.2}, {.lag = 0, .effect = 0.3}, {.lag = 2, .effect = 0.4}};
  const LaggedProcess process(0.25, effects);
  double by_subset[8] = {};
  for (std::uint32_t visible = 0; visible < 8; ++visible) {
    for (std::uint32_t inputs = 0; inputs < 8; ++inputs) {
      double sum = 0.0;
      int alike = 0;
      for (std::uint32_t other = 0; other < 8; ++other) {
        if ((other & visible) == (inputs & visible)) {
          sum += 0.25 + ((other & 1) != 0 ? -0.2 : 0.0) + ((other & 2) != 0 ? 0.3 : 0.0) +
                 ((other & 4) != 0 ? 0.4 : 0.0);
          ++alike;
        }
      }
      by_subset[visible] += entropy(sum / alike) / 8;
    }
    EXPECT_NEAR(process.floor(visible), by_subset[visible], kExact) << visible;
  }
  // Positions 0 and 1 see lag 0; 2 to 4 lag 2 too; 5 and 6 all three.
  EXPECT_NEAR(process.no_carry_floor(7),
              (2 * by_subset[0b010] + 3 * by_subset[0b110] + 2 * by_subset[0b111]) / 7, kExact);
  const Floors floors = process.floors(7);
  EXPECT_NEAR(floors.none, by_subset[0], kExact);
  EXPECT_NEAR(floors.all, by_subset[7], kExact);
  ASSERT_EQ(floors.per_lag.size(), 3U);
  EXPECT_EQ(floors.per_lag[2].lag, 2);
  EXPECT_NEAR(floors.per_lag[2].loss, by_subset[4], kExact);
}

TEST(LaggedProcess, WithoutLagsEveryFloorIsTheCoins) {
  const Floors floors = LaggedProcess(0.2, {}).floors(10);
  EXPECT_NEAR(floors.none, entropy(0.2), kExact);
  EXPECT_NEAR(floors.all, entropy(0.2), kExact);
  EXPECT_NEAR(floors.no_carry, entropy(0.2), kExact);
  EXPECT_TRUE(floors.per_lag.empty());
}

TEST(LaggedProcess, ACertainProcessHasFloorZero) {
  // Y_t = X_{t-1}: seen, nothing is left to chance; unseen, it is a fair coin.
  const LaggedProcess copy(0.0, {{.lag = 1, .effect = 1.0}});
  EXPECT_EQ(copy.floor(1), 0.0);
  EXPECT_NEAR(copy.floor(0), std::log(2.0), kExact);
}

TEST(LaggedProcess, RoundingAtZeroOrOneIsNoError) {
  // In binary 1 - 0.7 - 0.2 - 0.1 is 2.8e-17 below zero, and 0.3 + 0.6 + 0.1 is no 1 either.
  const LaggedProcess down(
      1.0, {{.lag = 1, .effect = -0.7}, {.lag = 2, .effect = -0.2}, {.lag = 3, .effect = -0.1}});
  EXPECT_GE(down.floor(7), 0.0);
  const LaggedProcess up(
      0.0, {{.lag = 1, .effect = 0.3}, {.lag = 2, .effect = 0.6}, {.lag = 3, .effect = 0.1}});
  EXPECT_TRUE(std::isfinite(up.floor(7)));
}

TEST(LaggedProcess, TakesAsManyLagsAsItSays) {
  std::vector<LagEffect> effects;
  effects.reserve(16);
  for (std::int64_t lag = 0; lag < 16; ++lag) {
    effects.push_back({.lag = lag, .effect = 1.0 / 16.0});
  }
  const LaggedProcess process(0.0, effects);
  EXPECT_EQ(process.probability(0xFFFF), 1.0);
  EXPECT_NEAR(process.floor(0), std::log(2.0), 1e-12);
  effects.push_back({.lag = 16, .effect = 0.0});
  EXPECT_EQ(refusal(0.0, effects), "lags must be at most 16, got 17");
}

TEST(LaggedProcess, RefusesAProbabilityOutsideZeroToOne) {
  // Only some combinations are wrong: 0.5 + 0.6, and 0.5 - 0.2 - 0.4.
  EXPECT_EQ(refusal(0.5, {{.lag = 3, .effect = 0.6}, {.lag = 8, .effect = -0.6}}),
            "probability must lie in [0, 1] for every input, got 1.1 from 0.5 + 0.6 X[t-3] - 0.6 "
            "X[t-8]");
  EXPECT_NE(refusal(0.5, {{.lag = 3, .effect = -0.25}, {.lag = 8, .effect = -0.5}}), "accepted");
  EXPECT_NE(refusal(1.5, {}), "accepted");
  EXPECT_NE(refusal(-0.1, {}), "accepted");
  EXPECT_NE(refusal(1.0 + 1e-9, {}), "accepted");
}

TEST(LaggedProcess, RefusesWhatIsNoNumber) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_NE(refusal(nan, {}), "accepted");
  EXPECT_NE(refusal(0.5, {{.lag = 3, .effect = nan}}), "accepted");
  EXPECT_NE(refusal(0.5, {{.lag = 3, .effect = infinity}, {.lag = 4, .effect = -infinity}}),
            "accepted");
}

TEST(LaggedProcess, RefusesALagBelowZero) {
  EXPECT_EQ(refusal(0.5, {{.lag = -1, .effect = 0.1}}), "lag must be at least 0, got -1");
}

TEST(LaggedProcess, RefusesALagNamedTwice) {
  EXPECT_EQ(
      refusal(0.5,
              {{.lag = 3, .effect = 0.1}, {.lag = 2, .effect = 0.1}, {.lag = 3, .effect = 0.1}}),
      "lag 3 is named twice");
}

TEST(LaggedProcess, FormulaShowsTheSigns) {
  EXPECT_EQ(LaggedProcess::tutorial().formula(), "0.5 + 0.5 X[t-3] - 0.25 X[t-8]");
  EXPECT_EQ(LaggedProcess(0.2, {}).formula(), "0.2");
}

}  // namespace
}  // namespace unroll
