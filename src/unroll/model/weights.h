// The canonical weights: one set of tensors that stands between the models, the engines and the
// files.
#pragma once

#include <torch/types.h>

#include <array>
#include <cstdint>

#include <unroll/model/options.h>

namespace unroll {

/// Everything that is learned, in the layout of a PyTorch nn.RNN and nn.Linear:
///
///     h_t = tanh(input_weight x_t + recurrent_weight h_{t-1} + bias)
///     logits_t = readout_weight h_t + readout_bias
///
/// All of one dtype.
struct Weights {
  torch::Tensor input_weight;      ///< [H, C]
  torch::Tensor recurrent_weight;  ///< [H, H]
  torch::Tensor bias;              ///< [H]
  torch::Tensor readout_weight;    ///< [C, H]
  torch::Tensor readout_bias;      ///< [C]
};

/// A tensor of the weights with its name in files and messages.
struct NamedTensor {
  const char* name;
  torch::Tensor tensor;
};

/// The weights under the names that a PyTorch module with `rnn = nn.RNN(...)` and `readout =
/// nn.Linear(...)` gives them.
std::array<NamedTensor, 5> named_tensors(const Weights& weights);

/// The largest absolute difference of two tensors' elements; infinite if any is no number.
double largest_difference(const torch::Tensor& left, const torch::Tensor& right);

/// @throws std::invalid_argument if a tensor has not the shape that a model of these sizes needs
void check_shapes(const Weights& weights, const ModelOptions& options);

/// Initial weights as the tutorial's variables are made: Glorot uniform, U(-a, a) with
/// a = sqrt(6 / (rows + columns)) (Glorot and Bengio 2010, eq. 16), over W as one [C + H, H] matrix
/// and then over V as [H, C]; biases zero. With r = numpy.random.RandomState(seed) they are
/// r.uniform(-a, a, (C + H, H)) and then r.uniform(-a, a, (H, C)). The same seed gives both models
/// the same weights, on every machine, and rounded alike in both dtypes.
Weights glorot_weights(const ModelOptions& options, std::uint32_t seed, torch::Dtype dtype);

}  // namespace unroll
