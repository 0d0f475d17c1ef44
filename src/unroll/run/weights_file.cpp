#include <unroll/run/weights_file.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include <unroll/base/error.h>
#include <unroll/base/quote.h>
#include <unroll/run/safetensors.h>

namespace unroll {
namespace {

constexpr const char* kInputWeight = "rnn.weight_ih_l0";
constexpr const char* kRecurrentWeight = "rnn.weight_hh_l0";
constexpr const char* kInputBias = "rnn.bias_ih_l0";
constexpr const char* kRecurrentBias = "rnn.bias_hh_l0";
constexpr const char* kReadoutWeight = "readout.weight";
constexpr const char* kReadoutBias = "readout.bias";

/// A tensor on the CPU as a file has it.
SafeTensorView view_of(const torch::Tensor& tensor) {
  return {.dtype = tensor.scalar_type() == torch::kFloat64 ? "F64" : "F32",
          .shape = tensor.sizes().vec(),
          .bytes = {static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()}};
}

/// The file's own bytes are gone when this returns.
SafeTensors read_tensors(const std::string& path) {
  return parse_safetensors(read_file(path), path);
}

/// Takes the tensors that a model needs out of a file, and complains of what is missing, wrong or
/// left.
class Reader {
 public:
  Reader(SafeTensors tensors, const std::string& path, torch::Dtype dtype)
      : tensors_(std::move(tensors)), path_(path), dtype_(dtype) {}

  torch::Tensor take(const char* name, const std::vector<std::int64_t>& shape) {
    const auto entry = tensors_.extract(name);
    if (entry.empty()) {
      throw FileError(path_, fmt::format("has no tensor {}", name));
    }
    const SafeTensor& tensor = entry.mapped();
    if (tensor.shape != shape) {
      throw FileError(path_,
                      fmt::format("{} must have shape {}, got {}", name, shape, tensor.shape));
    }
    if (tensor.dtype != "F32" && !(tensor.dtype == "F64" && dtype_ == torch::kFloat64)) {
      throw FileError(
          path_, fmt::format("{} must be {}, got {}", name,
                             dtype_ == torch::kFloat64 ? "F32 or F64" : "F32 for a float32 run",
                             tensor.dtype));
    }
    torch::Tensor result =
        torch::empty(shape, tensor.dtype == "F64" ? torch::kFloat64 : torch::kFloat32);
    std::memcpy(result.mutable_data_ptr(), tensor.bytes.data(), tensor.bytes.size());
    check_finite(name, result);
    return result.to(dtype_);
  }

  void check_finite(const char* name, const torch::Tensor& tensor) const {
    if (!torch::isfinite(tensor).all().item<bool>()) {
      throw FileError(path_, fmt::format("{} has a value that is not finite", name));
    }
  }

  void check_nothing_left() const {
    if (!tensors_.empty()) {
      throw FileError(path_, fmt::format("has a tensor {} that the model does not know",
                                         printable(tensors_.begin()->first)));
    }
  }

 private:
  SafeTensors tensors_;
  const std::string& path_;
  torch::Dtype dtype_;
};

Weights to_weights(SafeTensors tensors, const std::string& path, const ModelOptions& options,
                   torch::Dtype dtype) {
  const std::int64_t C = options.num_classes;
  const std::int64_t H = options.hidden_size;
  Reader reader(std::move(tensors), path, dtype);
  Weights weights = {.input_weight = reader.take(kInputWeight, {H, C}),
                     .recurrent_weight = reader.take(kRecurrentWeight, {H, H}),
                     .bias = reader.take(kInputBias, {H}) + reader.take(kRecurrentBias, {H}),
                     .readout_weight = reader.take(kReadoutWeight, {C, H}),
                     .readout_bias = reader.take(kReadoutBias, {C})};
  reader.check_finite("the sum of the biases", weights.bias);
  reader.check_nothing_left();
  return weights;
}

}  // namespace

void write_weights(WholeFile& file, const Weights& weights) {
  std::vector<torch::Tensor> owners;  // of the bytes that the views see
  std::map<std::string, SafeTensorView> views;
  const auto add = [&](const char* name, const torch::Tensor& tensor) {
    owners.push_back(tensor.detach().to(torch::kCPU).contiguous());
    views[name] = view_of(owners.back());
  };
  add(kRecurrentBias, torch::zeros_like(weights.bias));
  for (const auto& [name, tensor] : named_tensors(weights)) {
    add(name, tensor);
  }
  write_safetensors(views, [&](std::string_view bytes) { file.write(bytes); });
  file.finish();
}

void save_weights(const std::string& path, const Weights& weights) {
  WholeFile file(path);
  write_weights(file, weights);
  file.publish();
}

Weights load_weights(const std::string& path, const ModelOptions& options, torch::Dtype dtype) {
  return to_weights(read_tensors(path), path, options, dtype);
}

Weights load_weights(const std::string& path) {
  SafeTensors tensors = read_tensors(path);
  const auto vector_size = [&](const char* name) {
    const auto entry = tensors.find(name);
    if (entry == tensors.end() || entry->second.shape.size() != 1 || entry->second.shape[0] < 1) {
      throw FileError(path,
                      fmt::format("has no vector {}; it is no weights file of a network", name));
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
