// Both models: the function they compute, and what they do with the state and the weights.

#include <unroll/model/model.h>

#include <gtest/gtest.h>
#include <torch/types.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <unroll/base/error.h>
#include <unroll/model/weights.h>

#include "../support/reference_rnn.h"
#include "../support/tensors.h"

namespace unroll {
namespace {

std::shared_ptr<RecurrentModel> make(const ModelOptions& options, torch::Dtype dtype) {
  auto model = make_model(options, dtype, torch::kCPU);
  model->set_weights(testing::spread_weights(options, dtype));
  return model;
}

class RecurrentModelTest : public ::testing::TestWithParam<ModelKind> {};

INSTANTIATE_TEST_SUITE_P(Models, RecurrentModelTest,
                         ::testing::Values(ModelKind::kManual, ModelKind::kBuiltin),
                         testing::model_name);

TEST_P(RecurrentModelTest, ComputesACaseDoneByHand) {
  // One row, the inputs 1 and 0, two hidden units, two classes, and a state that is not zero.
  const auto model = make_model({.model = GetParam(), .num_classes = 2, .hidden_size = 2},
                                torch::kFloat64, torch::kCPU);
  model->set_weights({.input_weight = testing::float64({0.1, 0.2,  //
                                                        0.3, -0.4},
                                                       {2, 2}),
                      .recurrent_weight = testing::float64({0.5, -0.6,  //
                                                            0.7, 0.8},
                                                           {2, 2}),
                      .bias = testing::float64({0.05, -0.15}, {2}),
                      .readout_weight = testing::float64({1.0, -2.0,  //
                                                          0.25, 0.75},
                                                         {2, 2}),
                      .readout_bias = testing::float64({0.01, -0.02}, {2})});

  const ModelOutput output =
      model->forward(testing::int64({1, 0}, {1, 2}), testing::float64({0.9, -0.3}, {1, 2}));

  const double first_0 = std::tanh(0.2 + 0.5 * 0.9 + -0.6 * -0.3 + 0.05);
  const double first_1 = std::tanh(-0.4 + 0.7 * 0.9 + 0.8 * -0.3 - 0.15);
  const double second_0 = std::tanh(0.1 + 0.5 * first_0 - 0.6 * first_1 + 0.05);
  const double second_1 = std::tanh(0.3 + 0.7 * first_0 + 0.8 * first_1 - 0.15);
  EXPECT_EQ(output.logits.sizes().vec(), (std::vector<std::int64_t>{1, 2, 2}));
  EXPECT_EQ(output.state.sizes().vec(), (std::vector<std::int64_t>{1, 2}));
  testing::expect_near(testing::numbers(output.logits),
                       {first_0 - 2.0 * first_1 + 0.01, 0.25 * first_0 + 0.75 * first_1 - 0.02,
                        second_0 - 2.0 * second_1 + 0.01, 0.25 * second_0 + 0.75 * second_1 - 0.02},
                       1e-14);
  testing::expect_near(testing::numbers(output.state), {second_0, second_1}, 1e-14);
}

struct Sizes {
  std::int64_t batch_size;
  std::int64_t num_steps;
  std::int64_t num_classes;
  std::int64_t hidden_size;
};

constexpr std::array kSizes = {Sizes{1, 1, 2, 1}, Sizes{1, 1, 2, 4},  Sizes{1, 9, 2, 4},
                               Sizes{5, 1, 2, 4}, Sizes{3, 10, 2, 4}, Sizes{4, 3, 7, 5},
                               Sizes{2, 6, 3, 1}, Sizes{2, 3, 1, 2},  Sizes{17, 31, 4, 16}};

TEST_P(RecurrentModelTest, AgreesWithPlainLoopsForAnySizes) {
  for (const auto& [B, T, C, H] : kSizes) {
    SCOPED_TRACE(::testing::Message() << "B " << B << " T " << T << " C " << C << " H " << H);
    const ModelOptions options = {.model = GetParam(), .num_classes = C, .hidden_size = H};
    const auto model = make(options, torch::kFloat64);
    const auto series = testing::scrambled_series(B * T, C);
    const torch::Tensor inputs = testing::int64(series->inputs, {B, T});
    const torch::Tensor state = testing::spread({B, H}, 0.9, 0.2);

    const ModelOutput output = model->forward(inputs, state);

    const testing::ReferenceRnn reference(
        static_cast<std::size_t>(C), static_cast<std::size_t>(H),
        testing::flatten(testing::spread_weights(options, torch::kFloat64)));
    const auto expected =
        reference.forward(testing::symbol_rows(inputs), testing::state_rows(state));
    ASSERT_EQ(output.logits.sizes().vec(), (std::vector<std::int64_t>{B, T, C}));
    ASSERT_EQ(output.state.sizes().vec(), (std::vector<std::int64_t>{B, H}));
    testing::expect_near(testing::numbers(output.logits), expected.logits, 1e-13);
    for (std::int64_t row = 0; row < B; ++row) {
      testing::expect_near(testing::numbers(output.state[row]),
                           expected.state[static_cast<std::size_t>(row)], 1e-13);
    }
  }
}

TEST_P(RecurrentModelTest, ComputesInFloat32WhatItComputesInFloat64) {
  const ModelOptions options = {.model = GetParam(), .num_classes = 3, .hidden_size = 6};
  const auto narrow = make(options, torch::kFloat32);
  const auto wide = make(options, torch::kFloat64);
  const torch::Tensor inputs = testing::int64(testing::scrambled_series(40, 3)->inputs, {4, 10});
  const torch::Tensor state = testing::spread({4, 6}, 0.9, 0.2);

  const ModelOutput rounded = narrow->forward(inputs, state.to(torch::kFloat32));
  const ModelOutput exact = wide->forward(inputs, state);

  EXPECT_EQ(rounded.logits.scalar_type(), torch::kFloat32);
  EXPECT_EQ(rounded.state.scalar_type(), torch::kFloat32);
  EXPECT_EQ(exact.logits.scalar_type(), torch::kFloat64);
  EXPECT_EQ(exact.state.scalar_type(), torch::kFloat64);
  testing::expect_near(testing::numbers(rounded.logits), testing::numbers(exact.logits), 2e-6);
  testing::expect_near(testing::numbers(rounded.state), testing::numbers(exact.state), 2e-6);
}

TEST_P(RecurrentModelTest, TwoWindowsWithTheStateCarriedAreOneLongWindow) {
  const auto model =
      make({.model = GetParam(), .num_classes = 3, .hidden_size = 5}, torch::kFloat64);
  const torch::Tensor inputs = testing::int64(testing::scrambled_series(60, 3)->inputs, {4, 15});
  const torch::Tensor state = testing::spread({4, 5}, 0.9, 0.2);

  const ModelOutput whole = model->forward(inputs, state);
  const ModelOutput first = model->forward(inputs.narrow(1, 0, 6), state);
  const ModelOutput second = model->forward(inputs.narrow(1, 6, 9), first.state);

  testing::expect_near(testing::numbers(torch::cat({first.logits, second.logits}, 1)),
                       testing::numbers(whole.logits), 1e-12);
  testing::expect_near(testing::numbers(second.state), testing::numbers(whole.state), 1e-12);
}

TEST_P(RecurrentModelTest, TheStateMatters) {
  const auto model = make({.model = GetParam()}, torch::kFloat64);
  const torch::Tensor inputs = testing::int64({0, 1, 1, 0}, {2, 2});
  const ModelOutput from_zeros = model->forward(inputs, model->initial_state(2));
  const ModelOutput from_other = model->forward(inputs, testing::spread({2, 4}, 0.9, 0.2));
  EXPECT_GT((from_zeros.logits - from_other.logits).abs().min().item<double>(), 1e-4);
}

TEST_P(RecurrentModelTest, RowsDoNotTouchEachOther) {
  const auto model = make({.model = GetParam()}, torch::kFloat64);
  const torch::Tensor inputs = testing::int64(testing::scrambled_series(20, 2)->inputs, {4, 5});
  const torch::Tensor state = testing::spread({4, 4}, 0.9, 0.2);
  const ModelOutput together = model->forward(inputs, state);
  for (std::int64_t row = 0; row < 4; ++row) {
    const ModelOutput alone = model->forward(inputs.narrow(0, row, 1), state.narrow(0, row, 1));
    testing::expect_near(testing::numbers(alone.logits), testing::numbers(together.logits[row]),
                         1e-14);
    testing::expect_near(testing::numbers(alone.state), testing::numbers(together.state[row]),
                         1e-14);
  }
}

TEST_P(RecurrentModelTest, TakesViewsOfALongerSeries) {
  const auto model = make({.model = GetParam()}, torch::kFloat64);
  const torch::Tensor rows = testing::int64(testing::scrambled_series(60, 2)->inputs, {3, 20});
  const torch::Tensor view = rows.narrow(1, 7, 5);
  ASSERT_FALSE(view.is_contiguous());
  const torch::Tensor state = model->initial_state(3);
  EXPECT_TRUE(torch::equal(model->forward(view, state).logits,
                           model->forward(view.contiguous(), state).logits));
}

TEST_P(RecurrentModelTest, LeavesItsArgumentsAsTheyWere) {
  const auto model = make({.model = GetParam()}, torch::kFloat64);
  const torch::Tensor inputs = testing::int64({0, 1, 1, 0, 1, 0}, {2, 3});
  const torch::Tensor state = testing::spread({2, 4}, 0.9, 0.2);
  const torch::Tensor inputs_before = inputs.clone();
  const torch::Tensor state_before = state.clone();
  const ModelOutput output = model->forward(inputs, state);
  EXPECT_TRUE(torch::equal(inputs, inputs_before));
  EXPECT_TRUE(torch::equal(state, state_before));
  EXPECT_NE(output.state.const_data_ptr(), state.const_data_ptr());
}

TEST_P(RecurrentModelTest, RemembersNothingBetweenCalls) {
  const auto model = make({.model = GetParam()}, torch::kFloat64);
  const torch::Tensor inputs = testing::int64({0, 1, 1, 0, 1, 0}, {2, 3});
  const torch::Tensor state = testing::spread({2, 4}, 0.9, 0.2);
  const Weights weights = model->weights();
  const ModelOutput first = model->forward(inputs, state);
  model->forward(testing::int64({1, 1, 1, 1}, {4, 1}), torch::ones({4, 4}, torch::kFloat64));
  const ModelOutput again = model->forward(inputs, state);
  EXPECT_TRUE(torch::equal(first.logits, again.logits));
  EXPECT_TRUE(torch::equal(first.state, again.state));
  EXPECT_TRUE(testing::same(model->weights(), weights));
  EXPECT_TRUE(model->buffers().empty());
}

TEST_P(RecurrentModelTest, KeepsTheGradientThroughStateAndParameters) {
  // Cutting it is the engine's business, not the model's.
  const auto model = make({.model = GetParam()}, torch::kFloat64);
  const torch::Tensor inputs = testing::int64({0, 1, 1, 0, 1, 0}, {2, 3});
  const torch::Tensor state = testing::spread({2, 4}, 0.9, 0.2).requires_grad_(true);
  const ModelOutput first = model->forward(inputs, state);
  EXPECT_TRUE(first.state.requires_grad());
  EXPECT_TRUE(first.logits.requires_grad());
  const ModelOutput second = model->forward(inputs, first.state);
  second.logits.sum().backward();
  ASSERT_TRUE(state.grad().defined());
  EXPECT_GT(state.grad().abs().min().item<double>(), 0.0);
}

TEST_P(RecurrentModelTest, StartsFromAStateOfZeros) {
  for (const torch::Dtype dtype : {torch::kFloat32, torch::kFloat64}) {
    const auto model = make({.model = GetParam(), .hidden_size = 6}, dtype);
    const torch::Tensor state = model->initial_state(3);
    EXPECT_EQ(state.sizes().vec(), (std::vector<std::int64_t>{3, 6}));
    EXPECT_EQ(state.scalar_type(), dtype);
    EXPECT_FALSE(state.requires_grad());
    EXPECT_EQ(state.count_nonzero().item<std::int64_t>(), 0);
  }
}

TEST_P(RecurrentModelTest, GivesBackTheWeightsItWasGiven) {
  const ModelOptions options = {.model = GetParam(), .num_classes = 3, .hidden_size = 5};
  for (const torch::Dtype dtype : {torch::kFloat32, torch::kFloat64}) {
    const auto model = make_model(options, dtype, torch::kCPU);
    const Weights weights = testing::spread_weights(options, dtype);
    model->set_weights(weights);
    EXPECT_TRUE(testing::same(model->weights(), weights));
  }
}

TEST_P(RecurrentModelTest, KeepsItsDtypeWhateverTheWeightsAre) {
  const ModelOptions options = {.model = GetParam()};
  const auto narrow = make_model(options, torch::kFloat32, torch::kCPU);
  narrow->set_weights(testing::spread_weights(options, torch::kFloat64));
  EXPECT_TRUE(testing::same(narrow->weights(), testing::spread_weights(options, torch::kFloat32)));
  const auto wide = make_model(options, torch::kFloat64, torch::kCPU);
  wide->set_weights(testing::spread_weights(options, torch::kFloat32));
  EXPECT_EQ(wide->weights().bias.scalar_type(), torch::kFloat64);
}

TEST_P(RecurrentModelTest, ItsWeightsAreACopyWithoutHistory) {
  const ModelOptions options = {.model = GetParam()};
  const auto model = make(options, torch::kFloat64);
  const Weights given = testing::spread_weights(options, torch::kFloat64);
  const Weights taken = model->weights();
  for (const torch::Tensor& tensor : {taken.input_weight, taken.recurrent_weight, taken.bias,
                                      taken.readout_weight, taken.readout_bias}) {
    EXPECT_FALSE(tensor.requires_grad());
    EXPECT_TRUE(tensor.is_contiguous());
    tensor.zero_();
  }
  EXPECT_TRUE(testing::same(model->weights(), given));
}

TEST_P(RecurrentModelTest, CopiesTheWeightsItIsGiven) {
  const ModelOptions options = {.model = GetParam()};
  const auto model = make_model(options, torch::kFloat64, torch::kCPU);
  const Weights given = testing::spread_weights(options, torch::kFloat64);
  model->set_weights(given);
  given.input_weight.zero_();
  given.bias.zero_();
  EXPECT_TRUE(testing::same(model->weights(), testing::spread_weights(options, torch::kFloat64)));
}

TEST_P(RecurrentModelTest, RefusesWeightsOfAnotherShape) {
  // Each of them would be spread over the parameter without a word if it were merely copied.
  const ModelOptions options = {.model = GetParam(), .num_classes = 3, .hidden_size = 4};
  const auto model = make(options, torch::kFloat64);
  const auto refused = [&](auto&& change) {
    Weights weights = testing::spread_weights(options, torch::kFloat64);
    change(weights);
    EXPECT_ANY_THROW(model->set_weights(weights));
  };
  refused([](Weights& weights) { weights.bias = weights.bias.narrow(0, 0, 1); });
  refused([](Weights& weights) { weights.readout_bias = weights.readout_bias.narrow(0, 0, 1); });
  refused(
      [](Weights& weights) { weights.readout_weight = weights.readout_weight.narrow(0, 0, 1); });
  refused([](Weights& weights) {
    weights.input_weight = weights.input_weight.narrow(0, 0, 1);
    weights.recurrent_weight = weights.recurrent_weight.narrow(0, 0, 1);
  });
}

TEST_P(RecurrentModelTest, RefusesSizesBelowOne) {
  const auto refused = [&](std::int64_t num_classes, std::int64_t hidden_size,
                           const std::string& option) {
    try {
      make_model({.model = GetParam(), .num_classes = num_classes, .hidden_size = hidden_size},
                 torch::kFloat32, torch::kCPU);
      ADD_FAILURE() << option << " was taken";
    } catch (const InvalidOption& error) {
      EXPECT_EQ(error.option(), option);
    }
  };
  refused(0, 4, "num_classes");
  refused(-1, 4, "num_classes");
  refused(2, 0, "hidden_size");
  refused(2, -4, "hidden_size");
}

/// Names and shapes of a model's parameters.
std::vector<std::pair<std::string, std::vector<std::int64_t>>> parameter_shapes(
    const RecurrentModel& model) {
  std::vector<std::pair<std::string, std::vector<std::int64_t>>> shapes;
  for (const auto& parameter : model.named_parameters()) {
    shapes.emplace_back(parameter.key(), parameter.value().sizes().vec());
  }
  return shapes;
}

TEST(ManualRnn, HasTheTutorialsVariablesAsParameters) {
  const auto model =
      make({.model = ModelKind::kManual, .num_classes = 3, .hidden_size = 5}, torch::kFloat32);
  EXPECT_EQ(parameter_shapes(*model),
            (std::vector<std::pair<std::string, std::vector<std::int64_t>>>{
                {"W", {8, 5}}, {"b", {5}}, {"V", {5, 3}}, {"c", {3}}}));
}

TEST(BuiltinRnn, HasPyTorchsNamesAndShapesAsParameters) {
  const auto model =
      make({.model = ModelKind::kBuiltin, .num_classes = 3, .hidden_size = 5}, torch::kFloat32);
  EXPECT_EQ(
      parameter_shapes(*model),
      (std::vector<std::pair<std::string, std::vector<std::int64_t>>>{{"rnn.weight_ih_l0", {5, 3}},
                                                                      {"rnn.weight_hh_l0", {5, 5}},
                                                                      {"rnn.bias_ih_l0", {5}},
                                                                      {"rnn.bias_hh_l0", {5}},
                                                                      {"readout.weight", {3, 5}},
                                                                      {"readout.bias", {3}}}));
}

TEST(BuiltinRnn, FreezesItsSecondBiasAtZero) {
  for (const torch::Dtype dtype : {torch::kFloat32, torch::kFloat64}) {
    const auto model = make_model({.model = ModelKind::kBuiltin}, dtype, torch::kCPU);
    for (const auto& parameter : model->named_parameters()) {
      const bool is_second_bias = parameter.key() == "rnn.bias_hh_l0";
      EXPECT_EQ(parameter.value().requires_grad(), !is_second_bias) << parameter.key();
      if (is_second_bias) {
        EXPECT_EQ(parameter.value().count_nonzero().item<std::int64_t>(), 0);
      }
    }
  }
}

TEST(Models, TakeEachOthersWeightsAndGiveTheSameOutput) {
  const ModelOptions options = {.num_classes = 3, .hidden_size = 5};
  ModelOptions other = options;
  other.model = ModelKind::kBuiltin;
  const auto manual = make(options, torch::kFloat64);
  const auto builtin = make_model(other, torch::kFloat64, torch::kCPU);
  builtin->set_weights(manual->weights());
  EXPECT_TRUE(testing::same(builtin->weights(), manual->weights()));

  const auto second_manual = make_model(options, torch::kFloat64, torch::kCPU);
  second_manual->set_weights(builtin->weights());
  EXPECT_TRUE(testing::same(second_manual->weights(), manual->weights()));

  const torch::Tensor inputs = testing::int64(testing::scrambled_series(40, 3)->inputs, {4, 10});
  const torch::Tensor state = testing::spread({4, 5}, 0.9, 0.2);
  const ModelOutput left = manual->forward(inputs, state);
  const ModelOutput right = builtin->forward(inputs, state);
  testing::expect_near(testing::numbers(left.logits), testing::numbers(right.logits), 1e-14);
  testing::expect_near(testing::numbers(left.state), testing::numbers(right.state), 1e-14);
}

}  // namespace
}  // namespace unroll
