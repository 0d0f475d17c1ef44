// How much to train at a time where a wish to stop must be heard soon.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace unroll {

/// How many windows to train between two questions whether to stop: so many as take some 20 ms, so
/// that the answer comes soon and asking costs nothing.
class Portion {
 public:
  [[nodiscard]] std::int64_t windows() const { return windows_; }

  void took(std::chrono::steady_clock::duration time) {
    constexpr std::chrono::milliseconds kShort(10);
    constexpr std::chrono::milliseconds kLong(40);
    constexpr std::int64_t kMost = 1 << 20;
    if (time < kShort) {
      windows_ = std::min(2 * windows_, kMost);
    } else if (time > kLong) {
      windows_ = std::max<std::int64_t>(windows_ / 2, 1);
    }
  }

  /// Takes over what another process has found.
  void set(std::int64_t windows) { windows_ = windows; }

 private:
  std::int64_t windows_ = 1;
};

}  // namespace unroll
