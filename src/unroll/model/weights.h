// The canonical weights: one set of tensors that stands between the models, the engines and the
// files.
#pragma once

#include <torch/types.h>

#include <cstdint>

#include <unroll/model/options.h>

namespace unroll {

/// Everything that is learned, in the layout of a PyTorch nn.RNN and nn.Linear:
///
///     h_t = tanh(input_weight x_t + recurrent_weight h_{t-1} + bias)      logits_t =
///     readout_weight h_t + readout_bias
///
/// All of one dtype.
struct Weights {
  torch::Tensor input_weight;      ///< [H, C]
  torch::Tensor recurrent_weight;  ///< [H, H]
  torch::Tensor bias;              ///< [H]
  torch::Tensor readout_weight;    ///< [C, H]
  torch::Tensor readout_bias;      ///< [C]
};

/// @throws std::invalid_argument if a tensor has not the shape that a model of these sizes needs
void check_shapes(const Weights& weights, const ModelOptions& options);

/// Initial weights as the tutorial's variables are made: Glorot uniform, U(-a, a) with a = sqrt(6 /
/// (rows + columns)) (Glorot and Bengio 2010, eq. 16), over W as one [C + H, H] matrix and over V
/// as [H, C]; biases zero. The same seed gives the same weights on every machine, for both models,
/// and rounded alike in both dtypes.
Weights glorot_weights(const ModelOptions& options, std::uint64_t seed, torch::Dtype dtype);

}  // namespace unroll
