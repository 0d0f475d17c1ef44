#include <unroll/run/weights_file.h>

#include <fmt/format.h>

#include <utility>

#include <unroll/base/error.h>
#include <unroll/run/checkpoint_file.h>

namespace unroll {
namespace {

constexpr const char* kInputWeight = "rnn.weight_ih_l0";
constexpr const char* kRecurrentWeight = "rnn.weight_hh_l0";
constexpr const char* kInputBias = "rnn.bias_ih_l0";
constexpr const char* kRecurrentBias = "rnn.bias_hh_l0";
constexpr const char* kReadoutWeight = "readout.weight";
constexpr const char* kReadoutBias = "readout.bias";

/// A weights file's tensors, or a checkpoint's without those that are not weights.
SafeTensors parse_tensors(std::string_view bytes, const std::string& path) {
  SafeTensorsFile file = parse_safetensors(bytes, path);
  if (is_checkpoint(file)) {
    check_digest(bytes, path);
    std::erase_if(file.tensors, [](const auto& entry) {
      return !entry.first.starts_with("rnn.") && !entry.first.starts_with("readout.");
    });
  }
  return std::move(file.tensors);
}

Weights to_weights(SafeTensors tensors, const std::string& path, const ModelOptions& options,
                   torch::Dtype dtype) {
  TensorReader reader(std::move(tensors), path);
  Weights weights = take_weights(reader, options, dtype);
  reader.check_nothing_left();
  return weights;
}

}  // namespace

std::vector<std::pair<std::string, torch::Tensor>> tensors_of(const Weights& weights) {
  std::vector<std::pair<std::string, torch::Tensor>> tensors;
  tensors.emplace_back(kRecurrentBias, fit_for_view(torch::zeros_like(weights.bias)));
  for (const auto& [name, tensor] : named_tensors(weights)) {
    tensors.emplace_back(name, fit_for_view(tensor));
  }
  std::sort(tensors.begin(), tensors.end(),
            [](const auto& left, const auto& right) { return left.first < right.first; });
  return tensors;
}

Weights take_weights(TensorReader& reader, const ModelOptions& options, torch::Dtype dtype) {
  const std::int64_t C = options.num_classes;
  const std::int64_t H = options.hidden_size;
  Weights weights = {.input_weight = reader.take(kInputWeight, {H, C}, dtype),
                     .recurrent_weight = reader.take(kRecurrentWeight, {H, H}, dtype),
                     .bias = reader.take(kInputBias, {H}, dtype),
                     .readout_weight = reader.take(kReadoutWeight, {C, H}, dtype),
                     .readout_bias = reader.take(kReadoutBias, {C}, dtype)};
  const torch::Tensor second_bias = reader.take(kRecurrentBias, {H}, dtype);
  if (second_bias.any().item<bool>()) {  // adding zeros would turn -0 into 0
    weights.bias += second_bias;
    reader.check_finite("the sum of the biases", weights.bias);
  }
  return weights;
}

void write_weights(WholeFile& file, const Weights& weights) {
  const auto tensors = tensors_of(weights);  // owners of the bytes that the views see
  std::vector<SafeTensorView> views;
  views.reserve(tensors.size());
  for (const auto& [name, tensor] : tensors) {
    views.push_back(view_of(name, tensor));
  }
  file.write(safetensors_header(views, {}));
  for (const SafeTensorView& view : views) {
    file.write(view.bytes);
  }
  file.finish();
}

void save_weights(const std::string& path, const Weights& weights) {
  WholeFile file(path);
  write_weights(file, weights);
  file.publish();
}

Weights load_weights(const std::string& path, const ModelOptions& options, torch::Dtype dtype) {
  return parse_weights(read_file(path), path, options, dtype);
}

Weights parse_weights(std::string_view bytes, const std::string& path, const ModelOptions& options,
                      torch::Dtype dtype) {
  return to_weights(parse_tensors(bytes, path), path, options, dtype);
}

Weights load_weights(const std::string& path) {
  return weights_of(parse_tensors(read_file(path), path), path);
}

Weights weights_of(SafeTensors tensors, const std::string& path) {
  const auto vector_size = [&](const char* name) {
    const auto entry = tensors.find(name);
    if (entry == tensors.end() || entry->second.shape.size() != 1 || entry->second.shape[0] < 1) {
      throw FileError(path, fmt::format("has no vector {}; it holds no network of Unroll's", name));
    }
    return entry->second.shape[0];
  };
  const ModelOptions options = {.num_classes = vector_size(kReadoutBias),
                                .hidden_size = vector_size(kInputBias)};
  const torch::Dtype dtype =
      tensors.at(kInputBias).dtype == "F64" ? torch::kFloat64 : torch::kFloat32;
  return to_weights(std::move(tensors), path, options, dtype);
}

}  // namespace unroll
