// The safetensors file format (https://github.com/huggingface/safetensors, "Format"), without
// LibTorch.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace unroll {

/// One tensor as a file holds it: row-major, little-endian.
struct SafeTensor {
  std::string dtype;                ///< "F32", "F64", "I64", ...
  std::vector<std::int64_t> shape;  ///< empty for a scalar
  std::string bytes;                ///< product of the shape times the dtype's size
};

using SafeTensors = std::map<std::string, SafeTensor>;

/// What is in a file.
struct SafeTensorsFile {
  SafeTensors tensors;
  std::map<std::string, std::string> metadata;
};

/// A tensor to write, whose bytes stay where they are.
struct SafeTensorView {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::string_view bytes;
};

/// The beginning of a safetensors file, which the tensors' bytes follow in this order. The same
/// tensors give the same bytes.
std::string safetensors_header(const std::vector<SafeTensorView>& tensors,
                               const std::map<std::string, std::string>& metadata);

/// Reads the bytes of a safetensors file, trusting nothing in it: a header that is no JSON object,
/// names a tensor twice or an unknown dtype, or lies about its own size or a tensor's; tensors that
/// overlap, leave gaps, or end before or after the file; metadata that is no object of texts.
/// Memory is bounded by the size of `bytes`. `name` stands for the file in errors.
/// @throws FileError
SafeTensorsFile parse_safetensors(std::string_view bytes, const std::string& name);

}  // namespace unroll
