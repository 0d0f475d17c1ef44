// The fused engine against the autograd engine: the same function of the same parameters.

#include <unroll/train/fused_engine.h>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <ostream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <vector>

#include <unroll/base/error.h>
#include <unroll/data/window_dataset.h>
#include <unroll/model/model.h>
#include <unroll/train/autograd_engine.h>

#include "../support/tensors.h"

namespace unroll {
namespace {

struct FusedCase {
  ModelKind model;
  std::int64_t B;
  std::int64_t T;
  std::int64_t C;
  std::int64_t H;
};

std::ostream& operator<<(std::ostream& stream, const FusedCase& s) {
  return stream << name_of(s.model) << "B" << s.B << "T" << s.T << "C" << s.C << "H" << s.H;
}

/// The corners by hand, then 60 at random.
std::vector<FusedCase> cases() {
  std::vector<FusedCase> all = {
      {ModelKind::kManual, 3, 10, 2, 4},  {ModelKind::kBuiltin, 3, 10, 2, 4},
      {ModelKind::kManual, 1, 1, 2, 1},   {ModelKind::kBuiltin, 1, 1, 17, 1},
      {ModelKind::kManual, 1, 5, 2, 16},  {ModelKind::kBuiltin, 16, 1, 3, 5},
      {ModelKind::kBuiltin, 40, 2, 2, 4}, {ModelKind::kManual, 2, 3, 16, 33},
      {ModelKind::kManual, 3, 5, 1, 4},   {ModelKind::kBuiltin, 2, 6, 1, 9}};
  std::mt19937 random(42);
  const auto between = [&](std::uint32_t low, std::uint32_t high) {
    return static_cast<std::int64_t>(low + random() % (high - low + 1));
  };
  for (int i = 0; i < 60; ++i) {
    const ModelKind model = i % 2 == 0 ? ModelKind::kManual : ModelKind::kBuiltin;
    const std::int64_t B = between(1, 14);
    const std::int64_t T = between(1, 8);
    const std::int64_t C = i % 3 == 0 ? 2 : between(2, 17);
    const std::int64_t H = i % 4 == 0 ? between(1, 4) : between(1, 40);
    all.push_back({model, B, T, C, H});
  }
  return all;
}

std::shared_ptr<RecurrentModel> make(const FusedCase& s, torch::Dtype dtype) {
  const ModelOptions options = {.model = s.model, .num_classes = s.C, .hidden_size = s.H};
  auto model = make_model(options, dtype, torch::kCPU);
  model->set_weights(glorot_weights(options, 9, dtype));
  return model;
}

class FusedEngineTest : public ::testing::TestWithParam<FusedCase> {};

INSTANTIATE_TEST_SUITE_P(Sizes, FusedEngineTest, ::testing::ValuesIn(cases()), [](const auto& s) {
  std::ostringstream name;
  name << s.index << s.param;
  return name.str();
});

// They part by up to 2e-14, on SSE4, AVX2 and AVX-512 alike.
TEST_P(FusedEngineTest, IsTheAutogradEngineOverAThousandWindows) {
  const FusedCase s = GetParam();
  constexpr std::int64_t kWindows = 1000;
  const OptimizerOptions optimizer = {.learning_rate = 0.1};
  const WindowDataset dataset(testing::scrambled_series(kWindows * s.B * s.T, s.C),
                              {.batch_size = s.B, .num_steps = s.T}, torch::kCPU);
  const auto fused_model = make(s, torch::kFloat64);
  const auto autograd_model = make(s, torch::kFloat64);
  FusedEngine fused(fused_model, optimizer);
  AutogradEngine autograd(autograd_model, optimizer);

  const WindowRange all = {.first = 0, .count = kWindows};
  const Advance actual = fused.advance(dataset, all, fused.initial_state(s.B));
  const Advance expected = autograd.advance(dataset, all, autograd.initial_state(s.B));

  testing::expect_near(testing::numbers(actual.losses), testing::numbers(expected.losses), 1e-12);
  testing::expect_near(testing::numbers(actual.state), testing::numbers(expected.state), 1e-12);
  const auto actual_weights = named_tensors(fused_model->weights());
  const auto expected_weights = named_tensors(autograd_model->weights());
  for (std::size_t i = 0; i < actual_weights.size(); ++i) {
    SCOPED_TRACE(actual_weights[i].name);
    testing::expect_near(testing::numbers(actual_weights[i].tensor),
                         testing::numbers(expected_weights[i].tensor), 1e-12);
  }
}

class FusedEngineOf : public ::testing::TestWithParam<ModelKind> {
 protected:
  FusedEngineOf()
      : small({GetParam(), 3, 4, 3, 6}),
        dataset(testing::scrambled_series(720, 3), {.batch_size = 3, .num_steps = 4}, torch::kCPU) {
  }

  FusedCase small;
  WindowDataset dataset;
};

INSTANTIATE_TEST_SUITE_P(Models, FusedEngineOf,
                         ::testing::Values(ModelKind::kManual, ModelKind::kBuiltin),
                         testing::model_name);

TEST_P(FusedEngineOf, LeavesTheCallersStateAsItWas) {
  const auto model = make(small, torch::kFloat32);
  FusedEngine engine(model, {});
  const torch::Tensor state = engine.initial_state(3);
  const Advance advance = engine.advance(dataset, {.first = 0, .count = 5}, state);
  EXPECT_TRUE(torch::equal(state, torch::zeros({3, 6})));
  EXPECT_FALSE(torch::equal(advance.state, state));
}

TEST_P(FusedEngineOf, TrainsToTheSameBitsOnAnyThreads) {
  const FusedCase large = {GetParam(), 64, 16, 2, 130};
  const WindowDataset windows(testing::scrambled_series(6144, 2),
                              {.batch_size = 64, .num_steps = 16}, torch::kCPU);
  const auto model = make(large, torch::kFloat32);
  const Weights initial = model->weights();
  FusedEngine engine(model, {});
  const auto advance = [&](int threads) {
    at::set_num_threads(threads);
    model->set_weights(initial);
    return engine.advance(windows, {.first = 0, .count = 6}, engine.initial_state(64));
  };
  const Advance expected = advance(1);
  const torch::Tensor weight = model->weights().recurrent_weight;
  for (const int threads : {2, 3}) {
    const Advance actual = advance(threads);
    EXPECT_TRUE(torch::equal(actual.losses, expected.losses)) << threads;
    EXPECT_TRUE(torch::equal(actual.state, expected.state)) << threads;
    EXPECT_TRUE(torch::equal(model->weights().recurrent_weight, weight)) << threads;
  }
  at::set_num_threads(1);
}

TEST_P(FusedEngineOf, TakesUpTheWeightsThatWereSetInBetween) {
  const auto model = make(small, torch::kFloat32);
  const Weights initial = model->weights();
  FusedEngine engine(model, {});
  const WindowRange range = {.first = 0, .count = 10};
  const Advance first = engine.advance(dataset, range, engine.initial_state(3));
  model->set_weights(initial);
  const Advance second = engine.advance(dataset, range, engine.initial_state(3));
  EXPECT_TRUE(torch::equal(first.losses, second.losses));
}

TEST_P(FusedEngineOf, RecoversWhenWeightsThatAreNoNumbersAreReplaced) {
  const FusedCase padded = {GetParam(), 3, 4, 2, 5};
  const WindowDataset windows(testing::scrambled_series(720, 2), {.batch_size = 3, .num_steps = 4},
                              torch::kCPU);
  const auto model = make(padded, torch::kFloat32);
  const Weights initial = model->weights();
  FusedEngine engine(model, {});
  const WindowRange range = {.first = 0, .count = 10};
  const Advance first = engine.advance(windows, range, engine.initial_state(3));
  Weights bad = model->weights();
  bad.recurrent_weight = torch::full_like(bad.recurrent_weight, NAN);
  model->set_weights(bad);
  const Advance lost = engine.advance(windows, range, engine.initial_state(3));
  EXPECT_TRUE(torch::isnan(lost.losses).any().item<bool>());
  model->set_weights(initial);
  const Advance second = engine.advance(windows, range, engine.initial_state(3));
  EXPECT_TRUE(torch::equal(first.losses, second.losses));
}

TEST_P(FusedEngineOf, ServesWindowsOfOtherSizesInTurn) {
  const auto model = make(small, torch::kFloat32);
  FusedEngine engine(model, {});
  engine.advance(dataset, {.first = 0, .count = 5}, engine.initial_state(3));
  const Weights between = model->weights();
  const WindowDataset other(testing::scrambled_series(200, 3), {.batch_size = 7, .num_steps = 2},
                            torch::kCPU);
  const Advance advance = engine.advance(other, {.first = 0, .count = 3}, engine.initial_state(7));
  const auto fresh_model = make(small, torch::kFloat32);
  fresh_model->set_weights(between);
  FusedEngine fresh(fresh_model, {});
  const Advance expected = fresh.advance(other, {.first = 0, .count = 3}, fresh.initial_state(7));
  EXPECT_EQ(advance.state.sizes(), (std::vector<std::int64_t>{7, 6}));
  EXPECT_TRUE(torch::equal(advance.losses, expected.losses));
  EXPECT_TRUE(torch::equal(advance.state, expected.state));
}

TEST_P(FusedEngineOf, RefusesMoreClassesThanTheModelHas) {
  const auto model = make(small, torch::kFloat32);
  FusedEngine engine(model, {});
  const WindowDataset other(testing::scrambled_series(60, 4), {.batch_size = 3, .num_steps = 4},
                            torch::kCPU);
  EXPECT_THROW(engine.advance(other, {.first = 0, .count = 1}, engine.initial_state(3)),
               std::invalid_argument);
}

TEST_P(FusedEngineOf, RefusesAStateThatIsNotTheModels) {
  FusedEngine engine(make(small, torch::kFloat32), {});
  const WindowRange range = {.first = 0, .count = 1};
  for (const torch::Tensor& state :
       {torch::zeros({2, 6}), torch::zeros({3, 7}), torch::zeros({18}), torch::zeros({1, 3, 6}),
        torch::zeros({3, 6}, torch::kFloat64), torch::zeros({3, 6}, torch::kMeta)}) {
    EXPECT_THROW(engine.advance(dataset, range, state), std::invalid_argument) << state.sizes();
  }
  EXPECT_NO_THROW(engine.advance(dataset, range, torch::zeros({6, 3}).t()));
}

// LibTorch's meta device stands for every one whose memory the CPU cannot read.
TEST_P(FusedEngineOf, RefusesWindowsOnAnotherDevice) {
  FusedEngine engine(make(small, torch::kFloat32), {});
  const WindowDataset other(testing::scrambled_series(60, 3), {.batch_size = 3, .num_steps = 4},
                            torch::kMeta);
  EXPECT_THROW(engine.advance(other, {.first = 0, .count = 1}, engine.initial_state(3)),
               std::invalid_argument);
}

TEST_P(FusedEngineOf, RefusesWindowsThatAreNotThere) {
  const auto model = make(small, torch::kFloat32);
  FusedEngine engine(model, {});
  EXPECT_THROW(engine.advance(dataset, {.first = 55, .count = 6}, engine.initial_state(3)),
               std::out_of_range);
}

TEST_P(FusedEngineOf, RefusesOtherOptimizersAndBadLearningRates) {
  const auto model = make(small, torch::kFloat32);
  EXPECT_THROW(FusedEngine(model, {.optimizer = OptimizerKind::kAdam}), std::invalid_argument);
  EXPECT_THROW(FusedEngine(model, {.learning_rate = 0.0}), InvalidOption);
}

}  // namespace
}  // namespace unroll
