// NumPy's legacy random stream, bit for bit, so that Python can repeat every number that Unroll
// draws.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace unroll {

/// What numpy.random.RandomState(seed) draws (and numpy.random after numpy.random.seed(seed)): the
/// 32-bit words of the Mersenne Twister MT19937 (Matsumoto and Nishimura 1998), with NumPy's way of
/// making numbers from them. The words are std::mt19937's, made 624 at a time, which a compiler can
/// do in vectors: a sampled series takes half the time.
class NumpyRandom {
 public:
  explicit NumpyRandom(std::uint32_t seed);
  /// RandomState(key): a stream that no single seed gives. The key must not be empty.
  explicit NumpyRandom(const std::vector<std::uint32_t>& key);

  /// A fair bit, as choice(2) draws it: one word.
  std::int64_t bit() { return static_cast<std::int64_t>(word() & 1U); }

  /// U[0, 1) of 53 bits, as random_sample() and rand() draw it: two words.
  double uniform() {
    const std::uint32_t high = word() >> 5;
    const std::uint32_t low = word() >> 6;
    return (static_cast<double>(high) * 67108864.0 + static_cast<double>(low)) / 9007199254740992.0;
  }

  /// U[low, high), as uniform(low, high) draws it.
  double uniform(double low, double high) { return low + (high - low) * uniform(); }

  /// Goes on by `count` words without making them.
  void skip(std::uint64_t count);

  /// The next word, uniform over all 32-bit numbers.
  std::uint32_t word() {
    if (next_ == kSize) {
      refill();
    }
    return words_[next_++];
  }

 private:
  static constexpr std::size_t kSize = 624;

  /// Makes the next 624 words.
  void refill();
  /// Takes the state on by 624 words.
  void twist_all();

  std::array<std::uint32_t, kSize> state_;
  std::array<std::uint32_t, kSize> words_;
  std::size_t next_ = kSize;  // in words_
};

}  // namespace unroll
