// The same network from LibTorch's parts.
#pragma once

#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/rnn.h>

#include <unroll/model/model.h>

namespace unroll {

/// Wraps torch::nn::RNN and torch::nn::Linear; its parameters have the names and shapes of a
/// weights file.
///
/// nn::RNN adds two biases. With both trained, their sum would move twice as far a step as the one
/// bias it stands for, so the second stays zero and frozen.
class BuiltinRnn final : public RecurrentModel {
 public:
  explicit BuiltinRnn(const ModelOptions& options);

  ModelOutput forward(const torch::Tensor& inputs, const torch::Tensor& state) override;
  /// The bias is the two biases' sum, as which they act.
  [[nodiscard]] Weights weights() const override;
  /// The bias is the first of the two alone.
  [[nodiscard]] Weights weight_views() const override;

 private:
  torch::nn::RNN rnn_;
  torch::nn::Linear readout_;
};

}  // namespace unroll
