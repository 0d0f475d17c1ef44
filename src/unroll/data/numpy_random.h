// NumPy's legacy random stream, bit for bit, so that Python can repeat every number that Unroll
// draws.
#pragma once

#include <cstdint>
#include <random>

namespace unroll {

/// What numpy.random.RandomState(seed) draws (and numpy.random after numpy.random.seed(seed)): the
/// Mersenne Twister, std::mt19937, with NumPy's way of making numbers from its 32-bit words.
class NumpyRandom {
 public:
  explicit NumpyRandom(std::uint32_t seed) : words_(seed) {}

  /// A fair bit, as choice(2) draws it: one word.
  std::int64_t bit() { return static_cast<std::int64_t>(words_() & 1U); }

  /// U[0, 1) of 53 bits, as random_sample() and rand() draw it: two words.
  double uniform() {
    const std::uint_fast32_t high = words_() >> 5;
    const std::uint_fast32_t low = words_() >> 6;
    return (static_cast<double>(high) * 67108864.0 + static_cast<double>(low)) / 9007199254740992.0;
  }

  /// U[low, high), as uniform(low, high) draws it.
  double uniform(double low, double high) { return low + (high - low) * uniform(); }

 private:
  std::mt19937 words_;
};

}  // namespace unroll
