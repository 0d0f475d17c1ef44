#include <unroll/run/tensor_file.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include <unroll/base/error.h>
#include <unroll/base/quote.h>

namespace unroll {
namespace {

constexpr std::array<std::pair<std::string_view, torch::Dtype>, 3> kDtypes = {
    {{"F32", torch::kFloat32}, {"F64", torch::kFloat64}, {"I64", torch::kInt64}}};

torch::Tensor to_tensor(const SafeTensor& tensor, torch::Dtype dtype) {
  torch::Tensor result = torch::empty(tensor.shape, dtype);
  std::memcpy(result.mutable_data_ptr(), tensor.bytes.data(), tensor.bytes.size());
  return result;
}

}  // namespace

SafeTensorView view_of(const std::string& name, const torch::Tensor& tensor) {
  for (const auto& [dtype_name, dtype] : kDtypes) {
    if (tensor.scalar_type() == dtype) {
      return {.name = name,
              .dtype = std::string(dtype_name),
              .shape = tensor.sizes().vec(),
              .bytes = {static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()}};
    }
  }
  throw std::invalid_argument(name + " has a dtype that no file of ours has");
}

torch::Tensor fit_for_view(const torch::Tensor& tensor) {
  return tensor.detach().to(torch::kCPU).contiguous();
}

SafeTensor TensorReader::extract(const std::string& name) {
  auto entry = tensors_.extract(name);
  if (entry.empty()) {
    throw FileError(path_, fmt::format("has no tensor {}", name));
  }
  return std::move(entry.mapped());
}

torch::Tensor TensorReader::take(const std::string& name, const std::vector<std::int64_t>& shape,
                                 torch::Dtype dtype) {
  const SafeTensor tensor = extract(name);
  if (tensor.shape != shape) {
    throw FileError(path_, fmt::format("{} must have shape {}, got {}", name, shape, tensor.shape));
  }
  const bool is_wide = tensor.dtype == "F64";
  if (tensor.dtype != "F32" && !(is_wide && dtype == torch::kFloat64)) {
    throw FileError(path_,
                    fmt::format("{} must be {}, got {}", name,
                                dtype == torch::kFloat64 ? "F32 or F64" : "F32 for a float32 run",
                                tensor.dtype));
  }
  const torch::Tensor result = to_tensor(tensor, is_wide ? torch::kFloat64 : torch::kFloat32);
  check_finite(name, result);
  return result.to(dtype);
}

torch::Tensor TensorReader::take_any(const std::string& name) {
  const SafeTensor tensor = extract(name);
  for (const auto& [dtype_name, dtype] : kDtypes) {
    if (tensor.dtype == dtype_name) {
      torch::Tensor result = to_tensor(tensor, dtype);
      check_finite(name, result);
      return result;
    }
  }
  throw FileError(path_,
                  fmt::format("{} must be F32, F64 or I64, got {}", printable(name), tensor.dtype));
}

std::string TensorReader::first_name(const std::string& prefix) const {
  const auto entry = tensors_.lower_bound(prefix);
  return entry != tensors_.end() && entry->first.starts_with(prefix) ? entry->first : "";
}

void TensorReader::check_finite(const std::string& name, const torch::Tensor& tensor) const {
  if (!torch::isfinite(tensor).all().item<bool>()) {
    throw FileError(path_, fmt::format("{} has a value that is not finite", printable(name)));
  }
}

void TensorReader::check_nothing_left() const {
  if (!tensors_.empty()) {
    throw FileError(path_, fmt::format("has a tensor {} that the model does not know",
                                       printable(tensors_.begin()->first)));
  }
}

}  // namespace unroll
