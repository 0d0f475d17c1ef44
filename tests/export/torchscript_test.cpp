// The exported module computes what the trained model computes, however it is fed.

#include <unroll/export/torchscript.h>

#include <gtest/gtest.h>
#include <torch/script.h>

#include <map>
#include <string>
#include <vector>

#include <unroll/base/error.h>
#include <unroll/model/model.h>

#include "../support/temp_dir.h"
#include "../support/tensors.h"

namespace unroll {
namespace {

using testing::TempDir;

class TorchScriptTest : public ::testing::TestWithParam<std::tuple<ModelKind, torch::Dtype>> {
 protected:
  TorchScriptTest()
      : options({.model = std::get<0>(GetParam()), .num_classes = 5, .hidden_size = 7}),
        weights(testing::spread_weights(options, std::get<1>(GetParam()))),
        model(make_model(options, std::get<1>(GetParam()), torch::kCPU)) {
    weights.recurrent_weight *= 0.3;  // no chaos: rounding errors fade, as in a trained network
    model->set_weights(weights);
    save_torchscript(file(), weights, "{}");
    exported = torch::jit::load(file());
  }

  [[nodiscard]] std::string file() const { return folder / "model.pt"; }

  [[nodiscard]] ModelOutput run(const torch::Tensor& inputs, const torch::Tensor& state) {
    const auto output = exported.forward({inputs, state}).toTuple();
    return {.logits = output->elements()[0].toTensor(), .state = output->elements()[1].toTensor()};
  }

  [[nodiscard]] torch::Tensor initial_state(std::int64_t batch) {
    return exported.run_method("initial_state", batch).toTensor();
  }

  /// Of logits up to 4. Over 10,000 symbols, one by one and at once, those of 20 trained networks
  /// were up to 1.3e-6 and 1.9e-15 apart, with the arithmetic of SSE4, AVX2 and AVX-512.
  [[nodiscard]] double tolerance() const {
    return std::get<1>(GetParam()) == torch::kFloat64 ? 1e-14 : 5e-6;
  }

  TempDir folder;
  ModelOptions options;
  Weights weights;
  std::shared_ptr<RecurrentModel> model;
  torch::jit::Module exported;
};

INSTANTIATE_TEST_SUITE_P(Models, TorchScriptTest,
                         ::testing::Combine(::testing::Values(ModelKind::kManual,
                                                              ModelKind::kBuiltin),
                                            ::testing::Values(torch::kFloat32, torch::kFloat64)),
                         [](const auto& run) {
                           return std::string(name_of(std::get<0>(run.param))) +
                                  (std::get<1>(run.param) == torch::kFloat64 ? "Float64"
                                                                             : "Float32");
                         });

TEST_P(TorchScriptTest, InitialStateIsZerosOfTheModelsDtype) {
  const torch::Tensor state = initial_state(3);
  EXPECT_EQ(state.sizes().vec(), (std::vector<std::int64_t>{3, 7}));
  EXPECT_EQ(state.scalar_type(), std::get<1>(GetParam()));
  EXPECT_EQ(state.abs().max().item<double>(), 0.0);
}

TEST_P(TorchScriptTest, AnyBatchAndStepsGiveTheModelsLogitsAndState) {
  const torch::NoGradGuard no_grad;
  for (const auto& [B, T] :
       std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 1}, {1, 40}, {6, 1}, {4, 9}}) {
    const auto series = testing::scrambled_series(B * T, 5);
    const torch::Tensor inputs = testing::int64(series->inputs, {B, T});
    const torch::Tensor state = testing::spread({B, 7}, 0.9, 0.4).to(std::get<1>(GetParam()));
    const ModelOutput expected = model->forward(inputs, state);
    const ModelOutput actual = run(inputs, state);
    EXPECT_EQ(actual.logits.sizes().vec(), (std::vector<std::int64_t>{B, T, 5}));
    testing::expect_near(testing::numbers(actual.logits), testing::numbers(expected.logits),
                         tolerance());
    testing::expect_near(testing::numbers(actual.state), testing::numbers(expected.state),
                         tolerance());
  }
}

TEST_P(TorchScriptTest, StreamedOneSymbolAtATimeGivesTheModelsLogits) {
  const torch::NoGradGuard no_grad;
  constexpr std::int64_t kSymbols = 10'000;
  const auto series = testing::scrambled_series(kSymbols, 5);
  const torch::Tensor inputs = testing::int64(series->inputs, {1, kSymbols});
  const ModelOutput expected = model->forward(inputs, model->initial_state(1));
  torch::Tensor state = initial_state(1);
  std::vector<torch::Tensor> logits;
  for (std::int64_t t = 0; t < kSymbols; ++t) {
    const ModelOutput output = run(inputs.narrow(1, t, 1), state);
    logits.push_back(output.logits);
    state = output.state;
  }
  testing::expect_near(testing::numbers(torch::cat(logits, 1)), testing::numbers(expected.logits),
                       tolerance());
}

TEST_P(TorchScriptTest, ParametersHaveTheWeightsFilesNames) {
  std::map<std::string, std::vector<std::int64_t>> shapes;
  for (const auto& parameter : exported.named_parameters()) {
    shapes[parameter.name] = parameter.value.sizes().vec();
    EXPECT_FALSE(parameter.value.requires_grad());
  }
  const std::map<std::string, std::vector<std::int64_t>> expected = {
      {"rnn.weight_ih_l0", {7, 5}}, {"rnn.weight_hh_l0", {7, 7}}, {"rnn.bias_ih_l0", {7}},
      {"rnn.bias_hh_l0", {7}},      {"readout.weight", {5, 7}},   {"readout.bias", {5}}};
  EXPECT_EQ(shapes, expected);
}

TEST_P(TorchScriptTest, RefusesShapesThatAreNoBatchOfSteps) {
  const torch::Tensor inputs = torch::zeros({2, 3}, torch::kInt64);
  EXPECT_THROW((void)run(inputs[0], initial_state(2)), std::exception);
  EXPECT_THROW((void)run(inputs.narrow(1, 0, 0), initial_state(2)), std::exception);
  EXPECT_THROW((void)run(inputs, initial_state(1)), std::exception);
  EXPECT_THROW((void)run(inputs + 5, initial_state(2)), std::exception);  // no such class
}

TEST(SaveTorchScript, CarriesItsProvenance) {
  const TempDir folder;
  const Weights weights = testing::spread_weights({}, torch::kFloat32);
  save_torchscript(folder / "model.pt", weights, R"({"a": 1})");
  torch::jit::ExtraFilesMap extra = {{kProvenanceFile, ""}};
  torch::jit::load(folder / "model.pt", torch::kCPU, extra);
  EXPECT_EQ(extra[kProvenanceFile], R"({"a": 1})");
}

TEST(SaveTorchScript, GivesTheDifferenceItFound) {
  const TempDir folder;
  const Weights weights = testing::spread_weights({}, torch::kFloat64);
  const double difference = save_torchscript(folder / "model.pt", weights, "");
  EXPECT_GE(difference, 0.0);
  EXPECT_LE(difference, kExportTolerance);
}

TEST(SaveTorchScript, TakesANetworkThatAmplifiesRoundingErrors) {
  // Every step makes a difference some three times as large: in float32 two ways to add up the same
  // products are soon far apart.
  const TempDir folder;
  const ModelOptions options = {.num_classes = 2, .hidden_size = 32};
  Weights weights = testing::spread_weights(options, torch::kFloat32);
  weights.recurrent_weight *= 3;
  EXPECT_LE(save_torchscript(folder / "model.pt", weights, ""), kExportTolerance);
}

TEST(SaveTorchScript, LeavesNothingWhereItCannotWrite) {
  const TempDir folder;
  const Weights weights = testing::spread_weights({}, torch::kFloat32);
  EXPECT_THROW(save_torchscript(folder / "no/model.pt", weights, ""), FileError);
  EXPECT_TRUE(testing::names_in(folder.path()).empty());
}

TEST(SaveTorchScript, LeavesNothingWhoseLoadedOutputIsNotTheModels) {
  // NaN weights: whatever is loaded again, its logits equal nothing.
  const TempDir folder;
  Weights weights = testing::spread_weights({}, torch::kFloat32);
  weights.bias = torch::full_like(weights.bias, std::numeric_limits<float>::quiet_NaN());
  EXPECT_THROW(save_torchscript(folder / "model.pt", weights, ""), FileError);
  EXPECT_TRUE(testing::names_in(folder.path()).empty());
}

}  // namespace
}  // namespace unroll
