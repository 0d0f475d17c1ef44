// The initial weights. The numbers written out come from an independent implementation of the
// 64-bit Mersenne Twister in Python, which gives 9981545732273789042 as the 10,000th draw of its
// default seed, as the C++ standard demands of std::mt19937_64.

#include <unroll/model/weights.h>

#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include <unroll/base/error.h>

#include "../support/tensors.h"

namespace unroll {
namespace {

TEST(GlorotWeights, HaveTheCanonicalShapesAndDtype) {
  for (const torch::Dtype dtype : {torch::kFloat32, torch::kFloat64}) {
    const Weights weights = glorot_weights({.num_classes = 3, .hidden_size = 5}, 0, dtype);
    const auto is = [dtype](const torch::Tensor& tensor, const std::vector<std::int64_t>& shape) {
      EXPECT_EQ(tensor.sizes().vec(), shape);
      EXPECT_EQ(tensor.scalar_type(), dtype);
      EXPECT_TRUE(tensor.is_contiguous());
      EXPECT_FALSE(tensor.requires_grad());
    };
    is(weights.input_weight, {5, 3});
    is(weights.recurrent_weight, {5, 5});
    is(weights.bias, {5});
    is(weights.readout_weight, {3, 5});
    is(weights.readout_bias, {3});
  }
}

TEST(GlorotWeights, AreTheseNumbersOnEveryMachine) {
  // W [C + H, H] row by row and then V [H, C], as the tutorial shapes them; the canonical weights
  // are their transposes.
  const Weights weights = glorot_weights({.num_classes = 2, .hidden_size = 4}, 7, torch::kFloat64);
  const double tolerance = 1e-15;
  testing::expect_near(
      testing::numbers(weights.input_weight.t()),
      {0.394092018601571, 0.6960544304936683, -0.5926992472200412, 0.607149282626666,
       -0.5557397046091016, -0.6892467150911886, 0.5151423863318171, 0.6207780007917157},
      tolerance);
  testing::expect_near(
      testing::numbers(weights.recurrent_weight.t()),
      {-0.37620910217515463, 0.33757803507580614, 0.39619850416945274, 0.14901501841874712,
       -0.15887681885029284, -0.29662603671150184, 0.5145930297392411, -0.30363389364858845,
       0.7672563228504119, 0.7647635180711813, 0.5678452162114788, -0.3600149277318853,
       0.18677318975447285, -0.3217372632304789, -0.7076386348834066, -0.7227787923926399},
      tolerance);
  testing::expect_near(
      testing::numbers(weights.readout_weight.t()),
      {-0.7526382132458673, -0.6625518449135219, -0.26578715389576457, -0.33813444387841596,
       0.3339294643430537, 0.2842599977301765, 0.00013042583539979447, -0.9643751562345135},
      tolerance);
}

TEST(GlorotWeights, OfTheDefaultSeedAreTheseNumbers) {
  const Weights weights = glorot_weights({}, 0, torch::kFloat64);
  testing::expect_near(
      testing::numbers(weights.input_weight.t()[0]),
      {-0.5270458551741775, 0.762428080324834, -0.7132965979923572, 0.15103808198422916}, 1e-15);
  testing::expect_near(testing::numbers(weights.readout_weight.t()[3]),
                       {-0.640412240935148, -0.6201842121952656}, 1e-15);
}

TEST(GlorotWeights, HaveZeroBiases) {
  const Weights weights = glorot_weights({.num_classes = 3, .hidden_size = 5}, 1, torch::kFloat32);
  EXPECT_EQ(weights.bias.count_nonzero().item<std::int64_t>(), 0);
  EXPECT_EQ(weights.readout_bias.count_nonzero().item<std::int64_t>(), 0);
}

TEST(GlorotWeights, FillTheGlorotBoundOfTheWholeMatrix) {
  // The bound of W is that of one [C + H, H] matrix, sqrt(6 / (C + H + H)), not of its two parts.
  const std::int64_t C = 2;
  const std::int64_t H = 64;
  const Weights weights = glorot_weights({.num_classes = C, .hidden_size = H}, 3, torch::kFloat64);
  const auto fills = [](const torch::Tensor& tensor, double bound) {
    EXPECT_LE(tensor.abs().max().item<double>(), bound);
    EXPECT_GT(tensor.max().item<double>(), 0.9 * bound);
    EXPECT_LT(tensor.min().item<double>(), -0.9 * bound);
    // A uniform variable on (-a, a) has variance a^2 / 3; the mean of n has a deviation of
    // a / sqrt(3 n), allowed four times.
    EXPECT_LT(std::abs(tensor.mean().item<double>()),
              4.0 * bound / std::sqrt(3.0 * static_cast<double>(tensor.numel())));
  };
  fills(weights.input_weight, std::sqrt(6.0 / 130.0));
  fills(weights.recurrent_weight, std::sqrt(6.0 / 130.0));
  fills(weights.readout_weight, std::sqrt(6.0 / 66.0));
  EXPECT_NEAR(weights.recurrent_weight.pow(2).mean().item<double>(), 6.0 / 130.0 / 3.0, 6e-4);
}

TEST(GlorotWeights, AreTheSameFromTheSameSeed) {
  EXPECT_TRUE(testing::same(glorot_weights({}, 11, torch::kFloat32),
                            glorot_weights({}, 11, torch::kFloat32)));
}

TEST(GlorotWeights, AreTheSameForBothModels) {
  EXPECT_TRUE(testing::same(glorot_weights({.model = ModelKind::kManual}, 11, torch::kFloat32),
                            glorot_weights({.model = ModelKind::kBuiltin}, 11, torch::kFloat32)));
}

TEST(GlorotWeights, OfFloat32AreThoseOfFloat64Rounded) {
  const ModelOptions options = {.num_classes = 3, .hidden_size = 32};
  const Weights narrow = glorot_weights(options, 11, torch::kFloat32);
  const Weights wide = glorot_weights(options, 11, torch::kFloat64);
  EXPECT_TRUE(torch::equal(narrow.input_weight, wide.input_weight.to(torch::kFloat32)));
  EXPECT_TRUE(torch::equal(narrow.recurrent_weight, wide.recurrent_weight.to(torch::kFloat32)));
  EXPECT_TRUE(torch::equal(narrow.readout_weight, wide.readout_weight.to(torch::kFloat32)));
}

TEST(GlorotWeights, DifferFromSeedToSeed) {
  const torch::Tensor zero = glorot_weights({}, 0, torch::kFloat64).recurrent_weight;
  for (const std::uint64_t seed : {1U, 2U, 4294967295U}) {
    const torch::Tensor other = glorot_weights({}, seed, torch::kFloat64).recurrent_weight;
    EXPECT_EQ((zero != other).sum().item<std::int64_t>(), 16) << "seed " << seed;
  }
}

TEST(GlorotWeights, DoNotDependOnLibTorchsRandomState) {
  torch::manual_seed(1);
  const Weights before = glorot_weights({}, 11, torch::kFloat32);
  torch::manual_seed(2);
  EXPECT_TRUE(testing::same(glorot_weights({}, 11, torch::kFloat32), before));
}

TEST(GlorotWeights, RefuseSizesBelowOne) {
  EXPECT_THROW(glorot_weights({.hidden_size = 0}, 0, torch::kFloat32), InvalidOption);
  EXPECT_THROW(glorot_weights({.num_classes = 0}, 0, torch::kFloat32), InvalidOption);
}

}  // namespace
}  // namespace unroll
