// The tutorial's cell, written out.
#pragma once

#include <unroll/model/model.h>

namespace unroll {

/// Loops over the cell itself; every step uses the same four parameters, named and shaped as the
/// tutorial's variables.
class ManualRnn final : public RecurrentModel {
 public:
  explicit ManualRnn(const ModelOptions& options);

  ModelOutput forward(const torch::Tensor& inputs, const torch::Tensor& state) override;
  [[nodiscard]] Weights weight_views() const override;

 private:
  torch::Tensor W_;  // [C + H, H], rnn_cell/W
  torch::Tensor b_;  // [H], rnn_cell/b
  torch::Tensor V_;  // [H, C], softmax/W
  torch::Tensor c_;  // [C], softmax/b
};

}  // namespace unroll
