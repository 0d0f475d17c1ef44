#include <unroll/data/numpy_random.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

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

// The first words of mt19937ar.out, which Matsumoto and Nishimura give for this key, and what
// numpy.random.RandomState([7, 1]) draws.
TEST(NumpyRandom, TakesAKeyOfWords) {
  NumpyRandom random(std::vector<std::uint32_t>{0x123, 0x234, 0x345, 0x456});
  EXPECT_EQ(random.word(), 1067595299U);
  EXPECT_EQ(random.word(), 955945823U);
  NumpyRandom other(std::vector<std::uint32_t>{7, 1});
  EXPECT_EQ(other.uniform(), 0.22550888929893187);
  EXPECT_EQ(other.uniform(), 0.35860096918797);
}

}  // namespace
}  // namespace unroll
