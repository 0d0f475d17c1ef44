// The initial weights. The numbers written out are NumPy's: r = numpy.random.RandomState(seed),
// then r.uniform(-a, a, (C + H, H)) and r.uniform(-a, a, (H, C)), with a of each shape.

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
  const double tolerance = 0.0;  // no operation here leaves room for rounding differently
  testing::expect_near(
      testing::numbers(weights.input_weight.t()),
      {-0.6563803756723184, 0.4336483282545831, -0.09541600836381392, 0.3461907648786058,
       0.740498167849861, 0.05963754599894744, 0.0017358148379880145, -0.662975533410393},
      tolerance);
  testing::expect_near(
      testing::numbers(weights.recurrent_weight.t()),
      {-0.3587327894785029, -0.00018202893831975597, 0.27766191604688895, 0.4705504913701357,
       -0.1844452034136148, -0.6724485198509532, -0.32820342628035765, 0.634539564628964,
       -0.4440215009456458, -0.07416923942500153, 0.6680214932159876, -0.7360229517871127,
       0.1557697131270923, 0.6973376234954856, -0.41781298322875615, 0.07512025986403537},
      tolerance);
  testing::expect_near(
      testing::numbers(weights.readout_weight.t()),
      {0.8182567497734625, -0.7336611084814997, 0.046825161347531674, 0.5008197182040697,
       0.33802648176782757, -0.06449428051003858, -0.5903018194044098, -0.01846822181785912},
      tolerance);
}

TEST(GlorotWeights, OfTheDefaultSeedAreTheseNumbers) {
  const Weights weights = glorot_weights({}, 0, torch::kFloat64);
  testing::expect_near(
      testing::numbers(weights.input_weight.t()[0]),
      {0.07562155511222368, 0.3333699328965227, 0.15920033765021058, 0.06953272810870459}, 0.0);
  testing::expect_near(testing::numbers(weights.readout_weight.t()[3]),
                       {-0.47088877579074606, 0.5484673788684333}, 0.0);
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
  for (const std::uint32_t seed : {1U, 2U, 4294967295U}) {
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
