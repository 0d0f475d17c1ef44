// Both models against the tutorial's own run under TensorFlow. README.md says what the file holds.

#include <gtest/gtest.h>
#include <torch/types.h>

#include <cstdint>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <vector>

#include <unroll/data/lagged_process.h>
#include <unroll/data/series_source.h>
#include <unroll/data/window_dataset.h>
#include <unroll/model/model.h>
#include <unroll/model/weights.h>
#include <unroll/train/autograd_engine.h>
#include <unroll/train/trainer.h>

#include "../support/tensors.h"

namespace unroll {
namespace {

using Json = nlohmann::json;
using Matrix = std::vector<std::vector<double>>;

const Json& golden() {
  static const Json json = Json::parse(std::ifstream(UNROLL_GOLDEN_DIR "/tutorial_seed7.json"));
  return json;
}

torch::Tensor matrix(const Json& json) {
  std::vector<torch::Tensor> rows;
  for (const auto& row : json.get<Matrix>()) {
    rows.push_back(torch::tensor(row, torch::kFloat64));
  }
  return torch::stack(rows);
}

torch::Tensor vector(const Json& json) {
  return torch::tensor(json.get<std::vector<double>>(), torch::kFloat64);
}

/// The tutorial's variables as our weights.
Weights weights(const Json& variables) {
  const torch::Tensor cell = matrix(variables["rnn_cell/W"]);  // [2 + 4, 4]
  return {.input_weight = cell.narrow(0, 0, 2).t(),
          .recurrent_weight = cell.narrow(0, 2, 4).t(),
          .bias = vector(variables["rnn_cell/b"]),
          .readout_weight = matrix(variables["softmax/W"]).t(),
          .readout_bias = vector(variables["softmax/b"])};
}

WindowOptions window_options() {
  return {.batch_size = golden()["batch_size"].get<std::int64_t>(),
          .num_steps = golden()["num_steps"].get<std::int64_t>()};
}

class GoldenTest : public ::testing::TestWithParam<std::tuple<ModelKind, torch::Dtype>> {
 protected:
  GoldenTest()
      : model(make_model({.model = std::get<ModelKind>(GetParam()),
                          .num_classes = 2,
                          .hidden_size = golden()["hidden_size"].get<std::int64_t>()},
                         std::get<torch::Dtype>(GetParam()), torch::kCPU)),
        engine(model, {.optimizer = OptimizerKind::kSgd,
                       .learning_rate = golden()["learning_rate"].get<double>()}),
        source(LaggedProcess::tutorial(), golden()["series_length"].get<std::int64_t>(),
               golden()["numpy_seed"].get<std::uint32_t>()) {
    model->set_weights(weights(golden()["initial_parameters"]));
  }

  std::shared_ptr<RecurrentModel> model;
  AutogradEngine engine;
  SampledSource source;
};

std::string run_name(const ::testing::TestParamInfo<GoldenTest::ParamType>& run) {
  return std::string(name_of(std::get<ModelKind>(run.param))) +
         (std::get<torch::Dtype>(run.param) == torch::kFloat32 ? "Float32" : "Float64");
}

INSTANTIATE_TEST_SUITE_P(Runs, GoldenTest,
                         ::testing::Combine(::testing::Values(ModelKind::kManual,
                                                              ModelKind::kBuiltin),
                                            ::testing::Values(torch::kFloat32, torch::kFloat64)),
                         run_name);

TEST_P(GoldenTest, EveryWindowsLossIsTheTutorials) {
  std::vector<double> losses;
  train(engine, source, window_options(),
        {.epochs = golden()["epochs"].get<std::int64_t>(), .log_every = 1}, torch::kCPU,
        [&](const LogRow& row) { losses.push_back(row.mean_loss); });
  ASSERT_EQ(losses.size(), 1000U);
  testing::expect_near(losses, golden()["window_losses"].get<std::vector<double>>(), 5e-6);
}

TEST_P(GoldenTest, FinalWeightsAndStateAreTheTutorials) {
  torch::Tensor state;
  for (int epoch = 0; epoch < golden()["epochs"].get<int>(); ++epoch) {
    const WindowDataset dataset(source.next(), window_options(), torch::kCPU);
    state = engine
                .advance(dataset, {.first = 0, .count = dataset.window_count()},
                         engine.initial_state(window_options().batch_size))
                .state;
  }
  const Weights expected = weights(golden()["final_parameters"]);
  const Weights actual = model->weights();
  const auto near = [](const torch::Tensor& left, const torch::Tensor& right) {
    testing::expect_near(testing::numbers(left), testing::numbers(right), 1e-5);
  };
  near(actual.input_weight, expected.input_weight);
  near(actual.recurrent_weight, expected.recurrent_weight);
  near(actual.bias, expected.bias);
  near(actual.readout_weight, expected.readout_weight);
  near(actual.readout_bias, expected.readout_bias);
  near(state, matrix(golden()["final_state"]));
}

TEST_P(GoldenTest, PrintedAveragesAreTheTutorials) {
  std::vector<double> printed;
  double sum = 0.0;
  train(engine, source, window_options(), {.epochs = 2, .log_every = 1}, torch::kCPU,
        [&](const LogRow& row) {
          const std::int64_t step = row.window - 1;  // the tutorial counts from 0
          sum = step == 0 ? row.mean_loss : sum + row.mean_loss;
          if (step > 0 && step % 100 == 0) {
            printed.push_back(sum / 100.0);
            sum = 0.0;
          }
        });
  testing::expect_near(printed, golden()["printed_averages"].get<std::vector<double>>(), 1e-6);
}

}  // namespace
}  // namespace unroll
