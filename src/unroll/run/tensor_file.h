// Tensors in safetensors files.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <unroll/run/safetensors.h>

namespace unroll {

/// A tensor as a file has it: on the CPU, contiguous, of dtype float32, float64 or int64. The view
/// is of the tensor's own memory.
SafeTensorView view_of(const std::string& name, const torch::Tensor& tensor);

/// The tensor, or a copy of it, as view_of can view it.
torch::Tensor fit_for_view(const torch::Tensor& tensor);

/// Takes tensors out of a file, and complains of what is missing, wrong or left.
class TensorReader {
 public:
  /// `path` stands for the file in errors.
  TensorReader(SafeTensors tensors, std::string path)
      : tensors_(std::move(tensors)), path_(std::move(path)) {}

  /// A tensor of this shape, as float32 or float64. What is float64 in the file is not rounded to
  /// float32.
  /// @throws FileError if it is missing, has another shape or dtype or a value that is not finite
  torch::Tensor take(const std::string& name, const std::vector<std::int64_t>& shape,
                     torch::Dtype dtype);

  /// Any tensor of float32, float64 or int64.
  /// @throws FileError
  torch::Tensor take_any(const std::string& name);

  /// The first name that begins so; empty for none.
  [[nodiscard]] std::string first_name(const std::string& prefix) const;

  /// @throws FileError
  void check_finite(const std::string& name, const torch::Tensor& tensor) const;

  /// @throws FileError if there is a tensor that was not taken
  void check_nothing_left() const;

 private:
  SafeTensor extract(const std::string& name);

  SafeTensors tensors_;
  std::string path_;
};

}  // namespace unroll
