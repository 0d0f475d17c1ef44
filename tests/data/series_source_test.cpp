// The tutorial's random stream, bit for bit. The numbers are NumPy's: numpy.random.seed(seed), and
// then, again and again, X = numpy.random.choice(2, N) and Y[i] = 0 if numpy.random.rand() >
// threshold else 1 for each i in order, with Python's X[i - 3] and X[i - 8].

#include <unroll/data/series_source.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <memory>
#include <numeric>
#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

#include <unroll/base/error.h>

namespace unroll {
namespace {

std::int64_t sum(const std::vector<std::int64_t>& values) {
  return std::accumulate(values.begin(), values.end(), std::int64_t{0});
}

/// h = h * 31 + v modulo 2^64 over all values: one wrong, missing or swapped value changes it.
std::uint64_t hash(const std::vector<std::int64_t>& values) {
  std::uint64_t h = 0;
  for (const std::int64_t value : values) {
    h = h * 31 + static_cast<std::uint64_t>(value);
  }
  return h;
}

std::string digits(const std::vector<std::int64_t>& values) {
  std::string text;
  for (const std::int64_t value : values) {
    text += std::to_string(value);
  }
  return text;
}

SampledSource tutorial_source(std::int64_t length, std::uint32_t seed) {
  return {LaggedProcess::tutorial(), length, seed};
}

TEST(SampledSource, Seed7IsTheTutorialsMillion) {
  SampledSource source = tutorial_source(1'000'000, 7);
  const auto first = source.next();
  ASSERT_EQ(first->length(), 1'000'000);
  ASSERT_EQ(first->targets.size(), 1'000'000U);
  EXPECT_EQ(first->num_classes, 2);
  EXPECT_EQ(sum(first->inputs), 499'945);
  EXPECT_EQ(sum(first->targets), 625'052);
  EXPECT_EQ(hash(first->inputs), 13355698636823907605U);
  EXPECT_EQ(hash(first->targets), 7551023066537228468U);

  // The next epoch's series continues the stream.
  const auto second = source.next();
  EXPECT_EQ(sum(second->inputs), 500'776);
  EXPECT_EQ(sum(second->targets), 625'020);
  EXPECT_EQ(hash(second->inputs), 70948637934565812U);
  EXPECT_EQ(hash(second->targets), 10490256798505067816U);
}

struct NumpySeries {
  std::uint32_t seed;
  const char* inputs;
  const char* targets;
  const char* next_inputs;
  const char* next_targets;
};

std::ostream& operator<<(std::ostream& stream, const NumpySeries& series) {
  return stream << "Seed" << series.seed;
}

class SampledSourceAgainstNumpy : public ::testing::TestWithParam<NumpySeries> {};

// In a series of 20 the first eight targets look back over the start, to the end.
TEST_P(SampledSourceAgainstNumpy, FirstTwoSeriesOfTwenty) {
  SampledSource source = tutorial_source(20, GetParam().seed);
  const auto first = source.next();
  EXPECT_EQ(digits(first->inputs), GetParam().inputs);
  EXPECT_EQ(digits(first->targets), GetParam().targets);
  const auto second = source.next();
  EXPECT_EQ(digits(second->inputs), GetParam().next_inputs);
  EXPECT_EQ(digits(second->targets), GetParam().next_targets);
}

INSTANTIATE_TEST_SUITE_P(
    Seeds, SampledSourceAgainstNumpy,
    ::testing::Values(NumpySeries{0, "01101111111001000001", "00101110100110101001",
                                  "10101000001100011010", "11010111010101110111"},
                      NumpySeries{7, "10101111010101000010", "00111111011010011000",
                                  "01100011011011101010", "01011100111111011101"},
                      NumpySeries{8, "10111001010110110101", "10010110011011111010",
                                  "00110011001101010010", "11011100111011111000"},
                      NumpySeries{4294967295, "10010000101101101101", "10110010101101101111",
                                  "10011001100111010100", "10011011001001101111"}),
    [](const auto& instance) { return "Seed" + std::to_string(instance.param.seed); });

TEST(SampledSource, UniformsAreNumpysToTheLastBit) {
  // What numpy.random.rand() gives after numpy.random.seed(7) and numpy.random.choice(2, 3). A
  // threshold of exactly that number gives 1, and of the number just below it 0.
  const double uniforms[] = {0x1.46a0a7b81dcb2p-2, 0x1.f4d9a1ae4d40ep-1, 0x1.d284d9fd2ec2ap-2};
  for (std::size_t t = 0; t < 3; ++t) {
    SampledSource at(LaggedProcess(uniforms[t], {}), 3, 7);
    EXPECT_EQ(at.next()->targets[t], 1) << t;
    SampledSource below(LaggedProcess(std::nextafter(uniforms[t], 0.0), {}), 3, 7);
    EXPECT_EQ(below.next()->targets[t], 0) << t;
  }
}

TEST(SampledSource, SamplesAnyProcess) {
  // NumPy's, with threshold 0.2 + 0.3 X[i] + 0.4 X[i-2] - 0.2 X[i-5].
  SampledSource source(
      LaggedProcess(
          0.2, {{.lag = 0, .effect = 0.3}, {.lag = 2, .effect = 0.4}, {.lag = 5, .effect = -0.2}}),
      24, 123);
  const auto series = source.next();
  EXPECT_EQ(digits(series->inputs), "010000011011010101100011");
  EXPECT_EQ(digits(series->targets), "110001000010010101110000");
}

TEST(SampledSource, TheSameSeedGivesTheSameSeries) {
  const auto one = tutorial_source(1000, 42).next();
  const auto other = tutorial_source(1000, 42).next();
  EXPECT_EQ(one->inputs, other->inputs);
  EXPECT_EQ(one->targets, other->targets);
}

TEST(SampledSource, AnotherSeedGivesAnotherSeries) {
  EXPECT_NE(tutorial_source(1000, 42).next()->inputs, tutorial_source(1000, 43).next()->inputs);
}

TEST(SampledSource, ASeriesOutlivesItsSource) {
  std::shared_ptr<const Series> series;
  {
    SampledSource source = tutorial_source(20, 7);
    series = source.next();
    source.next();
  }
  EXPECT_EQ(digits(series->inputs), "10101111010101000010");
}

TEST(SampledSource, ASingleSymbolIsASeries) {
  const auto series = tutorial_source(1, 0).next();
  EXPECT_EQ(series->inputs.size(), 1U);
  EXPECT_EQ(series->targets.size(), 1U);
}

TEST(SampledSource, RefusesALengthBelowOne) {
  EXPECT_THROW(tutorial_source(0, 0), InvalidOption);
  EXPECT_THROW(tutorial_source(-5, 0), InvalidOption);
}

TEST(FixedSource, GivesTheSameSeriesEveryEpoch) {
  FixedSource source({.inputs = {2, 0}, .targets = {1, 2}, .num_classes = 3});
  const auto first = source.next();
  EXPECT_EQ(first->inputs, (std::vector<std::int64_t>{2, 0}));
  EXPECT_EQ(first->targets, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(first->num_classes, 3);
  EXPECT_EQ(source.next(), first);
}

TEST(BackgroundSource, GivesWhatTheSourceGives) {
  SampledSource plain = tutorial_source(1000, 3);
  BackgroundSource background(std::make_unique<SampledSource>(LaggedProcess::tutorial(), 1000, 3),
                              3);
  for (int i = 0; i < 3; ++i) {
    const auto expected = plain.next();
    const auto actual = background.next();
    EXPECT_EQ(actual->inputs, expected->inputs);
    EXPECT_EQ(actual->targets, expected->targets);
  }
  EXPECT_THROW(background.next(), std::out_of_range);
}

TEST(SeriesSource, SkipsAsIfTheSeriesHadBeenMade) {
  for (const std::int64_t length : {1, 207, 208, 209, 1000}) {
    for (const std::int64_t count : {0, 1, 2, 3, 7}) {
      SampledSource made(LaggedProcess::tutorial(), length, 3);
      for (std::int64_t i = 0; i < count; ++i) {
        made.next();
      }
      BackgroundSource skipping(
          std::make_unique<SampledSource>(LaggedProcess::tutorial(), length, 3), count + 1);
      skipping.skip(count);
      const auto expected = made.next();
      const auto actual = skipping.next();
      EXPECT_EQ(actual->inputs, expected->inputs) << length << " x " << count;
      EXPECT_EQ(actual->targets, expected->targets) << length << " x " << count;
      EXPECT_THROW(skipping.next(), std::out_of_range);
    }
  }
}

/// Counts the series that it was asked for; the second one fails.
class FailingSource final : public SeriesSource {
 public:
  explicit FailingSource(std::atomic<int>& asked) : asked_(asked) {}

  std::shared_ptr<const Series> next() override {
    if (++asked_ == 2) {
      throw std::runtime_error("no second series");
    }
    return std::make_shared<const Series>();
  }
  [[nodiscard]] double baseline() const override { return 0.0; }
  void skip(std::int64_t /*count*/) override {}

 private:
  std::atomic<int>& asked_;
};

TEST(BackgroundSource, MakesTheNextSeriesUnaskedAndPassesItsFailureOn) {
  std::atomic<int> asked = 0;
  BackgroundSource background(std::make_unique<FailingSource>(asked), 5);
  EXPECT_EQ(asked, 0);
  background.next();
  try {
    background.next();
    FAIL() << "no exception";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "no second series");
  }
  EXPECT_EQ(asked, 2);
}

/// Its second series is never finished.
class EndlessSource final : public SeriesSource {
 public:
  std::shared_ptr<const Series> next() override {
    if (is_first_) {
      is_first_ = false;
    } else {
      gives_up_.wait(false);
    }
    return std::make_shared<const Series>();
  }
  [[nodiscard]] double baseline() const override { return 0.0; }
  void skip(std::int64_t /*count*/) override {}
  void give_up() noexcept override {
    gives_up_ = true;
    gives_up_.notify_all();
  }

 private:
  bool is_first_ = true;
  std::atomic<bool> gives_up_ = false;
};

TEST(BackgroundSource, DoesNotWaitInTheEndForASeriesThatNobodyWants) {
  BackgroundSource background(std::make_unique<EndlessSource>(), 2);
  EXPECT_NE(background.next(), nullptr);
}

TEST(SampledSource, EndsUnfinishedWhereItGivesUp) {
  SampledSource source = tutorial_source(100'000, 3);
  source.give_up();
  const auto series = source.next();
  for (const auto& symbols : {series->inputs, series->targets}) {
    EXPECT_EQ(std::count(symbols.end() - 10'000, symbols.end(), 1), 0);
  }
}

// -(3/4) ln(3/4) - (1/4) ln(1/4) of the targets, whatever the inputs and the classes there are.
TEST(FixedSource, ItsBaselineIsTheEntropyOfTheTargets) {
  const FixedSource source({.inputs = {0, 1, 2, 0}, .targets = {2, 0, 2, 2}, .num_classes = 9});
  EXPECT_NEAR(source.baseline(), 0.5623351446188083, 1e-15);
  EXPECT_EQ(FixedSource({.inputs = {0, 1}, .targets = {1, 1}}).baseline(), 0.0);
}

// P(Y = 1) is 5/8 on average; -(5/8) ln(5/8) - (3/8) ln(3/8).
TEST(SampledSource, ItsBaselineIsTheEntropyOfTheMeanProbability) {
  EXPECT_NEAR(tutorial_source(1'000, 0).baseline(), 0.6615632381579821, 1e-15);
  const BackgroundSource background(
      std::make_unique<SampledSource>(LaggedProcess::tutorial(), 10, 0), 1);
  EXPECT_NEAR(background.baseline(), 0.6615632381579821, 1e-15);
}

TEST(BackgroundSource, MakesNoSeriesBeyondTheLast) {
  std::atomic<int> asked = 0;
  {
    BackgroundSource background(std::make_unique<FailingSource>(asked), 1);
    background.next();
  }
  EXPECT_EQ(asked, 1);
}

}  // namespace
}  // namespace unroll
