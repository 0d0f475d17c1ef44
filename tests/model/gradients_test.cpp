// The gradients of both models through a window against central finite differences, in float64.

#include <gtest/gtest.h>
#include <torch/nn/functional/loss.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include <unroll/model/model.h>

#include "../support/tensors.h"

namespace unroll {
namespace {

/// A window with its loss: 3 rows of 7 steps, 3 classes, 4 hidden units, a state that is not zero.
class GradientsTest : public ::testing::TestWithParam<ModelKind> {
 protected:
  GradientsTest()
      : model(make_model(options(), torch::kFloat64, torch::kCPU)),
        series(testing::scrambled_series(21, 3)),
        inputs(testing::int64(series->inputs, {3, 7})),
        targets(testing::int64(series->targets, {3, 7})),
        state(testing::spread({3, 4}, 0.9, 0.2)) {
    model->set_weights(testing::spread_weights(options(), torch::kFloat64));
  }

  static ModelOptions options() {
    return {.model = GetParam(), .num_classes = 3, .hidden_size = 4};
  }

  [[nodiscard]] torch::Tensor loss() const {
    return torch::nn::functional::cross_entropy(model->forward(inputs, state).logits.flatten(0, 1),
                                                targets.flatten());
  }

  /// Expects `gradient` to be that of the loss, to a millionth, for every element of `variable`.
  void expect_gradient(const torch::Tensor& variable, const torch::Tensor& gradient) const {
    ASSERT_TRUE(gradient.defined());
    ASSERT_EQ(gradient.sizes(), variable.sizes());
    const std::vector<double> actual = testing::numbers(gradient);
    const torch::NoGradGuard no_grad;
    torch::Tensor flat = variable.view(-1);
    constexpr double kStep = 1e-5;
    for (std::int64_t i = 0; i < flat.numel(); ++i) {
      const auto middle = flat[i].item<double>();
      flat[i].fill_(middle + kStep);
      const auto above = loss().item<double>();
      flat[i].fill_(middle - kStep);
      const auto below = loss().item<double>();
      flat[i].fill_(middle);
      const double expected = (above - below) / (2.0 * kStep);
      // The differences themselves are right to about 1e-11.
      EXPECT_NEAR(actual[static_cast<std::size_t>(i)], expected,
                  std::max(1e-6 * std::abs(expected), 1e-10))
          << "element " << i;
    }
  }

  std::shared_ptr<RecurrentModel> model;
  std::shared_ptr<const Series> series;
  torch::Tensor inputs;
  torch::Tensor targets;
  torch::Tensor state;
};

INSTANTIATE_TEST_SUITE_P(Models, GradientsTest,
                         ::testing::Values(ModelKind::kManual, ModelKind::kBuiltin),
                         testing::model_name);

TEST_P(GradientsTest, OfEveryParameterAreTheFiniteDifferences) {
  loss().backward();
  std::int64_t checked = 0;
  for (const auto& parameter : model->named_parameters()) {
    if (parameter.value().requires_grad()) {
      SCOPED_TRACE(parameter.key());
      expect_gradient(parameter.value(), parameter.value().grad());
      checked += parameter.value().numel();
    }
  }
  EXPECT_EQ(checked, 3 * 4 + 4 * 4 + 4 + 4 * 3 + 3);
}

TEST_P(GradientsTest, OfTheIncomingStateAreTheFiniteDifferences) {
  state.requires_grad_(true);
  loss().backward();
  expect_gradient(state, state.grad());
}

}  // namespace
}  // namespace unroll
