// The GPU's fused engine against the CPU's; the CPU takes the part of the GPU.

#include <unroll/train/block_engine.h>

#include <gtest/gtest.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <vector>

#include <unroll/base/error.h>
#include <unroll/data/window_dataset.h>
#include <unroll/model/model.h>
#include <unroll/train/fused_engine.h>

#include "../support/cpu_plugin.h"
#include "../support/spread_model.h"
#include "../support/tensors.h"

namespace unroll {
namespace {

class BlockEngineTest : public ::testing::TestWithParam<ModelKind> {
 protected:
  static constexpr std::int64_t kClasses = 3;
  static constexpr std::int64_t kHidden = 6;
  static constexpr std::int64_t kBatch = 4;

  static std::shared_ptr<RecurrentModel> make(torch::Dtype dtype) {
    return testing::spread_model(
        {.model = GetParam(), .num_classes = kClasses, .hidden_size = kHidden}, dtype);
  }

  WindowDataset windows{testing::scrambled_series(kBatch * 5 * 60, kClasses),
                        {.batch_size = kBatch, .num_steps = 5},
                        torch::kCPU};
  testing::CpuPlugin plugin;
};

INSTANTIATE_TEST_SUITE_P(Models, BlockEngineTest,
                         ::testing::Values(ModelKind::kManual, ModelKind::kBuiltin),
                         testing::model_name);

TEST_P(BlockEngineTest, IsTheFusedEngine) {
  for (const torch::Dtype dtype : {torch::kFloat64, torch::kFloat32}) {
    const double tolerance = dtype == torch::kFloat64 ? 1e-13 : 2e-6;
    const auto model = make(dtype);
    const auto expected_model = make(dtype);
    BlockEngine engine(model, {}, plugin);
    FusedEngine expected_engine(expected_model, {});
    torch::Tensor state = testing::spread({kBatch, kHidden}, 0.9, 0.1).to(dtype);
    const torch::Tensor before = state.clone();
    torch::Tensor expected_state = state;
    for (const WindowRange range : {WindowRange{.first = 3, .count = 1},
                                    {.first = 4, .count = 50},
                                    {.first = 54, .count = 6}}) {
      const Advance actual = engine.advance(windows, range, state);
      const Advance expected = expected_engine.advance(windows, range, expected_state);
      testing::expect_near(testing::numbers(actual.losses), testing::numbers(expected.losses),
                           tolerance);
      testing::expect_near(testing::numbers(actual.state), testing::numbers(expected.state),
                           tolerance);
      EXPECT_EQ(actual.losses.scalar_type(), dtype);
      if (range.first == 3) {
        EXPECT_TRUE(torch::equal(state, before)) << "the caller's";
      }
      state = actual.state;
      expected_state = expected.state;
    }
    const Weights weights = model->weights();
    const Weights expected = expected_model->weights();
    for (std::size_t i = 0; i < named_tensors(weights).size(); ++i) {
      testing::expect_near(testing::numbers(named_tensors(weights)[i].tensor),
                           testing::numbers(named_tensors(expected)[i].tensor), tolerance);
    }
  }
}

TEST_P(BlockEngineTest, RefusesWhatDoesNotFitTogether) {
  BlockEngine engine(make(torch::kFloat32), {}, plugin);
  const WindowRange range = {.first = 0, .count = 1};
  EXPECT_THROW(engine.advance(windows, range, torch::zeros({kBatch, kHidden}, torch::kFloat64)),
               std::invalid_argument);
  EXPECT_THROW(engine.advance(windows, range, torch::zeros({kBatch + 1, kHidden})),
               std::invalid_argument);
  EXPECT_THROW(engine.advance(windows, range, torch::zeros({kBatch, kHidden}, torch::kMeta)),
               std::invalid_argument);
  EXPECT_THROW(engine.advance(windows, {.first = 59, .count = 2}, engine.initial_state(kBatch)),
               std::out_of_range);
  const WindowDataset elsewhere(testing::scrambled_series(100, kClasses),
                                {.batch_size = kBatch, .num_steps = 5}, torch::kMeta);
  EXPECT_THROW(engine.advance(elsewhere, range, engine.initial_state(kBatch)),
               std::invalid_argument);
  const WindowDataset classes(testing::scrambled_series(100, kClasses + 1),
                              {.batch_size = kBatch, .num_steps = 5}, torch::kCPU);
  EXPECT_THROW(engine.advance(classes, range, engine.initial_state(kBatch)), std::invalid_argument);
}

TEST_P(BlockEngineTest, RefusesSizesBeyondItsMemory) {
  const testing::CpuPlugin small(1'000);
  BlockEngine engine(make(torch::kFloat32), {}, small);
  EXPECT_THROW(engine.advance(windows, {.first = 0, .count = 1}, engine.initial_state(kBatch)),
               std::invalid_argument);
}

TEST_P(BlockEngineTest, RefusesOtherOptimizersAndBadLearningRates) {
  const auto model = make(torch::kFloat32);
  EXPECT_THROW(BlockEngine(model, {.optimizer = OptimizerKind::kAdam}, plugin),
               std::invalid_argument);
  EXPECT_THROW(BlockEngine(model, {.learning_rate = 0.0}, plugin), InvalidOption);
}

TEST(FitsInBlock, WhereTheMemoryIsEnough) {
  const kernels::StepShape shape = {
      .batch_size = 3, .num_steps = 10, .num_classes = 2, .hidden_size = 4};
  EXPECT_TRUE(fits_in_block(shape, Precision::kFloat32, 8'000));
  EXPECT_FALSE(fits_in_block(shape, Precision::kFloat32, 2'000));
  const std::size_t of_floats =
      cuda::plan_block_step<float>(shape, testing::kSharedBytes).value().bytes;
  EXPECT_TRUE(fits_in_block(shape, Precision::kFloat32, of_floats));
  EXPECT_FALSE(fits_in_block(shape, Precision::kFloat64, of_floats));
}

}  // namespace
}  // namespace unroll
