// What an evaluation finds, against models of which it is known what they know.

#include <unroll/evaluation/evaluator.h>

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

#include <unroll/base/error.h>
#include <unroll/data/conversion.h>
#include <unroll/data/series_source.h>

#include "../support/temp_dir.h"
#include "../support/tensors.h"

namespace unroll {
namespace {

constexpr std::int64_t kDelays = 10;

/// A network whose unit j holds the input j steps back, small enough that tanh is a straight line;
/// the logit of class 1 is `base` + the sum of effects[lag] where the input is 1. Units from
/// kDelays on do nothing.
std::shared_ptr<RecurrentModel> delay_line(double base, const std::vector<LagEffect>& effects,
                                           std::int64_t hidden_size = kDelays) {
  constexpr double kSmall = 1e-3;
  const ModelOptions sizes = {.num_classes = 2, .hidden_size = hidden_size};
  Weights weights = glorot_weights(sizes, 0, torch::kFloat64);
  for (const NamedTensor& weight : named_tensors(weights)) {
    weight.tensor.zero_();
  }
  weights.input_weight[0][1] = kSmall;
  for (std::int64_t unit = 1; unit < kDelays; ++unit) {
    weights.recurrent_weight[unit][unit - 1] = 1.0;
  }
  for (const auto& [lag, effect] : effects) {
    weights.readout_weight[1][lag] = effect / kSmall;
  }
  weights.readout_bias[1] = base;
  auto model = make_model(sizes, torch::kFloat64, torch::kCPU);
  model->set_weights(weights);
  return model;
}

/// While it lives, the most bytes of tensors at a time that this thread has asked for.
class PeakMemory final {
 public:
  [[nodiscard]] std::int64_t bytes() const { return counter_->peak; }

 private:
  struct Counter final : public c10::MemoryReportingInfoBase {
    void reportMemoryUsage(void* /*ptr*/, std::int64_t alloc_size, std::size_t /*allocated*/,
                           std::size_t /*reserved*/, c10::Device /*device*/) override {
      now += alloc_size;
      peak = std::max(peak, now);
    }
    [[nodiscard]] bool memoryProfilingEnabled() const override { return true; }

    std::int64_t now = 0;
    std::int64_t peak = 0;
  };

  std::shared_ptr<Counter> counter_ = std::make_shared<Counter>();
  c10::DebugInfoGuard guard_{c10::DebugInfoKind::PROFILER_STATE, counter_};
};

double sigmoid(double logit) { return 1.0 / (1.0 + std::exp(-logit)); }

/// The mean cross-entropy of saying `said` where the truth is `truth`.
double cross_entropy(double truth, double said) {
  return -truth * std::log(said) - (1.0 - truth) * std::log(1.0 - said);
}

Evaluation evaluate_tutorial(RecurrentModel& model, std::int64_t length = 200'000) {
  const LaggedProcess process = LaggedProcess::tutorial();
  return evaluate(model, held_out_series(process, length, 7), process);
}

TEST(HeldOutSeries, IsNumPysStreamOfSeedAndOne) {
  // numpy.random.RandomState([7, 1]).choice(2, 16)
  const Series series = held_out_series(LaggedProcess::tutorial(), 1000, 7);
  EXPECT_EQ(std::vector<std::int64_t>(series.inputs.begin(), series.inputs.begin() + 16),
            (std::vector<std::int64_t>{0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 1, 1}));
  SampledSource training(LaggedProcess::tutorial(), series.length(), 7);
  EXPECT_NE(training.next()->inputs, series.inputs);
}

TEST(Evaluate, FindsTheLossAndWhatEachCombinationGives) {
  // Logits 0, 2.2, -1.1 and 1.1, where the process has P(Y = 1) = 0.5, 1, 0.25 and 0.75.
  const auto model = delay_line(0.0, {{.lag = 3, .effect = 2.2}, {.lag = 8, .effect = -1.1}});
  const Evaluation evaluation = evaluate_tutorial(*model);
  EXPECT_EQ(evaluation.symbols, 200'000);
  const double expected = (cross_entropy(0.5, 0.5) + cross_entropy(1.0, sigmoid(2.2)) +
                           cross_entropy(0.25, sigmoid(-1.1)) + cross_entropy(0.75, sigmoid(1.1))) /
                          4.0;
  ASSERT_TRUE(evaluation.loss.standard_error.has_value());
  EXPECT_NEAR(*evaluation.loss.standard_error, 0.001, 0.0003);
  EXPECT_NEAR(evaluation.loss.value, expected, 4.0 * *evaluation.loss.standard_error);
  ASSERT_EQ(evaluation.combinations.size(), 4U);
  const std::vector<std::vector<std::int64_t>> inputs = {{0, 0}, {1, 0}, {0, 1}, {1, 1}};
  const std::vector<double> said = {0.5, sigmoid(2.2), sigmoid(-1.1), sigmoid(1.1)};
  const std::vector<double> truth = {0.5, 1.0, 0.25, 0.75};
  for (std::size_t i = 0; i < 4; ++i) {
    const Combination& combination = evaluation.combinations[i];
    EXPECT_EQ(combination.inputs, inputs[i]);
    EXPECT_NEAR(combination.probability, said[i], 1e-6);
    EXPECT_EQ(combination.truth, truth[i]);
    EXPECT_NEAR(static_cast<double>(combination.count), 50'000.0, 1'000.0);
  }
  EXPECT_FALSE(evaluation.is_impossible);
}

TEST(Evaluate, JudgesALagByTheFloorWithoutIt) {
  const auto verdicts = [](double third, double eighth) {
    const auto model = delay_line(third == 0.0 ? 0.5 : 0.0,
                                  {{.lag = 3, .effect = third}, {.lag = 8, .effect = eighth}});
    const Evaluation evaluation = evaluate_tutorial(*model);
    return std::vector<Learned>{evaluation.lags.at(0).learned, evaluation.lags.at(1).learned};
  };
  EXPECT_EQ(verdicts(2.2, -1.1), (std::vector<Learned>{Learned::kYes, Learned::kYes}));
  EXPECT_EQ(verdicts(2.2, 0.0), (std::vector<Learned>{Learned::kYes, Learned::kNo}));
  EXPECT_EQ(verdicts(0.6, -0.6), (std::vector<Learned>{Learned::kYes, Learned::kPartly}));
  EXPECT_EQ(verdicts(0.0, 0.0), (std::vector<Learned>{Learned::kNo, Learned::kNo}));
  EXPECT_EQ(verdicts(-0.5, 0.5), (std::vector<Learned>{Learned::kNo, Learned::kNo}))
      << "the wrong way round is nothing learned";
}

TEST(Evaluate, MeasuresEachLagsEffect) {
  const auto model = delay_line(0.0, {{.lag = 3, .effect = 2.2}, {.lag = 8, .effect = -1.1}});
  const Evaluation evaluation = evaluate_tutorial(*model);
  const double third = (sigmoid(2.2) + sigmoid(1.1) - 0.5 - sigmoid(-1.1)) / 2.0;
  const double eighth = (sigmoid(-1.1) + sigmoid(1.1) - 0.5 - sigmoid(2.2)) / 2.0;
  EXPECT_EQ(evaluation.lags.at(0).lag, 3);
  EXPECT_NEAR(evaluation.lags.at(0).effect.value, third, 0.005);
  EXPECT_NEAR(evaluation.lags.at(1).effect.value, eighth, 0.005);
  EXPECT_EQ(evaluation.lags.at(0).true_effect, 0.5);
  EXPECT_NEAR(evaluation.lags.at(0).floor_without, 0.6277412, 1e-6);
  EXPECT_NEAR(evaluation.lags.at(1).floor_without, 0.5191667, 1e-6);

  ASSERT_EQ(evaluation.profile.size(), 21U);
  for (const LagInfluence& influence : evaluation.profile) {
    const double expected = influence.lag == 3 ? third : influence.lag == 8 ? eighth : 0.0;
    ASSERT_TRUE(influence.effect.has_value());
    EXPECT_NEAR(influence.effect->value, expected, 0.01) << "lag " << influence.lag;
    EXPECT_NEAR(influence.change.value, std::abs(expected), 0.01) << "lag " << influence.lag;
  }
}

TEST(Evaluate, TakesAWideNetworkInPartsWithTheSameProfile) {
  const std::vector<LagEffect> effects = {{.lag = 3, .effect = 2.2}, {.lag = 8, .effect = -1.1}};
  const Evaluation narrow = evaluate_tutorial(*delay_line(0.0, effects), 2'000);
  const auto wide_model = delay_line(0.0, effects, 200);
  const PeakMemory memory;
  const Evaluation wide = evaluate_tutorial(*wide_model, 2'000);
  // At once, the hidden states of 22 variants of 100 rows of 21 steps take 74 MB, thrice.
  EXPECT_GT(memory.bytes(), 10'000'000);
  EXPECT_LT(memory.bytes(), 140'000'000);
  ASSERT_EQ(wide.profile.size(), narrow.profile.size());
  for (std::size_t lag = 0; lag < wide.profile.size(); ++lag) {
    EXPECT_NEAR(wide.profile[lag].change.value, narrow.profile[lag].change.value, 1e-12) << lag;
    EXPECT_NEAR(wide.profile[lag].effect->value, narrow.profile[lag].effect->value, 1e-12) << lag;
  }
  EXPECT_NEAR(wide.loss.value, narrow.loss.value, 1e-12);
}

// The impossible: a loss below what the process allows. Here the inputs are the targets themselves.
TEST(Evaluate, FindsTargetsThatLeak) {
  const LaggedProcess process = LaggedProcess::tutorial();
  Series series = held_out_series(process, 20'000, 7);
  series.inputs = series.targets;
  const auto model = delay_line(-3.0, {{.lag = 0, .effect = 6.0}});
  const Evaluation evaluation = evaluate(*model, series, process);
  EXPECT_LT(evaluation.loss.value, 0.1);
  EXPECT_TRUE(evaluation.is_impossible);
}

// Rows that begin warm are the series in one piece: a network with a memory of ten steps is judged
// as if there were one row.
TEST(Evaluate, CarriesTheStateIntoEveryRow) {
  const LaggedProcess process = LaggedProcess::tutorial();
  const Series series = held_out_series(process, 5'000, 3);
  const auto model = delay_line(0.0, {{.lag = 3, .effect = 2.2}, {.lag = 8, .effect = -1.1}});
  const auto length = series.length();
  const torch::Tensor inputs = testing::int64(series.inputs, {1, length});
  const torch::NoGradGuard no_gradients;
  const torch::Tensor logs =
      model->forward(inputs, model->initial_state(1)).logits.log_softmax(2)[0];
  double sum = 0.0;
  for (std::int64_t t = length - 5'000; t < length; ++t) {
    sum -= logs[t][series.targets[static_cast<std::size_t>(t)]].item<double>();
  }
  EXPECT_NEAR(evaluate(*model, series, process).loss.value, sum / 5'000.0, 1e-9);
}

TEST(Evaluate, ProfilesAUsersSeriesOfManyClasses) {
  const auto series = testing::scrambled_series(3'000, 5);
  const ModelOptions sizes = {.num_classes = 5, .hidden_size = 6};
  const auto model = make_model(sizes, torch::kFloat32, torch::kCPU);
  model->set_weights(testing::spread_weights(sizes, torch::kFloat32));
  const Evaluation evaluation = evaluate(*model, *series, std::nullopt);
  EXPECT_TRUE(evaluation.combinations.empty());
  EXPECT_TRUE(evaluation.lags.empty());
  EXPECT_FALSE(evaluation.is_impossible);
  ASSERT_EQ(evaluation.profile.size(), 21U);
  EXPECT_FALSE(evaluation.profile[0].effect.has_value());
  EXPECT_GT(evaluation.profile[0].change.value, 0.01) << "the input of now matters to this network";
  EXPECT_LT(evaluation.profile[20].change.value, evaluation.profile[0].change.value);
}

TEST(Evaluate, TakesTheShortestSeries) {
  const auto model = delay_line(0.0, {{.lag = 0, .effect = 1.0}});
  for (const std::int64_t length : {2, 3, 20, 21, 22, 41, 42, 101, 300}) {
    const auto series = testing::scrambled_series(length, 2);
    const Evaluation evaluation = evaluate(*model, *series, std::nullopt);
    const std::int64_t judged = length - std::min<std::int64_t>(length / 2, 256);
    const std::int64_t rows = std::max<std::int64_t>(judged / 20, 1);
    EXPECT_EQ(evaluation.symbols, judged / rows * rows) << length;
    EXPECT_TRUE(std::isfinite(evaluation.loss.value)) << length;
    EXPECT_EQ(evaluation.loss.standard_error.has_value(), rows > 1) << length;
    EXPECT_EQ(evaluation.profile.empty(), length < 21) << length;
  }
  EXPECT_THROW(evaluate(*model, *testing::scrambled_series(1, 2), std::nullopt),
               std::invalid_argument);
  EXPECT_THROW(evaluate(*model, *testing::scrambled_series(50, 3), std::nullopt),
               std::invalid_argument);
}

// A network was never asked about inputs that do not occur, and says anything about them.
TEST(Evaluate, ProfilesByTheInputsThatOccur) {
  Series series = *testing::scrambled_series(3'000, 2);
  series.num_classes = 5;
  const ModelOptions sizes = {.num_classes = 5, .hidden_size = 6};
  const auto profile_of = [&](double weight_of_others) {
    Weights weights = testing::spread_weights(sizes, torch::kFloat64);
    weights.input_weight.narrow(1, 2, 3).fill_(weight_of_others);
    const auto model = make_model(sizes, torch::kFloat64, torch::kCPU);
    model->set_weights(weights);
    return evaluate(*model, series, std::nullopt).profile;
  };
  const auto one = profile_of(5.0);
  const auto other = profile_of(-5.0);
  ASSERT_EQ(one.size(), other.size());
  for (std::size_t lag = 0; lag < one.size(); ++lag) {
    EXPECT_EQ(one[lag].change.value, other[lag].change.value);
  }
}

// Of ten evaluations the effect's spread is what each says its standard error is.
TEST(Evaluate, StandardErrorsAreThoseOfRepeatedEvaluations) {
  const LaggedProcess process = LaggedProcess::tutorial();
  const auto model = delay_line(0.0, {{.lag = 3, .effect = 2.2}, {.lag = 8, .effect = -1.1}});
  std::vector<double> effects;
  double squares = 0.0;
  double claimed = 0.0;
  constexpr int kTimes = 40;
  for (std::uint32_t seed = 0; seed < kTimes; ++seed) {
    const Estimate effect =
        evaluate(*model, held_out_series(process, 10'000, seed), process).lags.at(0).effect;
    effects.push_back(effect.value);
    claimed += *effect.standard_error / kTimes;
  }
  double mean = 0.0;
  for (const double effect : effects) {
    mean += effect / kTimes;
  }
  for (const double effect : effects) {
    squares += (effect - mean) * (effect - mean) / (kTimes - 1);
  }
  EXPECT_GT(claimed, 0.6 * std::sqrt(squares));
  EXPECT_LT(claimed, 1.6 * std::sqrt(squares));
}

TEST(Evaluate, ASampleWithoutAnInputsValuesHasNoEffect) {
  const auto model = delay_line(0.0, {{.lag = 3, .effect = 1.0}});
  const Evaluation evaluation = evaluate_tutorial(*model, 1);
  EXPECT_EQ(evaluation.symbols, 1);
  EXPECT_TRUE(std::isnan(evaluation.lags.at(0).effect.value));
  EXPECT_FALSE(evaluation.lags.at(0).effect.standard_error.has_value());
}

TEST(Evaluate, IsTheSameEveryTime) {
  const auto model = delay_line(0.1, {{.lag = 3, .effect = 1.0}});
  const Evaluation one = evaluate_tutorial(*model, 10'000);
  const Evaluation other = evaluate_tutorial(*model, 10'000);
  EXPECT_EQ(one.loss.value, other.loss.value);
  EXPECT_EQ(one.profile.at(3).effect->value, other.profile.at(3).effect->value);
}

TEST(Evaluate, RefusesASeriesThatIsNotInMemory) {
  const testing::TempDir folder;
  testing::write_bytes(folder / "series.csv", testing::csv_of(*testing::scrambled_series(500, 2)));
  const auto go_on = [](std::int64_t /*bytes*/) { return true; };
  convert_csv(folder / "series.csv", folder / "series.bin", go_on);
  const Series series = series_in(std::make_shared<const SeriesFile>(folder / "series.bin"));
  const auto model = delay_line(0.0, {});
  EXPECT_THROW(evaluate(*model, series, std::nullopt), std::invalid_argument);
  EXPECT_NO_THROW(evaluate(*model, first_symbols(series, 500), std::nullopt));
}

TEST(EvaluationOptions, HasALengthFromZero) {
  EXPECT_NO_THROW(EvaluationOptions{.eval_length = 0}.validate());
  EXPECT_THROW(EvaluationOptions{.eval_length = -1}.validate(), InvalidOption);
  EXPECT_THROW(EvaluationOptions{.eval_length = 1'000'000'001}.validate(), InvalidOption);
}

}  // namespace
}  // namespace unroll
