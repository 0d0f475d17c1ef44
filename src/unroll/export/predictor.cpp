#include <unroll/export/predictor.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <stdexcept>
#include <string_view>

#include <unroll/export/export_run.h>
#include <unroll/export/torchscript.h>

namespace unroll {
namespace {

/// Whether a file begins as a TorchScript file does, which is a zip archive.
bool is_archive(const std::string& path) {
  constexpr std::string_view kMagic = "PK\x03\x04";
  std::string beginning(kMagic.size(), '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(beginning.data(), static_cast<std::streamsize>(beginning.size()));
  return beginning == kMagic;
}

/// A tensor's elements, row by row.
std::vector<double> elements(const torch::Tensor& tensor) {
  const torch::Tensor fit = tensor.to(torch::kCPU, torch::kFloat64).contiguous();
  const auto* first = fit.const_data_ptr<double>();
  return {first, first + fit.numel()};
}

}  // namespace

Predictor::Predictor(const Weights& weights)
    : precision_(weights.bias.scalar_type() == torch::kFloat64 ? Precision::kFloat64
                                                               : Precision::kFloat32),
      input_terms_(elements(weights.input_weight.t().to(torch::kFloat64) + weights.bias)),
      recurrent_weight_(elements(weights.recurrent_weight.t())),
      readout_weight_(elements(weights.readout_weight)),
      readout_bias_(elements(weights.readout_bias)),
      state_(static_cast<std::size_t>(weights.bias.numel())),
      sums_(state_.size()) {}

Predictor Predictor::open(const std::string& source) {
  return Predictor(is_archive(source) ? load_torchscript(source) : load_source(source));
}

std::vector<double> Predictor::advance(const std::vector<std::int64_t>& symbols) {
  std::vector<double> probabilities;
  probabilities.reserve(symbols.size() * readout_bias_.size());
  for (const std::int64_t symbol : symbols) {
    if (symbol < 0 || symbol >= num_classes()) {
      throw std::invalid_argument(
          fmt::format("a symbol {} for a network of {} classes", symbol, num_classes()));
    }
    step(static_cast<std::size_t>(symbol));
    append_probabilities(probabilities);
  }
  return probabilities;
}

void Predictor::step(std::size_t symbol) {
  const std::size_t H = state_.size();
  std::copy_n(input_terms_.data() + symbol * H, H, sums_.data());
  for (std::size_t from = 0; from < H; ++from) {
    const double* weight = recurrent_weight_.data() + from * H;
    for (std::size_t to = 0; to < H; ++to) {
      sums_[to] += state_[from] * weight[to];
    }
  }
  std::transform(sums_.begin(), sums_.end(), state_.begin(), [](double x) { return std::tanh(x); });
}

void Predictor::append_probabilities(std::vector<double>& probabilities) const {
  const std::size_t H = state_.size();
  const std::size_t first = probabilities.size();
  for (std::size_t c = 0; c < readout_bias_.size(); ++c) {
    const double* weight = readout_weight_.data() + c * H;
    probabilities.push_back(
        std::inner_product(state_.begin(), state_.end(), weight, readout_bias_[c]));
  }
  const auto logits = probabilities.begin() + static_cast<std::ptrdiff_t>(first);
  const double largest = *std::max_element(logits, probabilities.end());
  double sum = 0.0;
  for (auto logit = logits; logit != probabilities.end(); ++logit) {
    *logit = std::exp(*logit - largest);
    sum += *logit;
  }
  for (auto share = logits; share != probabilities.end(); ++share) {
    *share /= sum;
  }
}

}  // namespace unroll
