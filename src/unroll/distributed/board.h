// What the ranks tell each other beside their tensors: who is there, who lives, and why one failed.
#pragma once

#include <torch/csrc/distributed/c10d/Store.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <unroll/distributed/options.h>
#include <unroll/train/ranks.h>

namespace unroll {

/// One rank's view of the store that all share, c10d's TCPStore at rank 0 or at the launcher. It
/// shows the others twice a second that this rank lives.
class RankBoard {
 public:
  /// Connects, and waits for all ranks to do so.
  /// @throws RankError that says which of them have not come, or what does not fit together
  explicit RankBoard(const RankOptions& options);
  /// Leaves. Rank 0 waits a little for the others, who may still have something to read.
  ~RankBoard();
  RankBoard(const RankBoard&) = delete;
  RankBoard& operator=(const RankBoard&) = delete;

  /// For whom else needs one.
  [[nodiscard]] const c10::intrusive_ptr<c10d::Store>& store() const { return store_; }

  /// Whether the ranks run on more than one host.
  [[nodiscard]] bool spans_hosts() const;

  /// Waits until rank 0 makes this call too.
  /// @throws RankError if rank 0 dies instead, or any rank fails
  void wait_for_rank_0();

  /// Waits until all ranks make this call.
  /// @throws RankError if one dies instead, or fails
  void meet();

  /// Makes this rank's failure known, unless another's is.
  void report_failure(const std::string& problem) noexcept;

  /// Finds out why the ranks cannot go on, where all that is known is that a call to the others has
  /// failed with `symptom`. Takes some seconds if a rank has died without a word.
  [[nodiscard]] RankError explain(const std::string& symptom);

 private:
  class Heartbeat;

  /// Makes calls to the store.
  /// @throws RankError if it does not answer, and what the calls throw of that kind
  template <class Body>
  void with_store(const Body& body) const;

  void connect();
  void claim_rank();
  void wait_for_all_to_come();
  /// Waits for keys of the store, as long as the first `count` ranks live.
  void wait_for(const std::vector<std::string>& keys, std::int64_t count);
  void publish_failure(const std::string& sentence);
  /// Waits for keys of the store, for half a second; whether all are there.
  [[nodiscard]] bool comes(const std::vector<std::string>& keys) const;
  [[nodiscard]] std::optional<std::string> failure() const;
  /// Where the heartbeats of the first `count` ranks stand.
  [[nodiscard]] std::vector<std::string> beats(std::int64_t count) const;
  [[nodiscard]] std::string describe(const std::vector<std::int64_t>& ranks) const;
  /// A sentence that names the ranks which have not come.
  [[nodiscard]] std::string describe_missing() const;
  /// A sentence that names the ranks which stay silent, or the failure that one has reported.
  [[nodiscard]] std::string find_cause(const std::string& symptom);
  [[nodiscard]] std::string without_store() const;
  [[nodiscard]] bool is_host() const;

  RankOptions options_;
  c10::intrusive_ptr<c10d::Store> store_;
  std::unique_ptr<Heartbeat> heartbeat_;
  std::int64_t meetings_ = 0;           // with rank 0, or of all
  std::int64_t expected_;               // ranks that rank 0 waits for in the end
  std::chrono::milliseconds patience_;  // and how long
};

}  // namespace unroll
