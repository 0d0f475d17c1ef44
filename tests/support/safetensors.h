// Safetensors files for the code under test to read.
#pragma once

#include <string>
#include <vector>

#include <unroll/run/safetensors.h>

namespace unroll::testing {

/// The bytes of a safetensors file, in one piece.
inline std::string encode_safetensors(const SafeTensors& tensors) {
  std::vector<SafeTensorView> views;
  std::string bytes;
  for (const auto& [name, tensor] : tensors) {
    views.push_back({name, tensor.dtype, tensor.shape, tensor.bytes});
    bytes += tensor.bytes;
  }
  return safetensors_header(views, {}) + bytes;
}

}  // namespace unroll::testing
