#include <unroll/model/weights.h>

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include <unroll/data/numpy_random.h>

namespace unroll {
namespace {

/// A float64 matrix of U(-a, a), filled row by row.
torch::Tensor glorot_uniform(std::int64_t rows, std::int64_t columns, NumpyRandom& random) {
  torch::Tensor matrix = torch::empty({rows, columns}, torch::kFloat64);
  const double limit = std::sqrt(6.0 / static_cast<double>(rows + columns));
  auto* values = matrix.mutable_data_ptr<double>();
  std::generate_n(values, matrix.numel(), [&] { return random.uniform(-limit, limit); });
  return matrix;
}

}  // namespace

std::array<NamedTensor, 5> named_tensors(const Weights& weights) {
  return {{{"rnn.weight_ih_l0", weights.input_weight},
           {"rnn.weight_hh_l0", weights.recurrent_weight},
           {"rnn.bias_ih_l0", weights.bias},
           {"readout.weight", weights.readout_weight},
           {"readout.bias", weights.readout_bias}}};
}

double largest_difference(const torch::Tensor& left, const torch::Tensor& right) {
  const auto difference = (left - right).abs().max().item<double>();
  return std::isnan(difference) ? std::numeric_limits<double>::infinity() : difference;
}

void check_shapes(const Weights& weights, const ModelOptions& options) {
  const std::int64_t C = options.num_classes;
  const std::int64_t H = options.hidden_size;
  const std::array<std::vector<std::int64_t>, 5> shapes = {{{H, C}, {H, H}, {H}, {C, H}, {C}}};
  const auto tensors = named_tensors(weights);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].tensor.sizes() != shapes[i]) {
      throw std::invalid_argument(fmt::format("{} must have shape {}, got {}", tensors[i].name,
                                              shapes[i], tensors[i].tensor.sizes().vec()));
    }
  }
}

Weights glorot_weights(const ModelOptions& options, std::uint32_t seed, torch::Dtype dtype) {
  options.validate();
  const std::int64_t C = options.num_classes;
  const std::int64_t H = options.hidden_size;
  NumpyRandom random(seed);
  const torch::Tensor cell = glorot_uniform(C + H, H, random).to(dtype);
  const torch::Tensor readout = glorot_uniform(H, C, random).to(dtype);
  return {.input_weight = cell.narrow(0, 0, C).t().contiguous(),
          .recurrent_weight = cell.narrow(0, C, H).t().contiguous(),
          .bias = torch::zeros({H}, dtype),
          .readout_weight = readout.t().contiguous(),
          .readout_bias = torch::zeros({C}, dtype)};
}

}  // namespace unroll
