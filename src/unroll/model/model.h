// What a recurrent model is, to the code that trains it.
#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>

#include <unroll/model/options.h>
#include <unroll/model/weights.h>

namespace unroll {

/// What a window gives.
struct ModelOutput {
  torch::Tensor logits;  ///< [B, T, C]
  torch::Tensor state;   ///< [B, H], the hidden state after the last step
};

/// A network of one tanh layer and a linear readout at every step (Elman 1990):
///
///     h_t = tanh([x_t, h_{t-1}] W + b)      logits_t = h_t V + c
///
/// where x_t is the one-hot input. The state is an argument and a result: nothing of it stays in
/// the module, and no module detaches it.
class RecurrentModel : public torch::nn::Module {
 public:
  explicit RecurrentModel(const ModelOptions& options) : options_(options) { options.validate(); }

  /// Runs a window: inputs int64 [B, T], state [B, H], for any B and T.
  virtual ModelOutput forward(const torch::Tensor& inputs, const torch::Tensor& state) = 0;

  /// A copy of the weights, on the CPU.
  [[nodiscard]] virtual Weights weights() const;

  /// Copies these weights into the parameters, which keep their device and dtype.
  /// @throws std::invalid_argument if a tensor has another shape than the model's
  void set_weights(const Weights& weights);

  /// The trained parameters themselves in the canonical layout: views, without history and with
  /// strides of their own. Who writes to them changes the model.
  [[nodiscard]] virtual Weights weight_views() const = 0;

  [[nodiscard]] const ModelOptions& options() const { return options_; }

  /// Zeros [B, H], of the parameters' device and dtype.
  [[nodiscard]] torch::Tensor initial_state(std::int64_t batch_size) const;

 private:
  ModelOptions options_;
};

/// Makes the model that options.model names, with undefined weights, on a device.
std::shared_ptr<RecurrentModel> make_model(const ModelOptions& options, torch::Dtype dtype,
                                           torch::Device device);

}  // namespace unroll
