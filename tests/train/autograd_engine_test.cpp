// The training step, against gradients of a network that is written without LibTorch.

#include <unroll/train/autograd_engine.h>

#include <gtest/gtest.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <unroll/base/error.h>
#include <unroll/data/window_dataset.h>
#include <unroll/model/model.h>

#include "../support/reference_rnn.h"
#include "../support/spread_model.h"
#include "../support/tensors.h"

namespace unroll {
namespace {

using testing::ReferenceRnn;
using testing::State;

class AutogradEngineTest : public ::testing::TestWithParam<ModelKind> {
 protected:
  static constexpr std::int64_t kClasses = 3;
  static constexpr std::int64_t kHidden = 4;
  static constexpr std::int64_t kBatch = 2;
  static constexpr std::int64_t kSteps = 5;
  static constexpr std::int64_t kWindows = 12;

  AutogradEngineTest()
      : dataset(testing::scrambled_series(kWindows * kBatch * kSteps, kClasses),
                {.batch_size = kBatch, .num_steps = kSteps}, torch::kCPU),
        initial(testing::spread({kBatch, kHidden}, 0.9, 0.2)) {}

  static std::shared_ptr<RecurrentModel> make(torch::Dtype dtype) {
    return testing::spread_model(
        {.model = GetParam(), .num_classes = kClasses, .hidden_size = kHidden}, dtype);
  }

  /// The network without LibTorch, with these weights.
  static ReferenceRnn reference(const std::vector<double>& weights) {
    return {kClasses, kHidden, weights};
  }

  /// The loss of window `index`, starting from `state`.
  [[nodiscard]] double reference_loss(const std::vector<double>& weights, std::int64_t index,
                                      const State& state) const {
    const Window window = dataset.window(index);
    return reference(weights).loss(testing::symbol_rows(window.inputs),
                                   testing::symbol_rows(window.targets), state);
  }

  /// The state that window `index` leaves, starting from `state`.
  [[nodiscard]] State reference_state(const std::vector<double>& weights, std::int64_t index,
                                      const State& state) const {
    return reference(weights)
        .forward(testing::symbol_rows(dataset.window(index).inputs), state)
        .state;
  }

  WindowDataset dataset;
  torch::Tensor initial;
};

INSTANTIATE_TEST_SUITE_P(Models, AutogradEngineTest,
                         ::testing::Values(ModelKind::kManual, ModelKind::kBuiltin),
                         testing::model_name);

std::vector<double> descended(const std::vector<double>& weights,
                              const std::vector<double>& gradient, double learning_rate) {
  std::vector<double> result;
  result.reserve(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    result.push_back(weights[i] - learning_rate * gradient[i]);
  }
  return result;
}

TEST_P(AutogradEngineTest, StepsDownTheGradientOfTheWindowsLoss) {
  const auto model = make(torch::kFloat64);
  AutogradEngine engine(model, {.learning_rate = 0.5});
  const std::vector<double> before = testing::flatten(model->weights());
  const State state = testing::state_rows(initial);

  const Advance advance = engine.advance(dataset, {.first = 3, .count = 1}, initial);

  const std::vector<double> gradient = testing::central_differences(
      before,
      [&](const std::vector<double>& weights) { return reference_loss(weights, 3, state); });
  testing::expect_near(testing::flatten(model->weights()), descended(before, gradient, 0.5), 1e-9);
  testing::expect_near(testing::numbers(advance.losses), {reference_loss(before, 3, state)}, 1e-13);
  EXPECT_EQ(testing::state_rows(advance.state).size(), state.size());
  for (std::size_t row = 0; row < state.size(); ++row) {
    testing::expect_near(testing::state_rows(advance.state)[row],
                         reference_state(before, 3, state)[row], 1e-13);
  }
}

TEST_P(AutogradEngineTest, CarriesTheStatesValueAndCutsItsGradient) {
  const auto model = make(torch::kFloat64);
  AutogradEngine engine(model, {.learning_rate = 0.5});
  const std::vector<double> start = testing::flatten(model->weights());
  const State first_state = testing::state_rows(initial);

  const Advance advance = engine.advance(dataset, {.first = 0, .count = 2}, initial);

  // The first window's update, and the state that it leaves: the one before the update.
  const std::vector<double> first_gradient = testing::central_differences(
      start,
      [&](const std::vector<double>& weights) { return reference_loss(weights, 0, first_state); });
  const std::vector<double> middle = descended(start, first_gradient, 0.5);
  const State carried = reference_state(start, 0, first_state);
  // The second window's, with the carried state as a constant.
  const std::vector<double> truncated = testing::central_differences(
      middle,
      [&](const std::vector<double>& weights) { return reference_loss(weights, 1, carried); });
  testing::expect_near(testing::numbers(advance.losses),
                       {reference_loss(start, 0, first_state), reference_loss(middle, 1, carried)},
                       1e-9);
  testing::expect_near(testing::flatten(model->weights()), descended(middle, truncated, 0.5), 1e-8);

  // What a gradient that is not cut would have been: the carried state moves with the weights, from
  // the value it has.
  const State anchor = reference_state(middle, 0, first_state);
  const std::vector<double> full =
      testing::central_differences(middle, [&](const std::vector<double>& weights) {
        State state = reference_state(weights, 0, first_state);
        for (std::size_t row = 0; row < state.size(); ++row) {
          for (std::size_t j = 0; j < state[row].size(); ++j) {
            state[row][j] += carried[row][j] - anchor[row][j];
          }
        }
        return reference_loss(weights, 1, state);
      });
  double largest = 0.0;
  for (std::size_t i = 0; i < full.size(); ++i) {
    largest = std::max(largest, std::abs(full[i] - truncated[i]));
  }
  EXPECT_GT(largest, 1e-3) << "this case could not tell a cut gradient from one that is not";
}

TEST_P(AutogradEngineTest, GivesLossesAndStateWithoutHistory) {
  for (const torch::Dtype dtype : {torch::kFloat32, torch::kFloat64}) {
    AutogradEngine engine(make(dtype), {});
    const Advance advance =
        engine.advance(dataset, {.first = 0, .count = kWindows}, initial.to(dtype));
    EXPECT_EQ(advance.losses.sizes().vec(), (std::vector<std::int64_t>{kWindows}));
    EXPECT_EQ(advance.state.sizes().vec(), (std::vector<std::int64_t>{kBatch, kHidden}));
    EXPECT_EQ(advance.losses.scalar_type(), dtype);
    EXPECT_EQ(advance.state.scalar_type(), dtype);
    for (const torch::Tensor& tensor : {advance.losses, advance.state}) {
      EXPECT_FALSE(tensor.requires_grad());
      EXPECT_EQ(tensor.grad_fn(), nullptr);
    }
  }
}

TEST_P(AutogradEngineTest, LeavesTheStateItIsGivenAsItWas) {
  AutogradEngine engine(make(torch::kFloat64), {});
  const torch::Tensor before = initial.clone();
  engine.advance(dataset, {.first = 0, .count = 2}, initial);
  EXPECT_TRUE(torch::equal(initial, before));
}

TEST_P(AutogradEngineTest, ForgetsTheGradientOfTheWindowBefore) {
  // After a window the gradients are that window's own, not a sum.
  const auto model = make(torch::kFloat64);
  AutogradEngine engine(model, {.learning_rate = 1e-300});  // moves nothing
  const std::vector<double> before = testing::flatten(model->weights());
  engine.advance(dataset, {.first = 0, .count = 5}, initial);
  ASSERT_EQ(testing::flatten(model->weights()), before);
  std::vector<torch::Tensor> after_five;
  for (const torch::Tensor& parameter : model->parameters()) {
    if (parameter.requires_grad()) {
      after_five.push_back(parameter.grad().clone());
    }
  }
  const auto fresh = make(torch::kFloat64);
  State state = testing::state_rows(initial);
  for (std::int64_t k = 0; k < 4; ++k) {
    state = reference_state(before, k, state);
  }
  torch::Tensor carried = torch::empty({kBatch, kHidden}, torch::kFloat64);
  for (std::int64_t row = 0; row < kBatch; ++row) {
    carried[row].copy_(testing::float64(state[static_cast<std::size_t>(row)], {kHidden}));
  }
  AutogradEngine(fresh, {.learning_rate = 1e-300})
      .advance(dataset, {.first = 4, .count = 1}, carried);
  std::size_t i = 0;
  for (const torch::Tensor& parameter : fresh->parameters()) {
    if (parameter.requires_grad()) {
      testing::expect_near(testing::numbers(after_five[i++]), testing::numbers(parameter.grad()),
                           1e-12);
    }
  }
}

TEST_P(AutogradEngineTest, GivesTheSameBitsHoweverARangeIsSplit) {
  for (const torch::Dtype dtype : {torch::kFloat32, torch::kFloat64}) {
    for (const OptimizerKind kind :
         {OptimizerKind::kSgd, OptimizerKind::kAdagrad, OptimizerKind::kAdam}) {
      SCOPED_TRACE(name_of(kind));
      const OptimizerOptions optimizer = {.optimizer = kind, .learning_rate = 0.1};
      const auto whole_model = make(dtype);
      AutogradEngine whole_engine(whole_model, optimizer);
      const Advance whole =
          whole_engine.advance(dataset, {.first = 0, .count = kWindows}, initial.to(dtype));

      const auto split_model = make(dtype);
      AutogradEngine split_engine(split_model, optimizer);
      std::vector<torch::Tensor> losses;
      torch::Tensor state = initial.to(dtype);
      for (const WindowRange range :
           {WindowRange{0, 1}, WindowRange{1, 4}, WindowRange{5, kWindows - 5}}) {
        const Advance advance = split_engine.advance(dataset, range, state);
        losses.push_back(advance.losses);
        state = advance.state;
      }

      EXPECT_TRUE(torch::equal(torch::cat(losses), whole.losses));
      EXPECT_TRUE(torch::equal(state, whole.state));
      EXPECT_TRUE(testing::same(split_model->weights(), whole_model->weights()));
    }
  }
}

TEST_P(AutogradEngineTest, TrainsEveryWeight) {
  const auto model = make(torch::kFloat64);
  const std::vector<double> before = testing::flatten(model->weights());
  AutogradEngine engine(model, {});
  engine.advance(dataset, {.first = 0, .count = kWindows}, initial);
  const std::vector<double> after = testing::flatten(model->weights());
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_NE(after[i], before[i]) << "at " << i;
  }
}

TEST_P(AutogradEngineTest, StartsAnEpochFromZeros) {
  const AutogradEngine engine(make(torch::kFloat32), {});
  const torch::Tensor state = engine.initial_state(6);
  EXPECT_EQ(state.sizes().vec(), (std::vector<std::int64_t>{6, kHidden}));
  EXPECT_EQ(state.scalar_type(), torch::kFloat32);
  EXPECT_EQ(state.count_nonzero().item<std::int64_t>(), 0);
}

TEST_P(AutogradEngineTest, ThrowsForWindowsBeyondTheDataset) {
  AutogradEngine engine(make(torch::kFloat64), {});
  EXPECT_THROW(engine.advance(dataset, {.first = kWindows - 1, .count = 2}, initial),
               std::out_of_range);
  EXPECT_THROW(engine.advance(dataset, {.first = -1, .count = 1}, initial), std::out_of_range);
}

TEST_P(AutogradEngineTest, RefusesALearningRateThatIsNotFiniteAndPositive) {
  const auto model = make(torch::kFloat32);
  for (const double rate : {0.0, -0.2, std::numeric_limits<double>::infinity(),
                            std::numeric_limits<double>::quiet_NaN()}) {
    try {
      const AutogradEngine engine(model, {.learning_rate = rate});
      ADD_FAILURE() << rate << " was taken";
    } catch (const InvalidOption& error) {
      EXPECT_EQ(error.option(), "learning_rate");
    }
  }
}

TEST(AutogradEngine, LeavesTheBuiltinModelsSecondBiasAtZero) {
  const ModelOptions options = {.model = ModelKind::kBuiltin};
  for (const OptimizerKind kind :
       {OptimizerKind::kSgd, OptimizerKind::kAdagrad, OptimizerKind::kAdam}) {
    const auto model = testing::spread_model(options, torch::kFloat32);
    const WindowDataset dataset(testing::scrambled_series(600, 2), {}, torch::kCPU);
    AutogradEngine engine(model, {.optimizer = kind, .learning_rate = 0.1});
    engine.advance(dataset, {.first = 0, .count = 20}, engine.initial_state(3));
    const auto parameters = model->named_parameters();
    EXPECT_EQ(parameters["rnn.bias_hh_l0"].count_nonzero().item<std::int64_t>(), 0);
    EXPECT_FALSE(torch::equal(parameters["rnn.bias_ih_l0"],
                              testing::spread_weights(options, torch::kFloat32).bias));
  }
}

}  // namespace
}  // namespace unroll
