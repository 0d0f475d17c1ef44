#include <unroll/data/numpy_random.h>

#include <algorithm>

namespace unroll {
namespace {

/// One turn of the recurrence: of the state's words k, k + 1 and k + 397.
std::uint32_t twist(std::uint32_t word, std::uint32_t next, std::uint32_t far) {
  const std::uint32_t joined = (word & 0x80000000U) | (next & 0x7FFFFFFFU);
  return far ^ (joined >> 1) ^ ((next & 1U) * 0x9908B0DFU);
}

std::uint32_t temper(std::uint32_t word) {
  word ^= word >> 11;
  word ^= (word << 7) & 0x9D2C5680U;
  word ^= (word << 15) & 0xEFC60000U;
  return word ^ (word >> 18);
}

}  // namespace

NumpyRandom::NumpyRandom(std::uint32_t seed) : state_(), words_() {
  state_[0] = seed;
  for (std::size_t i = 1; i < kSize; ++i) {
    const std::uint32_t previous = state_[i - 1];
    state_[i] = 1812433253U * (previous ^ (previous >> 30)) + static_cast<std::uint32_t>(i);
  }
}

// init_by_array of mt19937ar.c (Matsumoto and Nishimura 2002).
NumpyRandom::NumpyRandom(const std::vector<std::uint32_t>& key) : NumpyRandom(19650218U) {
  std::size_t i = 1;
  const auto mix = [&](std::uint32_t factor) {
    const std::uint32_t previous = state_[i - 1];
    state_[i] ^= factor * (previous ^ (previous >> 30));
    return &state_[i];
  };
  const auto advance = [&] {
    if (++i == kSize) {
      state_[0] = state_[kSize - 1];
      i = 1;
    }
  };
  for (std::size_t k = 0; k < std::max(kSize, key.size()); ++k) {
    const std::size_t j = k % key.size();
    *mix(1664525U) += key[j] + static_cast<std::uint32_t>(j);
    advance();
  }
  for (std::size_t k = 0; k < kSize - 1; ++k) {
    *mix(1566083941U) -= static_cast<std::uint32_t>(i);
    advance();
  }
  state_[0] = 0x80000000U;
}

void NumpyRandom::skip(std::uint64_t count) {
  const std::uint64_t ready = kSize - next_;
  if (count <= ready) {
    next_ += static_cast<std::size_t>(count);
    return;
  }
  count -= ready;
  for (; count > kSize; count -= kSize) {
    twist_all();
  }
  refill();
  next_ = static_cast<std::size_t>(count);
}

void NumpyRandom::twist_all() {
  constexpr std::size_t kFar = 397;
  for (std::size_t k = 0; k < kSize - kFar; ++k) {
    state_[k] = twist(state_[k], state_[k + 1], state_[k + kFar]);
  }
  for (std::size_t k = kSize - kFar; k < kSize - 1; ++k) {
    state_[k] = twist(state_[k], state_[k + 1], state_[k + kFar - kSize]);
  }
  state_[kSize - 1] = twist(state_[kSize - 1], state_[0], state_[kFar - 1]);
}

void NumpyRandom::refill() {
  twist_all();
  for (std::size_t k = 0; k < kSize; ++k) {
    words_[k] = temper(state_[k]);
  }
  next_ = 0;
}

}  // namespace unroll
