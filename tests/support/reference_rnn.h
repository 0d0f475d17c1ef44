// The network and its loss once more, in plain loops over doubles and without LibTorch: what the
// models and the engine are held against.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <unroll/model/weights.h>

#include "tensors.h"

namespace unroll::testing {

using Symbols = std::vector<std::vector<std::int64_t>>;  // [B][T]
using State = std::vector<std::vector<double>>;          // [B][H]

/// A tensor [B, T] as rows.
inline Symbols symbol_rows(const torch::Tensor& tensor) {
  Symbols rows;
  for (const torch::Tensor& row : tensor.unbind()) {
    rows.push_back(symbols(row));
  }
  return rows;
}

/// A tensor [B, H] as rows.
inline State state_rows(const torch::Tensor& tensor) {
  State rows;
  for (const torch::Tensor& row : tensor.unbind()) {
    rows.push_back(numbers(row));
  }
  return rows;
}

/// Every weight in one row, as the tutorial has them: W [C + H, H], b [H], V [H, C], c [C].
inline std::vector<double> flatten(const Weights& weights) {
  return numbers(
      torch::cat({weights.input_weight.t().flatten(), weights.recurrent_weight.t().flatten(),
                  weights.bias, weights.readout_weight.t().flatten(), weights.readout_bias}));
}

/// h_t = tanh([x_t, h_{t-1}] W + b), logits_t = h_t V + c.
class ReferenceRnn {
 public:
  ReferenceRnn(std::size_t num_classes, std::size_t hidden_size, std::vector<double> parameters)
      : C_(num_classes), H_(hidden_size), parameters_(std::move(parameters)) {}

  struct Output {
    std::vector<double> logits;  // [B, T, C], row by row
    State state;                 // [B][H], after the last step
  };

  [[nodiscard]] Output forward(const Symbols& inputs, const State& state) const {
    Output output;
    for (std::size_t row = 0; row < inputs.size(); ++row) {
      std::vector<double> h = state[row];
      for (const std::int64_t input : inputs[row]) {
        h = step(static_cast<std::size_t>(input), h);
        for (std::size_t k = 0; k < C_; ++k) {
          double logit = readout_bias(k);
          for (std::size_t j = 0; j < H_; ++j) {
            logit += h[j] * readout_weight(j, k);
          }
          output.logits.push_back(logit);
        }
      }
      output.state.push_back(h);
    }
    return output;
  }

  /// The mean over all positions of -log softmax(logits)[target].
  [[nodiscard]] double loss(const Symbols& inputs, const Symbols& targets,
                            const State& state) const {
    const std::vector<double> logits = forward(inputs, state).logits;
    double sum = 0.0;
    std::size_t position = 0;
    for (const auto& row : targets) {
      for (const std::int64_t target : row) {
        const double* logit = logits.data() + position * C_;
        double partition = 0.0;
        for (std::size_t k = 0; k < C_; ++k) {
          partition += std::exp(logit[k]);
        }
        sum += std::log(partition) - logit[target];
        ++position;
      }
    }
    return sum / static_cast<double>(position);
  }

 private:
  [[nodiscard]] std::vector<double> step(std::size_t input, const std::vector<double>& h) const {
    std::vector<double> next(H_);
    for (std::size_t j = 0; j < H_; ++j) {
      double sum = cell_weight(input, j) + cell_bias(j);
      for (std::size_t i = 0; i < H_; ++i) {
        sum += h[i] * cell_weight(C_ + i, j);
      }
      next[j] = std::tanh(sum);
    }
    return next;
  }

  // W [C + H, H], b [H], V [H, C] and c [C], one after another.
  [[nodiscard]] double cell_weight(std::size_t row, std::size_t column) const {
    return parameters_[row * H_ + column];
  }
  [[nodiscard]] double cell_bias(std::size_t i) const { return parameters_[(C_ + H_) * H_ + i]; }
  [[nodiscard]] double readout_weight(std::size_t row, std::size_t column) const {
    return parameters_[(C_ + H_ + 1) * H_ + row * C_ + column];
  }
  [[nodiscard]] double readout_bias(std::size_t i) const {
    return parameters_[(C_ + H_ + 1) * H_ + H_ * C_ + i];
  }

  std::size_t C_;
  std::size_t H_;
  std::vector<double> parameters_;
};

/// The gradient of `function` at `point` by central differences, right to about 1e-10.
template <typename Function>
std::vector<double> central_differences(std::vector<double> point, const Function& function) {
  constexpr double kStep = 1e-5;
  std::vector<double> gradient;
  for (double& coordinate : point) {
    const double middle = coordinate;
    coordinate = middle + kStep;
    const double above = function(point);
    coordinate = middle - kStep;
    const double below = function(point);
    coordinate = middle;
    gradient.push_back((above - below) / (2.0 * kStep));
  }
  return gradient;
}

}  // namespace unroll::testing
