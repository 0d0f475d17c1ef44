// The recorded step against the step that autograd makes anew in every window. A graph is a
// function here, which is called again where a CUDA graph is replayed.

#include <unroll/train/graph_engine.h>

#include <ATen/record_function.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include <unroll/base/error.h>
#include <unroll/data/window_dataset.h>
#include <unroll/model/model.h>
#include <unroll/train/autograd_engine.h>

#include "../support/cpu_plugin.h"
#include "../support/spread_model.h"
#include "../support/tensors.h"

namespace unroll {
namespace {

using testing::FunctionGraph;

constexpr std::int64_t kClasses = 3;
constexpr std::int64_t kHidden = 6;

std::shared_ptr<RecurrentModel> make(ModelKind kind, torch::Dtype dtype) {
  return testing::spread_model({.model = kind, .num_classes = kClasses, .hidden_size = kHidden},
                               dtype);
}

/// A dataset of so many windows.
WindowDataset windows_of(std::int64_t batch_size, std::int64_t num_steps, std::int64_t count) {
  return {testing::scrambled_series(batch_size * num_steps * count, kClasses),
          {.batch_size = batch_size, .num_steps = num_steps},
          torch::kCPU};
}

void expect_near(const Advance& actual, const Advance& expected, double tolerance) {
  testing::expect_near(testing::numbers(actual.losses), testing::numbers(expected.losses),
                       tolerance);
  testing::expect_near(testing::numbers(actual.state), testing::numbers(expected.state), tolerance);
}

void expect_near(const RecurrentModel& actual, const RecurrentModel& expected, double tolerance) {
  const Weights left = actual.weights();
  const Weights right = expected.weights();
  for (std::size_t i = 0; i < named_tensors(left).size(); ++i) {
    testing::expect_near(testing::numbers(named_tensors(left)[i].tensor),
                         testing::numbers(named_tensors(right)[i].tensor), tolerance);
  }
}

void expect_near(const OptimizerState& actual, const OptimizerState& expected, double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    SCOPED_TRACE(name);
    ASSERT_TRUE(actual.contains(name));
    EXPECT_EQ(actual.at(name).scalar_type(), tensor.scalar_type());
    testing::expect_near(testing::numbers(actual.at(name)), testing::numbers(tensor), tolerance);
  }
}

/// The operations of a piece of work: their names, and in a release build the numbers that the host
/// gives them.
std::vector<std::string> operations_of(const std::function<void()>& work) {
  static thread_local std::vector<std::string>* operations = nullptr;
  std::vector<std::string> found;
  operations = &found;
  const auto note = [](const at::RecordFunction& function) -> std::unique_ptr<at::ObserverContext> {
    std::string text = function.name();
#ifdef NDEBUG  // else the header takes LibTorch for a debug build, which has another layout
    for (const c10::IValue& input : function.inputs()) {
      if (input.isScalar()) {
        text.append(" ").append(std::to_string(input.toScalar().toDouble()));
      }
    }
#endif
    operations->push_back(text);
    return nullptr;
  };
  const auto handle = at::addThreadLocalCallback(
      at::RecordFunctionCallback(note).needsInputs(true).scopes({at::RecordScope::FUNCTION}));
  work();
  at::removeCallback(handle);
  return found;
}

/// Holds every replay against the first: the host may change nothing of what a recording does.
class SameGraph final : public cuda::Graph {
 public:
  void rehearse(const std::function<void()>& work) override { work(); }
  void record(const std::function<void()>& work) override { work_ = work; }
  void replay() override {
    const std::vector<std::string> operations = operations_of(work_);
    if (recorded_.empty()) {
      recorded_ = operations;
    }
    EXPECT_GT(operations.size(), 20);
    EXPECT_EQ(operations, recorded_);
  }

 private:
  std::function<void()> work_;
  std::vector<std::string> recorded_;
};

class GraphEngineTest : public ::testing::TestWithParam<std::tuple<ModelKind, OptimizerKind>> {
 protected:
  static OptimizerOptions optimizer() {
    return {.optimizer = std::get<OptimizerKind>(GetParam()), .learning_rate = 0.05};
  }
  static std::shared_ptr<RecurrentModel> make(torch::Dtype dtype) {
    return unroll::make(std::get<ModelKind>(GetParam()), dtype);
  }
  std::unique_ptr<FunctionGraph> graph() { return std::make_unique<FunctionGraph>(counts); }

  FunctionGraph::Counts counts;
};

INSTANTIATE_TEST_SUITE_P(
    All, GraphEngineTest,
    ::testing::Combine(::testing::Values(ModelKind::kManual, ModelKind::kBuiltin),
                       ::testing::Values(OptimizerKind::kSgd, OptimizerKind::kAdagrad,
                                         OptimizerKind::kAdam)),
    [](const auto& set) {
      return std::string(name_of(std::get<ModelKind>(set.param))) + "_" +
             std::string(name_of(std::get<OptimizerKind>(set.param)));
    });

TEST_P(GraphEngineTest, IsTheAutogradEngineInAnyPortions) {
  for (const torch::Dtype dtype : {torch::kFloat64, torch::kFloat32}) {
    const double tolerance = dtype == torch::kFloat64 ? 1e-12 : 2e-5;
    counts = {};
    const WindowDataset windows = windows_of(2, 5, 40);
    const auto model = make(dtype);
    const auto expected_model = make(dtype);
    GraphEngine engine(model, optimizer(), graph());
    AutogradEngine expected_engine(expected_model, optimizer());
    torch::Tensor state = engine.initial_state(2);
    torch::Tensor expected_state = expected_engine.initial_state(2);
    for (const WindowRange range : {WindowRange{.first = 0, .count = 1},
                                    {.first = 1, .count = 1},
                                    {.first = 2, .count = 17},
                                    {.first = 19, .count = 21}}) {
      Advance actual = engine.advance(windows, range, state);
      Advance expected = expected_engine.advance(windows, range, expected_state);
      expect_near(actual, expected, tolerance);
      expect_near(engine.optimizer_state(), expected_engine.optimizer_state(), tolerance);
      state = actual.state;
      expected_state = expected.state;
    }
    expect_near(*model, *expected_model, tolerance);
    EXPECT_EQ(counts, (FunctionGraph::Counts{.rehearsals = 3, .records = 1, .replays = 37}));
  }
}

TEST_P(GraphEngineTest, TakesNothingFromTheHostThatChanges) {
  const WindowDataset windows = windows_of(2, 5, 12);
  GraphEngine engine(make(torch::kFloat64), optimizer(), std::make_unique<SameGraph>());
  engine.advance(windows, {.first = 0, .count = 12}, engine.initial_state(2));
}

TEST_P(GraphEngineTest, GoesOnFromAnOptimizersState) {
  const WindowDataset windows = windows_of(2, 5, 30);
  const auto whole_model = make(torch::kFloat64);
  GraphEngine whole(whole_model, optimizer(), graph());
  const Advance first = whole.advance(windows, {.first = 0, .count = 10}, whole.initial_state(2));

  // Also into an engine that has recorded a step with the state that it had before.
  const auto model = make(torch::kFloat64);
  GraphEngine engine(model, optimizer(), graph());
  engine.advance(windows, {.first = 5, .count = 7}, engine.initial_state(2));
  model->set_weights(whole_model->weights());
  engine.set_optimizer_state(whole.optimizer_state());

  const WindowRange rest = {.first = 10, .count = 20};
  const Advance expected = whole.advance(windows, rest, first.state);
  const Advance actual = engine.advance(windows, rest, first.state);
  EXPECT_EQ(testing::numbers(actual.losses), testing::numbers(expected.losses));
  EXPECT_EQ(testing::numbers(actual.state), testing::numbers(expected.state));
  EXPECT_TRUE(testing::same(model->weights(), whole_model->weights()));
  expect_near(engine.optimizer_state(), whole.optimizer_state(), 0.0);
  // The recording with the tensors of before is not used again.
  EXPECT_EQ(counts, (FunctionGraph::Counts{.rehearsals = 6, .records = 3, .replays = 51}));
}

TEST_P(GraphEngineTest, ServesWindowsOfOtherSizesInTurn) {
  const auto model = make(torch::kFloat64);
  const auto expected_model = make(torch::kFloat64);
  GraphEngine engine(model, optimizer(), graph());
  AutogradEngine expected_engine(expected_model, optimizer());
  const WindowRange range = {.first = 1, .count = 6};
  for (const std::int64_t batch_size : {2, 4, 2}) {
    const WindowDataset windows = windows_of(batch_size, 3 + batch_size, 9);
    expect_near(engine.advance(windows, range, engine.initial_state(batch_size)),
                expected_engine.advance(windows, range, engine.initial_state(batch_size)), 1e-12);
  }
  EXPECT_EQ(counts, (FunctionGraph::Counts{.rehearsals = 9, .records = 3, .replays = 9}));
}

TEST(GraphEngine, HoldsAPartOfTheSymbolsAtATime) {
  const WindowDataset windows = windows_of(1'000, 300, 11);  // three of its windows are a million
  const auto model = make(ModelKind::kBuiltin, torch::kFloat64);
  const auto expected_model = make(ModelKind::kBuiltin, torch::kFloat64);
  FunctionGraph::Counts counts;
  GraphEngine engine(model, {}, std::make_unique<FunctionGraph>(counts));
  AutogradEngine expected_engine(expected_model, {});
  const WindowRange range = {.first = 1, .count = 10};
  expect_near(engine.advance(windows, range, engine.initial_state(1'000)),
              expected_engine.advance(windows, range, engine.initial_state(1'000)), 1e-12);
}

TEST(GraphEngine, LeavesTheCallersStateAsItWas) {
  const auto model = make(ModelKind::kManual, torch::kFloat64);
  FunctionGraph::Counts counts;
  GraphEngine engine(model, {}, std::make_unique<FunctionGraph>(counts));
  const WindowDataset windows = windows_of(2, 5, 20);
  const torch::Tensor state = testing::spread({2, kHidden}, 0.9, 0.1);
  const torch::Tensor before = state.clone();
  const Advance first = engine.advance(windows, {.first = 0, .count = 5}, state);
  const torch::Tensor first_losses = first.losses.clone();
  const torch::Tensor first_state = first.state.clone();
  engine.advance(windows, {.first = 5, .count = 5}, first.state);
  EXPECT_TRUE(torch::equal(state, before));
  EXPECT_TRUE(torch::equal(first.losses, first_losses));
  EXPECT_TRUE(torch::equal(first.state, first_state));
}

TEST(GraphEngine, RefusesABadLearningRate) {
  FunctionGraph::Counts counts;
  EXPECT_THROW(GraphEngine(make(ModelKind::kManual, torch::kFloat32), {.learning_rate = -1.0},
                           std::make_unique<FunctionGraph>(counts)),
               InvalidOption);
}

}  // namespace
}  // namespace unroll
