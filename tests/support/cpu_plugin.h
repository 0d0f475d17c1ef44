// What the CUDA library does, done by the CPU: a kernel's lanes take turns, and a graph is the
// function that was recorded.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <unroll/cuda/plugin.h>

namespace unroll::testing {

/// The shared memory of a block on an H100.
inline constexpr std::size_t kSharedBytes = std::size_t{227} * 1024;

enum class LaneOrder { kUp, kDown, kAnyhow };

/// A block whose lanes take turns, in another order in every phase or always in the same.
class TurnsBlock {
 public:
  TurnsBlock(int lanes, LaneOrder order) : order_(order), turns_(static_cast<std::size_t>(lanes)) {
    std::iota(turns_.begin(), turns_.end(), 0);
    if (order == LaneOrder::kDown) {
      std::reverse(turns_.begin(), turns_.end());
    }
  }

  template <class Phase>
  void run(const Phase& phase) const {
    if (order_ == LaneOrder::kAnyhow) {
      std::shuffle(turns_.begin(), turns_.end(), random_);
    }
    for (const int lane : turns_) {
      phase(lane);
    }
  }

 private:
  LaneOrder order_;
  mutable std::vector<int> turns_;
  mutable std::mt19937 random_{3};
};

/// Counts what is asked of it. Records without doing the work, as CUDA does.
class FunctionGraph final : public cuda::Graph {
 public:
  struct Counts {
    int rehearsals = 0;
    int records = 0;
    int replays = 0;

    bool operator==(const Counts&) const = default;
  };

  explicit FunctionGraph(Counts& counts) : counts_(counts) {}

  void rehearse(const std::function<void()>& work) override {
    ++counts_.rehearsals;
    work();
  }
  void record(const std::function<void()>& work) override {
    ++counts_.records;
    work_ = work;
  }
  void replay() override {
    ++counts_.replays;
    work_();
  }

 private:
  Counts& counts_;
  std::function<void()> work_;
};

class CpuPlugin final : public cuda::Plugin {
 public:
  explicit CpuPlugin(std::size_t shared_bytes = kSharedBytes, LaneOrder order = LaneOrder::kUp)
      : shared_bytes_(shared_bytes), order_(order) {}

  [[nodiscard]] std::unique_ptr<cuda::Graph> make_graph() const override {
    return std::make_unique<FunctionGraph>(counts);
  }
  [[nodiscard]] std::string communicator_problem() const override { return no_communicator; }
  [[nodiscard]] std::unique_ptr<cuda::Communicator> make_communicator(
      c10d::Store& /*store*/, int /*rank*/, int /*size*/,
      std::chrono::seconds /*timeout*/) const override {
    throw std::logic_error("there are no GPUs to sum over");
  }
  [[nodiscard]] std::size_t shared_bytes() const override { return shared_bytes_; }
  void run(const cuda::BlockStepCall<float>& call, const cuda::BlockStepPlan& plan) const override {
    run_in_turns(call, plan);
  }
  void run(const cuda::BlockStepCall<double>& call,
           const cuda::BlockStepPlan& plan) const override {
    run_in_turns(call, plan);
  }

  mutable FunctionGraph::Counts counts;  ///< of all its graphs
  std::string no_communicator;           ///< its communicator_problem()

 private:
  template <class Real>
  void run_in_turns(const cuda::BlockStepCall<Real>& call, const cuda::BlockStepPlan& plan) const {
    // What is read before it is written shows: it is no number.
    struct alignas(cuda::kRowsOfTile * sizeof(Real)) Tile {
      std::array<Real, cuda::kRowsOfTile> of;
    };
    Tile nothing;
    nothing.of.fill(std::numeric_limits<Real>::quiet_NaN());
    std::vector<Tile> shared(plan.bytes / sizeof(Tile) + 1, nothing);
    const TurnsBlock block(plan.lanes, order_);
    if (plan.rows == 1) {
      cuda::BlockStep<Real, 1>(call, plan, shared.data()).run(block);
    } else {
      cuda::BlockStep<Real, cuda::kRowsOfTile>(call, plan, shared.data()).run(block);
    }
  }

  std::size_t shared_bytes_;
  LaneOrder order_;
};

}  // namespace unroll::testing
