// Who calls a training step: weights, state and symbols from a seed, and what comes of them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <unroll/kernels/shape.h>
#include <unroll/kernels/views.h>

namespace unroll::testing {

using kernels::MatrixView;
using kernels::ParameterViews;
using kernels::StepShape;

inline std::string text(const StepShape& shape) {
  return "B" + std::to_string(shape.batch_size) + " T" + std::to_string(shape.num_steps) + " C" +
         std::to_string(shape.num_classes) + " H" + std::to_string(shape.hidden_size);
}

/// Of weights: wide enough for every function to bend, and narrow enough for rounding errors not to
/// grow from step to step.
inline double limit(const StepShape& shape) {
  return 1.5 / std::sqrt(static_cast<double>(shape.hidden_size + 1));
}

/// A step with its caller's weights, all in one row.
template <class Real>
struct Caller {
  explicit Caller(const StepShape& s)
      : shape(s),
        weights(static_cast<std::size_t>(s.hidden_size * (2 * s.num_classes + s.hidden_size + 1) +
                                         s.num_classes)),
        state(static_cast<std::size_t>(s.batch_size * s.hidden_size)) {
    std::mt19937 random(5);
    std::uniform_real_distribution<double> uniform(-limit(s), limit(s));
    for (Real& weight : weights) {
      weight = static_cast<Real>(uniform(random));
    }
  }

  ParameterViews<Real> views() {
    const std::int64_t C = shape.num_classes;
    const std::int64_t H = shape.hidden_size;
    Real* next = weights.data();
    const auto take = [&](std::int64_t rows, std::int64_t columns) {
      const MatrixView<Real> view = {.data = next, .row_stride = columns, .column_stride = 1};
      next += rows * columns;
      return view;
    };
    return {.input_weight = take(H, C),
            .recurrent_weight = take(H, H),
            .bias = take(H, 1),
            .readout_weight = take(C, H),
            .readout_bias = take(C, 1)};
  }

  StepShape shape;
  std::vector<Real> weights;
  std::vector<Real> state;
};

/// Trains on `windows` windows of random symbols, in calls of `chunk`; gives the losses.
template <class Real, class Step>
std::vector<Real> train(Caller<Real>& caller, Step step, std::int64_t windows, std::int64_t chunk) {
  const StepShape& shape = caller.shape;
  const std::int64_t length = windows * shape.num_steps;
  std::vector<std::int64_t> inputs(static_cast<std::size_t>(shape.batch_size * length));
  std::vector<std::int64_t> targets(inputs.size());
  std::mt19937 random(2);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    inputs[i] = static_cast<std::int64_t>(random() % static_cast<std::uint32_t>(shape.num_classes));
    targets[i] =
        static_cast<std::int64_t>(random() % static_cast<std::uint32_t>(shape.num_classes));
  }
  std::vector<Real> losses(static_cast<std::size_t>(windows));
  for (std::int64_t first = 0; first < windows; first += chunk) {
    step.load_parameters(caller.views());
    step.load_state(caller.state.data());
    step.run({.inputs = inputs.data() + first * shape.num_steps,
              .targets = targets.data() + first * shape.num_steps,
              .stride = length},
             std::min(chunk, windows - first), Real(0.1), losses.data() + first);
    step.store_parameters(caller.views());
    step.store_state(caller.state.data());
  }
  return losses;
}

template <class Real>
void expect_near(const std::vector<Real>& actual, const std::vector<Real>& expected,
                 double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(actual[i], expected[i], tolerance) << "at " << i;
  }
}

}  // namespace unroll::testing
