// Every pass of every instruction set against its scalar twin, and the whole step against the
// twins' step.

#include <unroll/kernels/kernels.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <unroll/kernels/reference_kernels.h>
#include <unroll/kernels/step.h>

#include "instruction_sets.h"
#include "step_caller.h"

namespace unroll::kernels {
namespace {

using testing::Caller;
using testing::expect_near;
using testing::limit;
using testing::text;
using testing::train;

/// One row, one step, one unit; sizes beside those of vectors, tiles and panels; one, few and many
/// classes.
std::vector<StepShape> shapes() {
  std::vector<StepShape> all;
  for (const std::int64_t H : {1, 3, 4, 5, 8, 15, 16, 17, 32, 33, 70}) {
    for (const std::int64_t C : {1, 2, 3, 4, 5, 16, 17, 33}) {
      const std::int64_t B = 1 + (5 * H + 3 * C) % 29;
      const std::int64_t T = 1 + (3 * H + C) % 7;
      all.push_back({.batch_size = B, .num_steps = T, .num_classes = C, .hidden_size = H});
    }
  }
  all.push_back({.batch_size = 1, .num_steps = 1, .num_classes = 2, .hidden_size = 1});
  all.push_back({.batch_size = 150, .num_steps = 9, .num_classes = 2, .hidden_size = 20});
  return all;
}

template <class Real>
void scatter(PanelMatrix<Real>& matrix, std::int64_t rows, double limit, std::mt19937& random) {
  std::uniform_real_distribution<double> uniform(-limit, limit);
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < matrix.columns(); ++c) {
      matrix.at(r, c) = static_cast<Real>(uniform(random));
    }
  }
}

/// A window about to be trained on: parameters, state and symbols from a seed.
template <class Real>
Workspace<Real> make_workspace(const StepShape& shape, const Kernels<Real>& kernels) {
  Workspace<Real> w(shape, kernels.widths, kernels.trace_size);
  std::mt19937 random(11);
  for (PanelMatrix<Real>* matrix :
       {&w.parameters.input_weight, &w.parameters.bias, &w.parameters.recurrent_weight,
        &w.parameters.readout_weight, &w.parameters.readout_bias}) {
    scatter(*matrix, matrix->rows(), limit(shape), random);
  }
  scatter(w.hidden, w.B(), 0.9, random);
  for (std::int64_t p = 0; p < w.P(); ++p) {
    w.inputs[p] = static_cast<std::int64_t>(random() % static_cast<std::uint32_t>(w.C()));
    w.targets[p] = static_cast<std::int32_t>(random() % static_cast<std::uint32_t>(w.C()));
    for (std::int64_t c = 0; w.C() <= kMaxOneHotClasses && c < w.C(); ++c) {
      w.one_hot.at(p, c) = w.inputs[p] == c ? Real(1) : Real(0);
    }
  }
  return w;
}

template <class Real>
void expect_near(const PanelMatrix<Real>& actual, const PanelMatrix<Real>& expected,
                 std::int64_t rows, const char* name) {
  const double tolerance = sizeof(Real) == 4 ? 2e-6 : 1e-14;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < expected.columns(); ++c) {
      const double scale = std::max(1.0, std::abs(static_cast<double>(expected.at(r, c))));
      ASSERT_NEAR(actual.at(r, c), expected.at(r, c), 4.0 * tolerance * scale)
          << name << " at " << r << ", " << c;
    }
  }
}

template <class Real>
void expect_zero_padding(const PanelMatrix<Real>& matrix, std::int64_t rows, const char* name) {
  const std::int64_t last = matrix.panels() - 1;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = matrix.columns_in(last); c < matrix.width(); ++c) {
      ASSERT_EQ(matrix.panel(last, r)[c], Real(0)) << name << " row " << r;
    }
  }
}

class KernelTest : public ::testing::TestWithParam<std::int64_t> {
 protected:
  testing::InstructionSet set{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(InstructionSets, KernelTest,
                         ::testing::ValuesIn(testing::instruction_sets()),
                         [](const auto& set) { return hwy::TargetName(set.param); });

template <class Real>
void check_passes(const StepShape& shape) {
  const Kernels<Real> kernels = choose_kernels<Real>(shape);
  const Kernels<Real> twins = ReferenceKernels<Real>::kernels(kernels.widths);
  Workspace<Real> actual = make_workspace(shape, kernels);
  Workspace<Real> expected = make_workspace(shape, kernels);

  kernels.prepare(actual, {});
  twins.prepare(expected, {});
  expect_near(actual.input_terms, expected.input_terms, actual.C(), "input_terms");
  expect_near(actual.recurrent_transposed, expected.recurrent_transposed, actual.H(),
              "recurrent_transposed");
  if (shape.num_classes != 2) {
    expect_near(actual.readout_transposed, expected.readout_transposed, actual.H(),
                "readout_transposed");
  } else {
    expect_near(actual.readout_difference, expected.readout_difference, 1, "readout_difference");
  }

  kernels.forward(actual, {});
  twins.forward(expected, {});
  expect_near(actual.hidden, expected.hidden, actual.B() + actual.P(), "hidden");
  expect_zero_padding(actual.hidden, actual.B() + actual.P(), "hidden");

  kernels.loss(actual, {});
  twins.loss(expected, {});
  EXPECT_NEAR(actual.mean_loss(), expected.mean_loss(), sizeof(Real) == 4 ? 1e-5 : 1e-13);
  expect_near(actual.logits, expected.logits, actual.P(), "logits");
  expect_near(actual.readout_bias_gradient, expected.readout_bias_gradient, actual.blocks(),
              "readout_bias_gradient");

  kernels.backward(actual, {});
  twins.backward(expected, {});
  expect_near(actual.sum_gradient, expected.sum_gradient, actual.P(), "sum_gradient");

  kernels.update(actual, actual.parameters, Real(0.3), {});
  twins.update(expected, expected.parameters, Real(0.3), {});
  expect_near(actual.parameters.input_weight, expected.parameters.input_weight, actual.C(),
              "input_weight");
  expect_near(actual.parameters.bias, expected.parameters.bias, 1, "bias");
  expect_near(actual.parameters.recurrent_weight, expected.parameters.recurrent_weight, actual.H(),
              "recurrent_weight");
  expect_near(actual.parameters.readout_weight, expected.parameters.readout_weight, actual.C(),
              "readout_weight");
  expect_near(actual.parameters.readout_bias, expected.parameters.readout_bias, 1, "readout_bias");
  expect_zero_padding(actual.parameters.recurrent_weight, actual.H(), "recurrent_weight");
  expect_zero_padding(actual.parameters.readout_weight, actual.C(), "readout_weight");
}

// The last sizes have more panels than the update sums at a time, with more positions than a block
// has and with fewer.
TEST_P(KernelTest, EveryPassIsItsTwin) {
  std::vector<StepShape> all = shapes();
  all.push_back({.batch_size = 33, .num_steps = 8, .num_classes = 2, .hidden_size = 368});
  all.push_back({.batch_size = 64, .num_steps = 1, .num_classes = 17, .hidden_size = 385});
  for (const StepShape& shape : all) {
    SCOPED_TRACE(text(shape));
    check_passes<float>(shape);
    check_passes<double>(shape);
    if (HasFatalFailure()) {
      return;
    }
  }
}

template <class Real>
void check_far_logits(const StepShape& shape) {
  const Kernels<Real> kernels = choose_kernels<Real>(shape);
  const Kernels<Real> twins = ReferenceKernels<Real>::kernels(kernels.widths);
  Workspace<Real> actual = make_workspace(shape, kernels);
  Workspace<Real> expected = make_workspace(shape, kernels);
  for (Workspace<Real>* w : {&actual, &expected}) {
    for (std::int64_t c = 0; c < shape.num_classes; ++c) {
      constexpr std::array<Real, 3> kBiases = {0, 300, -1000};
      w->parameters.readout_bias.at(0, c) = kBiases[static_cast<std::size_t>(c % 3)];
    }
  }
  kernels.prepare(actual, {});
  twins.prepare(expected, {});
  kernels.forward(actual, {});
  twins.forward(expected, {});
  twins.loss(expected, {});
  kernels.loss(actual, {});
  EXPECT_GT(expected.mean_loss(), Real(100));
  EXPECT_NEAR(actual.mean_loss() / expected.mean_loss(), 1.0, sizeof(Real) == 4 ? 1e-6 : 1e-14);
  expect_near(actual.logits, expected.logits, actual.P(), "logits");
}

// Of a certain mistake, the loss is as large as the logits are far apart.
TEST_P(KernelTest, TheLossOfLogitsFarApartIsItsTwins) {
  for (const std::int64_t C : {2, 3, 40}) {
    const StepShape shape = {.batch_size = 7, .num_steps = 5, .num_classes = C, .hidden_size = 9};
    SCOPED_TRACE(text(shape));
    check_far_logits<float>(shape);
    check_far_logits<double>(shape);
  }
}

#if HWY_ARCH_X86
// A wide panel's row is two vectors.
TEST_P(KernelTest, TheKernelsAreThoseOfTheInstructionSet) {
  const std::int64_t vector_bytes = GetParam() == HWY_AVX3 ? 64 : GetParam() == HWY_AVX2 ? 32 : 16;
  const StepShape shape = {.batch_size = 1, .num_steps = 1, .num_classes = 2, .hidden_size = 1000};
  EXPECT_EQ(choose_kernels<float>(shape).widths.hidden, 2 * vector_bytes / 4);
  EXPECT_EQ(choose_kernels<double>(shape).widths.hidden, 2 * vector_bytes / 8);
}
#endif

template <class Real>
void check_step(const StepShape& shape, double tolerance) {
  const Kernels<Real> kernels = choose_kernels<Real>(shape);
  Caller<Real> actual(shape);
  Caller<Real> expected(shape);
  const std::vector<Real> actual_losses = train(actual, Step<Real>(shape, kernels), 40, 40);
  const std::vector<Real> expected_losses =
      train(expected, Step<Real>(shape, ReferenceKernels<Real>::kernels(kernels.widths)), 40, 40);
  expect_near(actual_losses, expected_losses, tolerance);
  expect_near(actual.weights, expected.weights, tolerance);
  expect_near(actual.state, expected.state, tolerance);

  // In other portions, and once more: the same to the last bit.
  Caller<Real> again(shape);
  EXPECT_EQ(train(again, Step<Real>(shape, kernels), 40, 7), actual_losses);
  EXPECT_EQ(again.weights, actual.weights);
  EXPECT_EQ(again.state, actual.state);
}

TEST_P(KernelTest, TheStepIsItsTwinsStepAndRepeatsToTheBit) {
  for (const StepShape& shape : shapes()) {
    SCOPED_TRACE(text(shape));
    check_step<float>(shape, 2e-5);
    check_step<double>(shape, 1e-13);
    if (HasFatalFailure()) {
      return;
    }
  }
}

/// Batches for up to four threads, that cut them evenly and unevenly, into tiles of every height;
/// of panels no more than threads, and of fewer and of more positions than a block of the loss.
std::vector<StepShape> wide_shapes() {
  std::vector<StepShape> all;
  for (const std::int64_t B : {31, 32, 37, 51, 64, 79, 131}) {
    for (const std::int64_t H : {5, 16, 33, 130}) {
      const std::int64_t C = 2 + (B + H) % 4 * 5;
      const std::int64_t T = 2 + (B * H) % 23;
      all.push_back({.batch_size = B, .num_steps = T, .num_classes = C, .hidden_size = H});
    }
  }
  return all;
}

template <class Real>
void check_threads(const StepShape& shape) {
  const Kernels<Real> kernels = choose_kernels<Real>(shape);
  Caller<Real> expected(shape);
  const std::vector<Real> expected_losses = train(expected, Step<Real>(shape, kernels, 1), 6, 6);
  for (const std::int64_t threads : {2, 3, 4}) {
    SCOPED_TRACE(std::to_string(threads) + " threads");
    Caller<Real> actual(shape);
    EXPECT_EQ(train(actual, Step<Real>(shape, kernels, threads), 6, 4), expected_losses);
    EXPECT_EQ(actual.weights, expected.weights);
    EXPECT_EQ(actual.state, expected.state);
  }
}

TEST_P(KernelTest, ThreadsChangeNoBit) {
  for (const StepShape& shape : wide_shapes()) {
    SCOPED_TRACE(text(shape));
    check_threads<float>(shape);
    check_threads<double>(shape);
  }
}

TEST(StepThreads, AreAsManyAsTheSizesKeepBusy) {
  const auto threads = [](std::int64_t batch_size, std::int64_t num_steps,
                          std::int64_t hidden_size) {
    const StepShape shape = {.batch_size = batch_size,
                             .num_steps = num_steps,
                             .num_classes = 2,
                             .hidden_size = hidden_size};
    return Step<float>(shape, 3).threads();
  };
  EXPECT_EQ(threads(3, 10, 4), 1) << "the tutorial's sizes";
  EXPECT_EQ(threads(64, 16, 130), 3);
  EXPECT_EQ(threads(32, 16, 200), 2) << "16 rows each";
  EXPECT_EQ(threads(31, 64, 200), 1);
  EXPECT_EQ(threads(64, 4, 100), 2) << "a million products each";
}

/// The weights after the gradient of a window was found and descended, beside those of a step that
/// does both at once.
template <class Real>
void check_gradient(const StepShape& shape, std::int64_t threads) {
  Caller<Real> expected(shape);
  Caller<Real> actual(shape);
  Caller<Real> gradient(shape);
  std::vector<std::int64_t> symbols(static_cast<std::size_t>(shape.positions()), 1);
  std::mt19937 random(4);
  for (std::int64_t& symbol : symbols) {
    symbol = static_cast<std::int64_t>(random() % static_cast<std::uint32_t>(shape.num_classes));
  }
  const SymbolRows rows = {
      .inputs = symbols.data(), .targets = symbols.data(), .stride = shape.num_steps};
  const auto rate = Real(0.25);  // a power of two, so that a product with it is exact

  Step<Real> at_once(shape, threads);
  at_once.load_parameters(expected.views());
  at_once.load_state(expected.state.data());
  Real expected_loss = 0;
  at_once.run(rows, 1, rate, &expected_loss);
  at_once.store_parameters(expected.views());
  at_once.store_state(expected.state.data());

  Step<Real> in_two(shape, threads);
  in_two.load_parameters(actual.views());
  in_two.load_state(actual.state.data());
  const Real loss = in_two.find_gradient(rows, gradient.views());
  Caller<Real> before(shape);
  in_two.store_parameters(before.views());
  EXPECT_EQ(before.weights, actual.weights) << "finding a gradient moves no weight";
  in_two.descend(gradient.views(), rate);
  in_two.store_parameters(actual.views());
  in_two.store_state(actual.state.data());

  const double tolerance = sizeof(Real) == 4 ? 2e-6 : 1e-14;
  EXPECT_NEAR(loss, expected_loss, 4 * tolerance);
  expect_near(actual.weights, expected.weights, tolerance);
  expect_near(actual.state, expected.state, tolerance);
  for (std::size_t i = 0; i < actual.weights.size(); ++i) {
    const Real moved = before.weights[i] - rate * gradient.weights[i];
    ASSERT_NEAR(actual.weights[i], moved, tolerance) << "at " << i;
  }
}

TEST_P(KernelTest, AGradientDescendedIsTheUpdate) {
  std::vector<StepShape> all = wide_shapes();
  all.push_back({.batch_size = 3, .num_steps = 10, .num_classes = 2, .hidden_size = 4});
  for (const StepShape& shape : all) {
    SCOPED_TRACE(text(shape));
    check_gradient<float>(shape, 1);
    check_gradient<double>(shape, 2);
  }
}

/// Trains on 20 windows whose targets are the inputs a step back, from weights and with a learning
/// rate that single precision holds; gives how far each weight went.
template <class Real>
std::vector<double> changes_at_a_small_rate(const StepShape& shape) {
  const Caller<float> initial(shape);
  Caller<Real> caller(shape);
  std::copy(initial.weights.begin(), initial.weights.end(), caller.weights.begin());
  const std::int64_t windows = 20;
  const std::int64_t length = windows * shape.num_steps;
  std::vector<std::int64_t> symbols(static_cast<std::size_t>(shape.batch_size * length + 1));
  std::mt19937 random(3);
  for (std::int64_t& symbol : symbols) {
    symbol = static_cast<std::int64_t>(random() % static_cast<std::uint32_t>(shape.num_classes));
  }
  std::vector<Real> losses(static_cast<std::size_t>(windows));
  Step<Real> step(shape);
  step.load_parameters(caller.views());
  step.load_state(caller.state.data());
  step.run({.inputs = symbols.data() + 1, .targets = symbols.data(), .stride = length}, windows,
           static_cast<Real>(1e-4F), losses.data());
  step.store_parameters(caller.views());
  std::vector<double> changes;
  changes.reserve(initial.weights.size());
  for (std::size_t i = 0; i < initial.weights.size(); ++i) {
    changes.push_back(static_cast<double>(caller.weights[i]) -
                      static_cast<double>(initial.weights[i]));
  }
  return changes;
}

// A window of thousands of positions is a sum of many blocks, each of which would move a weight by
// less than its rounding.
TEST_P(KernelTest, SmallStepsAreNotLostBlockByBlock) {
  for (const std::int64_t C : {2, 3, 7}) {
    const StepShape shape = {
        .batch_size = 200, .num_steps = 64, .num_classes = C, .hidden_size = 40};
    const std::vector<double> actual = changes_at_a_small_rate<float>(shape);
    const std::vector<double> expected = changes_at_a_small_rate<double>(shape);
    const auto check = [&](const char* name, std::int64_t first, std::int64_t count) {
      double error = 0.0;
      double norm = 0.0;
      for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(first + count);
           ++i) {
        error += (actual[i] - expected[i]) * (actual[i] - expected[i]);
        norm += expected[i] * expected[i];
      }
      EXPECT_LT(std::sqrt(error / norm), 1e-3) << name << ", C " << C;
    };
    const std::int64_t H = shape.hidden_size;
    check("recurrent_weight", H * C, H * H);
    check("readout_weight", H * C + H * H + H, C * H);
  }
}

// Networks of up to four hidden units and two classes: every batch size about the edges of vectors,
// every rest of T by four.
TEST_P(KernelTest, TheSmallStepIsItsTwinsStep) {
  for (std::int64_t H = 1; H <= 4; ++H) {
    for (const std::int64_t B : {1, 2, 3, 4, 5, 7, 8, 9}) {
      for (const std::int64_t T : {1, 2, 3, 4, 5, 10, 67}) {
        const StepShape shape = {
            .batch_size = B, .num_steps = T, .num_classes = 2, .hidden_size = H};
        SCOPED_TRACE(text(shape));
        check_step<float>(shape, 2e-5);
        check_step<double>(shape, 1e-13);
        if (HasFatalFailure()) {
          return;
        }
      }
    }
  }
}

template <class Real>
void check_far_logits_of_the_step(const StepShape& shape, Real bias, double tolerance) {
  Caller<Real> actual(shape);
  Caller<Real> expected(shape);
  actual.views().readout_bias.at(1, 0) = bias;
  expected.views().readout_bias.at(1, 0) = bias;
  const Kernels<Real> kernels = choose_kernels<Real>(shape);
  const std::vector<Real> actual_losses = train(actual, Step<Real>(shape, kernels), 4, 4);
  const std::vector<Real> expected_losses =
      train(expected, Step<Real>(shape, ReferenceKernels<Real>::kernels(kernels.widths)), 4, 4);
  const double size = std::abs(static_cast<double>(bias));
  expect_near(actual_losses, expected_losses, tolerance * size);
  expect_near(actual.weights, expected.weights, tolerance * size);
  EXPECT_GT(expected_losses[0], Real(0.1 * size));
}

// The small step, and the passes of the same two classes.
TEST_P(KernelTest, TheStepOfLogitsFarApartIsItsTwins) {
  for (const std::int64_t H : {4, 9}) {
    const StepShape shape = {.batch_size = 3, .num_steps = 7, .num_classes = 2, .hidden_size = H};
    for (const int bias : {20, 300, -1000}) {
      SCOPED_TRACE(text(shape) + " bias " + std::to_string(bias));
      check_far_logits_of_the_step(shape, static_cast<float>(bias), 1e-6);
      check_far_logits_of_the_step(shape, static_cast<double>(bias), 1e-14);
    }
  }
}

// Every position's factor is then 2, the largest that a product of many can have.
TEST_P(KernelTest, TheLossOfALongWindowOfZeroWeightsIsLnTwo) {
  for (const std::int64_t H : {4, 9}) {
    const StepShape shape = {
        .batch_size = 2, .num_steps = 1300, .num_classes = 2, .hidden_size = H};
    Caller<float> caller(shape);
    caller.weights.assign(caller.weights.size(), 0.0F);
    EXPECT_NEAR(train(caller, Step<float>(shape), 1, 1)[0], std::log(2.0), 1e-6) << "H " << H;
  }
}

template <class Real>
void check_not_a_number(const StepShape& shape, std::size_t weight) {
  Caller<Real> caller(shape);
  caller.weights[weight] = std::numeric_limits<Real>::quiet_NaN();
  const std::vector<Real> losses = train(caller, Step<Real>(shape), 2, 2);
  EXPECT_TRUE(std::isnan(losses[1])) << "weight " << weight;
}

// Divergence must show in the loss, whatever weight it begins with.
TEST_P(KernelTest, ALossOfWeightsThatAreNoNumbersIsNone) {
  for (const StepShape& shape :
       {StepShape{.batch_size = 3, .num_steps = 4, .num_classes = 2, .hidden_size = 4},
        StepShape{.batch_size = 12, .num_steps = 4, .num_classes = 2, .hidden_size = 4},
        StepShape{.batch_size = 5, .num_steps = 4, .num_classes = 3, .hidden_size = 9}}) {
    SCOPED_TRACE(text(shape));
    for (std::size_t weight = 0; weight < Caller<float>(shape).weights.size(); ++weight) {
      check_not_a_number<float>(shape, weight);
      check_not_a_number<double>(shape, weight);
    }
  }
}

template <class Real>
void check_bad_class(const StepShape& shape) {
  const std::int64_t last = shape.num_classes - 1;
  Caller<Real> caller(shape);
  caller.views().readout_bias.at(last, 0) = std::numeric_limits<Real>::quiet_NaN();
  std::vector<std::int64_t> symbols(static_cast<std::size_t>(shape.positions()));
  for (std::size_t p = 0; p < symbols.size(); ++p) {
    symbols[p] = static_cast<std::int64_t>(p) % last;
  }
  Step<Real> step(shape);
  step.load_parameters(caller.views());
  step.load_state(caller.state.data());
  Real loss = 0;
  step.run({.inputs = symbols.data(), .targets = symbols.data(), .stride = shape.num_steps}, 1,
           Real(0.1), &loss);
  EXPECT_TRUE(std::isnan(loss));
}

// A class that is never the target is in the softmax all the same.
TEST_P(KernelTest, ALossOfAnUntargetedClassThatIsNoNumberIsNone) {
  for (const std::int64_t C : {2, 3, 5, 8, 17, 40}) {
    for (const std::int64_t H : {4, 9}) {
      const StepShape shape = {.batch_size = 5, .num_steps = 4, .num_classes = C, .hidden_size = H};
      SCOPED_TRACE(text(shape));
      check_bad_class<float>(shape);
      check_bad_class<double>(shape);
    }
  }
}

template <class Real>
void check_recovery(const StepShape& shape) {
  Caller<Real> caller(shape);
  const std::vector<Real> good = caller.weights;
  const std::vector<Real> state = caller.state;
  const std::vector<std::int64_t> symbols(static_cast<std::size_t>(2 * shape.positions()), 0);
  Step<Real> step(shape);
  const auto losses_of = [&](const std::vector<Real>& weights) {
    caller.weights = weights;
    step.load_parameters(caller.views());
    step.load_state(state.data());
    std::vector<Real> losses(2);
    step.run({.inputs = symbols.data(), .targets = symbols.data(), .stride = 2 * shape.num_steps},
             2, Real(0.1), losses.data());
    step.store_parameters(caller.views());
    return losses;
  };
  const std::vector<Real> losses = losses_of(good);
  const std::vector<Real> trained = caller.weights;
  const std::vector<Real> bad(good.size(), std::numeric_limits<Real>::quiet_NaN());
  EXPECT_TRUE(std::isnan(losses_of(bad)[0]));
  EXPECT_EQ(losses_of(good), losses);
  EXPECT_EQ(caller.weights, trained);
}

// Sizes with padding, and with positions of one block and of several.
TEST_P(KernelTest, GoodWeightsRecoverFromBadOnes) {
  for (const std::int64_t C : {2, 3, 5}) {
    for (const std::int64_t T : {4, 20}) {
      for (const std::int64_t H : {3, 5, 35}) {
        const StepShape shape = {
            .batch_size = 20, .num_steps = T, .num_classes = C, .hidden_size = H};
        SCOPED_TRACE(text(shape));
        check_recovery<float>(shape);
        check_recovery<double>(shape);
      }
    }
  }
}

#if HWY_ARCH_X86
// Processors take long over numbers that are too small for a full mantissa: the step counts them as
// zero, and leaves its caller's arithmetic as it was.
TEST_P(KernelTest, TheSmallestNumbersCountAsZeroWhileItRuns) {
  constexpr float kSmall = std::numeric_limits<float>::min() / 16;
  for (const std::int64_t H : {4, 9}) {
    const StepShape shape = {.batch_size = 3, .num_steps = 4, .num_classes = 2, .hidden_size = H};
    Caller<float> caller(shape);
    caller.weights.assign(caller.weights.size(), kSmall);
    const std::vector<std::int64_t> symbols(12, 0);
    Step<float> step(shape);
    step.load_parameters(caller.views());
    step.load_state(caller.state.data());
    float loss = 0.0F;
    step.run({.inputs = symbols.data(), .targets = symbols.data(), .stride = 4}, 1, kSmall, &loss);
    step.store_parameters(caller.views());
    EXPECT_EQ(caller.weights, std::vector<float>(caller.weights.size(), 0.0F)) << "H " << H;
    EXPECT_NEAR(loss, std::log(2.0F), 1e-6F);
    const volatile float small = kSmall;
    EXPECT_GT(small / 2, 0.0F);
  }
}
#endif

}  // namespace
}  // namespace unroll::kernels
