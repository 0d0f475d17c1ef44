// A trained network that listens to a stream of symbols and says what it expects.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <unroll/model/weights.h>
#include <unroll/train/options.h>

namespace unroll {

/// A network at a place in a stream, which starts from a zero state and is carried from call to
/// call. Plain loops over doubles, whatever the weights' dtype: for a network as small as these a
/// call of LibTorch takes many times as long as the step itself.
class Predictor {
 public:
  explicit Predictor(const Weights& weights);

  /// Of a module of unroll-export's, a finished run's directory, a checkpoint or a weights file.
  /// @throws FileError if it is missing, damaged, or holds no network of Unroll's
  static Predictor open(const std::string& source);

  /// C, of the inputs and of the targets.
  [[nodiscard]] std::int64_t num_classes() const {
    return static_cast<std::int64_t>(readout_bias_.size());
  }

  /// The type of the network's numbers. Further digits of a probability would mean nothing.
  [[nodiscard]] Precision precision() const { return precision_; }

  /// Hears the next symbols, and gives after each the probability of every class of its target,
  /// symbol by symbol: [symbols, C]. How a stream is cut into calls changes nothing.
  /// @throws std::invalid_argument if a symbol is not in [0, C)
  std::vector<double> advance(const std::vector<std::int64_t>& symbols);

 private:
  /// state_ = tanh(input_terms_[symbol] + state_ recurrent_weight_).
  void step(std::size_t symbol);
  /// Adds softmax(readout_weight_ state_ + readout_bias_).
  void append_probabilities(std::vector<double>& probabilities) const;

  Precision precision_;
  std::vector<double> input_terms_;       // [C, H], the input weights + the bias
  std::vector<double> recurrent_weight_;  // [H, H], row: from; column: to
  std::vector<double> readout_weight_;    // [C, H]
  std::vector<double> readout_bias_;      // [C]
  std::vector<double> state_;             // [H]
  std::vector<double> sums_;              // [H], what tanh is taken of
};

}  // namespace unroll
