// Tensors as plain numbers, and inputs for tests that are the same on every machine.
#pragma once

#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <unroll/data/series.h>
#include <unroll/model/options.h>
#include <unroll/model/weights.h>

namespace unroll {

/// What GoogleTest prints for a parameter of a test.
inline void PrintTo(ModelKind kind,  // NOLINT(readability-identifier-naming): GoogleTest's name
                    std::ostream* out) {
  *out << name_of(kind);
}

}  // namespace unroll

namespace unroll::testing {

/// The name of a test that runs for both models.
inline std::string model_name(const ::testing::TestParamInfo<ModelKind>& info) {
  return std::string(name_of(info.param));
}

/// A tensor's numbers, row by row.
inline std::vector<double> numbers(const torch::Tensor& tensor) {
  const torch::Tensor flat = tensor.detach().to(torch::kCPU, torch::kFloat64).contiguous();
  const auto* first = flat.const_data_ptr<double>();
  return {first, first + flat.numel()};
}

/// A tensor's symbols, row by row.
inline std::vector<std::int64_t> symbols(const torch::Tensor& tensor) {
  const torch::Tensor flat = tensor.contiguous();
  const auto* first = flat.const_data_ptr<std::int64_t>();
  return {first, first + flat.numel()};
}

/// A float64 tensor of these numbers, row by row.
inline torch::Tensor float64(const std::vector<double>& values,
                             const std::vector<std::int64_t>& shape) {
  return torch::tensor(values, torch::kFloat64).reshape(shape);
}

/// An int64 tensor of these symbols, row by row.
inline torch::Tensor int64(const std::vector<std::int64_t>& values,
                           const std::vector<std::int64_t>& shape) {
  return torch::tensor(values, torch::kInt64).reshape(shape);
}

/// `count` different numbers in (-scale, scale), in no order.
inline torch::Tensor spread(const std::vector<std::int64_t>& shape, double scale, double phase) {
  torch::Tensor tensor = torch::empty(shape, torch::kFloat64);
  auto* values = tensor.mutable_data_ptr<double>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    values[i] = scale * std::sin(2.4 * static_cast<double>(i) + phase);
  }
  return tensor;
}

/// Weights of which no two are equal and none is zero, so that one in the wrong place shows.
inline Weights spread_weights(const ModelOptions& options, torch::Dtype dtype) {
  const std::int64_t C = options.num_classes;
  const std::int64_t H = options.hidden_size;
  return {.input_weight = spread({H, C}, 0.7, 0.3).to(dtype),
          .recurrent_weight = spread({H, H}, 0.6, 1.1).to(dtype),
          .bias = spread({H}, 0.3, 2.2).to(dtype),
          .readout_weight = spread({C, H}, 0.8, 0.9).to(dtype),
          .readout_bias = spread({C}, 0.4, 1.7).to(dtype)};
}

/// Whether two weights are the same to the bit, dtype and shape included.
inline bool same(const Weights& left, const Weights& right) {
  const auto equal = [](const torch::Tensor& a, const torch::Tensor& b) {
    return a.scalar_type() == b.scalar_type() && torch::equal(a, b);
  };
  return equal(left.input_weight, right.input_weight) &&
         equal(left.recurrent_weight, right.recurrent_weight) && equal(left.bias, right.bias) &&
         equal(left.readout_weight, right.readout_weight) &&
         equal(left.readout_bias, right.readout_bias);
}

/// A series in which symbol and target depend on the place in no simple way.
inline std::shared_ptr<const Series> scrambled_series(std::int64_t length,
                                                      std::int64_t num_classes) {
  const auto series = std::make_shared<Series>();
  series->num_classes = num_classes;
  std::uint64_t random = 1;
  const auto next = [&] {
    random = random * 6364136223846793005U + 1442695040888963407U;  // Knuth's MMIX
    return static_cast<std::int64_t>((random >> 33) % static_cast<std::uint64_t>(num_classes));
  };
  for (std::int64_t t = 0; t < length; ++t) {
    series->inputs.push_back(next());
    series->targets.push_back(next());
  }
  return series;
}

/// A series as a CSV file has it.
inline std::string csv_of(const Series& series) {
  std::string text = "input,target\n";
  for (std::size_t t = 0; t < series.inputs.size(); ++t) {
    text.append(std::to_string(series.inputs[t])).append(",");
    text.append(std::to_string(series.targets[t])).append("\n");
  }
  return text;
}

/// Expects each number within `tolerance` of its counterpart, and says where they part the most.
inline void expect_near(const std::vector<double>& actual, const std::vector<double>& expected,
                        double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  std::size_t worst = 0;
  double largest = 0.0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double difference = std::abs(actual[i] - expected[i]);
    if (!(difference <= largest)) {  // so that a NaN is the worst
      worst = i;
      largest = difference;
    }
  }
  EXPECT_LE(largest, tolerance) << "at " << worst << " of " << actual.size() << ": "
                                << actual[worst] << " instead of " << expected[worst];
}

}  // namespace unroll::testing
