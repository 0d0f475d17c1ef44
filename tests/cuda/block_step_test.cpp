// The GPU's training step of a small network, run on the CPU, against the step of the scalar twins.

#include <unroll/cuda/block_step.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <unroll/kernels/reference_kernels.h>
#include <unroll/kernels/step.h>

#include "../kernels/step_caller.h"
#include "../support/cpu_plugin.h"

namespace unroll::cuda {
namespace {

using kernels::StepShape;
using unroll::testing::Caller;
using unroll::testing::CpuPlugin;
using unroll::testing::expect_near;
using unroll::testing::kSharedBytes;
using unroll::testing::LaneOrder;
using unroll::testing::text;
using unroll::testing::train;

/// Has the interface of kernels::Step. What it has in shared memory is gone after each call, as it
/// is on a GPU: all that stays is the caller's.
template <class Real>
class StepInTurns {
 public:
  StepInTurns(const StepShape& shape, LaneOrder order)
      : plan_(plan_block_step<Real>(shape, kSharedBytes).value()), order_(order) {}

  void load_parameters(const kernels::ParameterViews<Real>& parameters) {
    call_.parameters = parameters;
  }
  void load_state(const Real* state) {
    state_.assign(state, state + static_cast<std::ptrdiff_t>(plan_.B) * plan_.H);
  }
  void run(const kernels::SymbolRows& symbols, std::int64_t count, Real learning_rate,
           Real* losses) {
    call_.symbols = symbols;
    call_.state = state_.data();
    call_.losses = losses;
    call_.count = count;
    call_.learning_rate = learning_rate;
    CpuPlugin(kSharedBytes, order_).run(call_, plan_);
  }
  void store_parameters(const kernels::ParameterViews<Real>& /*parameters*/) const {}
  void store_state(Real* state) const { std::copy(state_.begin(), state_.end(), state); }

 private:
  BlockStepPlan plan_;
  LaneOrder order_;
  BlockStepCall<Real> call_ = {};
  std::vector<Real> state_;
};

/// One row, one step, one unit; few rows and tiles of them, whole and not; more work than lanes.
std::vector<StepShape> shapes() {
  std::vector<StepShape> all;
  for (const std::int64_t H : {1, 5, 33}) {
    for (const std::int64_t C : {1, 2, 5}) {
      for (const std::int64_t B : {1, 3, 37}) {
        const std::int64_t T = 1 + (3 * H + C + B) % 7;
        all.push_back({.batch_size = B, .num_steps = T, .num_classes = C, .hidden_size = H});
      }
    }
  }
  all.push_back({.batch_size = 3, .num_steps = 10, .num_classes = 2, .hidden_size = 4});
  all.push_back({.batch_size = 32, .num_steps = 10, .num_classes = 2, .hidden_size = 32});
  all.push_back({.batch_size = 5, .num_steps = 2, .num_classes = 300, .hidden_size = 7});
  all.push_back({.batch_size = 8, .num_steps = 3, .num_classes = 2, .hidden_size = 80});
  return all;
}

template <class Real>
void check_step(const StepShape& shape, double tolerance) {
  constexpr std::int64_t kWindows = 40;  // of more than one chunk of symbols
  const kernels::Kernels<Real> twins =
      kernels::ReferenceKernels<Real>::kernels({.hidden = 1, .classes = 1});
  Caller<Real> expected(shape);
  const std::vector<Real> expected_losses =
      train(expected, kernels::Step<Real>(shape, twins), kWindows, kWindows);
  Caller<Real> actual(shape);
  const std::vector<Real> losses =
      train(actual, StepInTurns<Real>(shape, LaneOrder::kUp), kWindows, kWindows);
  expect_near(losses, expected_losses, tolerance);
  expect_near(actual.weights, expected.weights, tolerance);
  expect_near(actual.state, expected.state, tolerance);

  // No lane reads what another writes in the same phase, and portions change nothing.
  for (const LaneOrder order : {LaneOrder::kDown, LaneOrder::kAnyhow}) {
    Caller<Real> again(shape);
    EXPECT_EQ(train(again, StepInTurns<Real>(shape, order), kWindows, 15), losses);
    EXPECT_EQ(again.weights, actual.weights);
    EXPECT_EQ(again.state, actual.state);
  }
}

TEST(BlockStep, IsTheTwinsStepInAnyOrderOfTheLanes) {
  for (const StepShape& shape : shapes()) {
    SCOPED_TRACE(text(shape));
    check_step<float>(shape, 2e-5);
    check_step<double>(shape, 1e-13);
    if (HasFatalFailure()) {
      return;
    }
  }
}

TEST(BlockStep, DividesAsIntegersDo) {
  for (const int divisor : {1, 2, 3, 7, 31, 32, 33, 100, 1'023, 65'536}) {
    const Divisor by(divisor);
    for (int n = 0; n < 70'000; n += 1 + n / 300) {
      ASSERT_EQ(by.divide(n), n / divisor) << n << " / " << divisor;
    }
    for (int n = divisor; n <= 65'536; n += divisor) {
      ASSERT_EQ(by.divide(n), n / divisor) << n << " / " << divisor;
      ASSERT_EQ(by.divide(n - 1), (n - 1) / divisor) << n - 1 << " / " << divisor;
    }
  }
}

TEST(BlockStep, FitsWhereItsMemoryDoes) {
  const StepShape shape = {.batch_size = 32, .num_steps = 25, .num_classes = 2, .hidden_size = 32};
  const auto plan = plan_block_step<float>(shape, kSharedBytes);
  ASSERT_TRUE(plan.has_value());
  EXPECT_TRUE(plan_block_step<float>(shape, plan->bytes).has_value());
  EXPECT_FALSE(plan_block_step<float>(shape, plan->bytes - 1).has_value());
  EXPECT_EQ(plan->lanes, 1024);
  EXPECT_EQ(
      plan_block_step<float>({.batch_size = 3, .num_steps = 10, .num_classes = 2, .hidden_size = 4},
                             kSharedBytes)
          ->lanes,
      64);
}

TEST(BlockStep, HasNoPlanForWhatFitsInNoBlock) {
  constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
  for (const StepShape& shape : {
           StepShape{.batch_size = kLargest, .num_steps = 1, .num_classes = 1, .hidden_size = 1},
           StepShape{.batch_size = 1, .num_steps = kLargest, .num_classes = 1, .hidden_size = 1},
           StepShape{.batch_size = 1, .num_steps = 1, .num_classes = kLargest, .hidden_size = 1},
           StepShape{.batch_size = 1, .num_steps = 1, .num_classes = 1, .hidden_size = kLargest},
           StepShape{.batch_size = 60'000,
           .num_steps = 60'000,
           .num_classes = 60'000,
           .hidden_size = 60'000},
           StepShape{.batch_size = 64, .num_steps = 64, .num_classes = 2, .hidden_size = 256},
           StepShape{.batch_size = 1, .num_steps = 65'536, .num_classes = 1, .hidden_size = 1},
       }) {
    SCOPED_TRACE(text(shape));
    EXPECT_FALSE(plan_block_step<float>(shape, kSharedBytes).has_value());
    EXPECT_FALSE(plan_block_step<double>(shape, kSharedBytes).has_value());
  }
}

}  // namespace
}  // namespace unroll::cuda
