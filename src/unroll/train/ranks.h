// Several processes that train one model together.
#pragma once

#include <cstdint>
#include <string>

#include <unroll/base/error.h>

namespace at {
class Tensor;
}

namespace unroll {

/// Another rank has failed, died or not come in time, or the ranks did not find each other. The
/// message names the rank where it is known.
class RankError : public Error {
 public:
  using Error::Error;
};

/// The ranks 0 .. size() - 1, each a process, as one of them sees them. All ranks make the same
/// calls in the same order; a call waits for the others, for a limited time.
class Ranks {
 public:
  virtual ~Ranks() = default;
  Ranks() = default;
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  [[nodiscard]] virtual std::int64_t rank() const = 0;
  [[nodiscard]] virtual std::int64_t size() const = 0;

  /// Which of the ranks on its machine it is, from 0: which GPU is its own.
  [[nodiscard]] virtual std::int64_t local_rank() const = 0;

  /// Replaces a contiguous tensor, on the CPU or on this rank's GPU, by its sum over the ranks, the
  /// same bits on each.
  /// @throws RankError
  virtual void sum(at::Tensor& values) = 0;

  /// Replaces every number of a contiguous tensor on the CPU by the largest of the ranks'.
  /// @throws RankError
  virtual void maximum(at::Tensor& values) = 0;

  /// Rank 0's text, on every rank.
  /// @throws RankError
  virtual std::string broadcast(const std::string& text) = 0;

  /// Waits until rank 0 makes this call too, however long that takes, as long as rank 0 lives.
  /// @throws RankError
  virtual void wait_for_rank_0() = 0;

  /// Waits until all ranks make this call, however long that takes, as long as all live.
  /// @throws RankError
  virtual void meet() = 0;

  /// Tells the others that this rank has failed, and why: their next call throws it. The first to
  /// fail is heard.
  virtual void fail(const std::string& problem) noexcept = 0;
};

/// Of the B rows of every window, those that one rank trains: [r B / R, (r + 1) B / R) of R ranks.
struct RowShare {
  std::int64_t first;
  std::int64_t count;  ///< differs between ranks by one at most
};

inline RowShare share_of(const Ranks& ranks, std::int64_t batch_size) {
  const std::int64_t first = ranks.rank() * batch_size / ranks.size();
  return {.first = first, .count = (ranks.rank() + 1) * batch_size / ranks.size() - first};
}

}  // namespace unroll
