// The optimizers' first steps against their published formulas.

#include <unroll/train/optimizer.h>

#include <gtest/gtest.h>
#include <torch/types.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <unroll/base/error.h>

#include "../support/tensors.h"

namespace unroll {
namespace {

using Numbers = std::array<double, 3>;

constexpr double kRate = 0.1;
constexpr Numbers kStart = {1.0, -2.0, 0.5};
constexpr std::array<Numbers, 3> kGradients = {
    {{0.3, -1.5, 1e-3}, {-0.7, 0.2, 4.0}, {0.1, 0.1, -0.1}}};

torch::Tensor to_tensor(const Numbers& numbers) {
  return testing::float64({numbers.begin(), numbers.end()}, {3});
}

/// Where one parameter is after a step with each of kGradients.
std::vector<double> stepped(OptimizerKind kind) {
  torch::Tensor parameter = to_tensor(kStart).requires_grad_(true);
  const auto optimizer = make_optimizer({parameter}, {.optimizer = kind, .learning_rate = kRate});
  for (const Numbers& gradient : kGradients) {
    parameter.mutable_grad() = to_tensor(gradient);
    optimizer->step();
  }
  return testing::numbers(parameter);
}

TEST(Optimizer, SgdStepsDownTheGradient) {
  std::vector<double> expected(kStart.begin(), kStart.end());
  for (const Numbers& gradient : kGradients) {
    for (std::size_t i = 0; i < expected.size(); ++i) {
      expected[i] -= kRate * gradient[i];
    }
  }
  testing::expect_near(stepped(OptimizerKind::kSgd), expected, 1e-15);
}

TEST(Optimizer, AdagradDividesByTheRootOfTheSummedSquares) {
  // Duchi, Hazan and Singer 2011; epsilon as LibTorch's default.
  std::vector<double> expected(kStart.begin(), kStart.end());
  std::vector<double> sum(expected.size(), 0.0);
  for (const Numbers& gradient : kGradients) {
    for (std::size_t i = 0; i < expected.size(); ++i) {
      sum[i] += gradient[i] * gradient[i];
      expected[i] -= kRate * gradient[i] / (std::sqrt(sum[i]) + 1e-10);
    }
  }
  testing::expect_near(stepped(OptimizerKind::kAdagrad), expected, 1e-14);
}

TEST(Optimizer, AdamStepsByItsCorrectedMoments) {
  // Kingma and Ba 2015, algorithm 1, with the paper's settings.
  std::vector<double> expected(kStart.begin(), kStart.end());
  std::vector<double> m(expected.size(), 0.0);
  std::vector<double> v(expected.size(), 0.0);
  int t = 0;
  for (const Numbers& gradient : kGradients) {
    ++t;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      m[i] = 0.9 * m[i] + 0.1 * gradient[i];
      v[i] = 0.999 * v[i] + 0.001 * gradient[i] * gradient[i];
      const double m_hat = m[i] / (1.0 - std::pow(0.9, t));
      const double v_hat = v[i] / (1.0 - std::pow(0.999, t));
      expected[i] -= kRate * m_hat / (std::sqrt(v_hat) + 1e-8);
    }
  }
  testing::expect_near(stepped(OptimizerKind::kAdam), expected, 1e-13);
}

TEST(Optimizer, LeavesOutWhatNeedsNoGradient) {
  for (const OptimizerKind kind :
       {OptimizerKind::kSgd, OptimizerKind::kAdagrad, OptimizerKind::kAdam}) {
    const torch::Tensor trained = torch::ones({2}).requires_grad_(true);
    const torch::Tensor frozen = torch::ones({2});
    const auto optimizer = make_optimizer({frozen, trained}, {.optimizer = kind});
    ASSERT_EQ(optimizer->param_groups().size(), 1U);
    const auto& parameters = optimizer->param_groups()[0].params();
    ASSERT_EQ(parameters.size(), 1U);
    EXPECT_TRUE(parameters[0].is_same(trained));
  }
}

TEST(Optimizer, RefusesALearningRateThatIsNotFiniteAndPositive) {
  for (const OptimizerKind kind :
       {OptimizerKind::kSgd, OptimizerKind::kAdagrad, OptimizerKind::kAdam}) {
    for (const auto& [rate, text] : std::vector<std::pair<double, std::string>>{
             {0.0, "0"},
             {-0.2, "-0.2"},
             {std::numeric_limits<double>::infinity(), "inf"},
             {-std::numeric_limits<double>::infinity(), "-inf"},
             {std::numeric_limits<double>::quiet_NaN(), "nan"}}) {
      try {
        make_optimizer({torch::ones({1}).requires_grad_(true)},
                       {.optimizer = kind, .learning_rate = rate});
        ADD_FAILURE() << rate << " was taken";
      } catch (const InvalidOption& error) {
        EXPECT_EQ(std::string(error.what()),
                  "learning_rate must be a finite positive number, got " + text);
      }
    }
  }
}

TEST(Optimizer, TakesAStateOnlyWhole) {
  const std::map<std::string, torch::Tensor> parameters = {
      {"w", torch::ones({2}).requires_grad_(true)}};
  for (const OptimizerKind kind : {OptimizerKind::kAdagrad, OptimizerKind::kAdam}) {
    const auto make = [&] { return make_optimizer({parameters.at("w")}, {.optimizer = kind}); };
    const auto trained = make();
    parameters.at("w").mutable_grad() = torch::ones({2});
    trained->step();
    const OptimizerState good = state_of(*trained, kind, parameters);
    EXPECT_NO_THROW(set_state(*make(), kind, parameters, good));
    for (const auto& [name, tensor] : good) {
      OptimizerState without = good;
      without.erase(name);
      EXPECT_THROW(set_state(*make(), kind, parameters, without), std::invalid_argument) << name;
      OptimizerState reshaped = good;
      reshaped[name] = torch::zeros({3}, tensor.options());
      EXPECT_THROW(set_state(*make(), kind, parameters, reshaped), std::invalid_argument) << name;
    }
    OptimizerState extra = good;
    extra["v.step"] = torch::tensor(1);
    EXPECT_THROW(set_state(*make(), kind, parameters, extra), std::invalid_argument);
    EXPECT_THROW(set_state(*make(), OptimizerKind::kSgd, parameters, good), std::invalid_argument);
  }
}

}  // namespace
}  // namespace unroll
