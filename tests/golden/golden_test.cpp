// Both models against the tutorial's own run under TensorFlow. README.md says what the file holds.

#include <gtest/gtest.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include <unroll/data/series_source.h>
#include <unroll/data/window_dataset.h>
#include <unroll/model/model.h>
#include <unroll/model/weights.h>
#include <unroll/train/engine_choice.h>
#include <unroll/train/trainer.h>

#include "../support/tensors.h"
#include "golden_file.h"

namespace unroll {
namespace {

const testing::GoldenFile& golden() {
  static const testing::GoldenFile file("tutorial_seed7",
                                        {"rnn_cell/W", "rnn_cell/b", "softmax/W", "softmax/b"});
  return file;
}

// Both sides round. Our float64 is up to 7.5e-7 away from TensorFlow's single precision in the
// losses, 1.6e-7 in the averages and 3.0e-6 in the weights. Our float32 is nearer, with the
// arithmetic of SSE4, AVX2 and AVX-512: 2.4e-7, 1.2e-7 and 1.2e-6. The bounds are at least three
// times the largest.
constexpr double kLossTolerance = 5e-6;
constexpr double kAverageTolerance = 1e-6;
constexpr double kWeightTolerance = 1e-5;

class GoldenTest
    : public ::testing::TestWithParam<std::tuple<ModelKind, torch::Dtype, EngineChoice>> {
 protected:
  GoldenTest()
      : model(make_model(golden().model(std::get<ModelKind>(GetParam())),
                         std::get<torch::Dtype>(GetParam()), torch::kCPU)),
        engine(make_engine(std::get<EngineChoice>(GetParam()), model, golden().optimizer())),
        source(golden().source()) {
    model->set_weights(golden().initial_weights());
  }

  std::shared_ptr<RecurrentModel> model;
  std::unique_ptr<Engine> engine;
  SampledSource source;
};

std::string run_name(const ::testing::TestParamInfo<GoldenTest::ParamType>& run) {
  return std::string(name_of(std::get<ModelKind>(run.param))) +
         (std::get<torch::Dtype>(run.param) == torch::kFloat32 ? "Float32" : "Float64") +
         (std::get<EngineChoice>(run.param) == EngineChoice::kFused ? "Fused" : "Autograd");
}

INSTANTIATE_TEST_SUITE_P(
    Runs, GoldenTest,
    ::testing::Combine(::testing::Values(ModelKind::kManual, ModelKind::kBuiltin),
                       ::testing::Values(torch::kFloat32, torch::kFloat64),
                       ::testing::Values(EngineChoice::kAutograd, EngineChoice::kFused)),
    run_name);

TEST_P(GoldenTest, EveryWindowsLossIsTheTutorials) {
  std::vector<double> losses;
  train(*engine, source, golden().windows(), {.epochs = golden().epochs(), .log_every = 1},
        torch::kCPU, [&](const LogRow& row) { losses.push_back(row.mean_loss); });
  ASSERT_EQ(losses.size(), 1000U);
  testing::expect_near(losses, golden().numbers("window_losses"), kLossTolerance);
}

TEST_P(GoldenTest, FinalWeightsAndStateAreTheTutorials) {
  torch::Tensor state;
  for (std::int64_t epoch = 0; epoch < golden().epochs(); ++epoch) {
    const WindowDataset dataset(source.next(), golden().windows(), torch::kCPU);
    state = engine
                ->advance(dataset, {.first = 0, .count = dataset.window_count()},
                          engine->initial_state(golden().windows().batch_size))
                .state;
  }
  const Weights expected = golden().final_weights();
  const Weights actual = model->weights();
  const auto near = [](const torch::Tensor& left, const torch::Tensor& right) {
    testing::expect_near(testing::numbers(left), testing::numbers(right), kWeightTolerance);
  };
  near(actual.input_weight, expected.input_weight);
  near(actual.recurrent_weight, expected.recurrent_weight);
  near(actual.bias, expected.bias);
  near(actual.readout_weight, expected.readout_weight);
  near(actual.readout_bias, expected.readout_bias);
  near(state, golden().final_state());
}

TEST_P(GoldenTest, PrintedAveragesAreTheTutorials) {
  std::vector<double> printed;
  double sum = 0.0;
  train(*engine, source, golden().windows(), {.epochs = 2, .log_every = 1}, torch::kCPU,
        [&](const LogRow& row) {
          const std::int64_t step = row.window - 1;  // the tutorial counts from 0
          sum = step == 0 ? row.mean_loss : sum + row.mean_loss;
          if (step > 0 && step % 100 == 0) {
            printed.push_back(sum / 100.0);
            sum = 0.0;
          }
        });
  testing::expect_near(printed, golden().numbers("printed_averages"), kAverageTolerance);
}

}  // namespace
}  // namespace unroll
