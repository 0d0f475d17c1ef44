#include <unroll/model/weights.h>

#include <fmt/ranges.h>

#include <cmath>
#include <random>
#include <stdexcept>
#include <vector>

namespace unroll {
namespace {

/// A float64 matrix of U(-a, a), filled row by row from 53-bit draws
/// (std::uniform_real_distribution differs between standard libraries).
torch::Tensor glorot_uniform(std::int64_t rows, std::int64_t columns, std::mt19937_64& random) {
  torch::Tensor matrix = torch::empty({rows, columns}, torch::kFloat64);
  const double limit = std::sqrt(6.0 / static_cast<double>(rows + columns));
  auto* values = matrix.mutable_data_ptr<double>();
  for (std::int64_t i = 0; i < rows * columns; ++i) {
    const double uniform = static_cast<double>(random() >> 11) * 0x1p-53;
    values[i] = limit * (2.0 * uniform - 1.0);
  }
  return matrix;
}

}  // namespace

void check_shapes(const Weights& weights, const ModelOptions& options) {
  const std::int64_t C = options.num_classes;
  const std::int64_t H = options.hidden_size;
  const auto check = [](const char* name, const torch::Tensor& tensor,
                        const std::vector<std::int64_t>& shape) {
    if (tensor.sizes() != shape) {
      throw std::invalid_argument(
          fmt::format("{} must have shape {}, got {}", name, shape, tensor.sizes().vec()));
    }
  };
  check("input_weight", weights.input_weight, {H, C});
  check("recurrent_weight", weights.recurrent_weight, {H, H});
  check("bias", weights.bias, {H});
  check("readout_weight", weights.readout_weight, {C, H});
  check("readout_bias", weights.readout_bias, {C});
}

Weights glorot_weights(const ModelOptions& options, std::uint64_t seed, torch::Dtype dtype) {
  options.validate();
  const std::int64_t C = options.num_classes;
  const std::int64_t H = options.hidden_size;
  std::mt19937_64 random(seed);
  const torch::Tensor cell = glorot_uniform(C + H, H, random).to(dtype);
  const torch::Tensor readout = glorot_uniform(H, C, random).to(dtype);
  return {.input_weight = cell.narrow(0, 0, C).t().contiguous(),
          .recurrent_weight = cell.narrow(0, C, H).t().contiguous(),
          .bias = torch::zeros({H}, dtype),
          .readout_weight = readout.t().contiguous(),
          .readout_bias = torch::zeros({C}, dtype)};
}

}  // namespace unroll
