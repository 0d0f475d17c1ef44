#include <unroll/data/numpy_random.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <random>

namespace unroll {
namespace {

class NumpyRandomTest : public ::testing::TestWithParam<std::uint32_t> {};

INSTANTIATE_TEST_SUITE_P(Seeds, NumpyRandomTest,
                         ::testing::Values(0U, 1U, 7U, 5489U, 2'147'483'648U, 4'294'967'295U));

// Through several blocks of 624.
TEST_P(NumpyRandomTest, WordsAreTheStandardLibrarys) {
  NumpyRandom random(GetParam());
  std::mt19937 standard(GetParam());
  for (int i = 0; i < 5000; ++i) {
    ASSERT_EQ(random.word(), standard()) << "word " << i;
  }
}

// numpy.random.RandomState(0).random_sample(2), and choice(2, 10) of another one.
TEST(NumpyRandom, MakesNumbersAsNumpyDoes) {
  NumpyRandom random(0);
  EXPECT_EQ(random.uniform(), 0.5488135039273248);
  EXPECT_EQ(random.uniform(), 0.7151893663724195);
  NumpyRandom bits(0);
  for (const std::int64_t bit : {0, 1, 1, 0, 1, 1, 1, 1, 1, 1}) {
    EXPECT_EQ(bits.bit(), bit);
  }
}

}  // namespace
}  // namespace unroll
