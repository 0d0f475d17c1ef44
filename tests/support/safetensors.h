// Safetensors files for the code under test to read.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include <unroll/run/safetensors.h>

namespace unroll::testing {

/// The bytes of a safetensors file, in one piece.
inline std::string encode_safetensors(const SafeTensors& tensors) {
  std::map<std::string, SafeTensorView> views;
  for (const auto& [name, tensor] : tensors) {
    views[name] = {tensor.dtype, tensor.shape, tensor.bytes};
  }
  std::string file;
  write_safetensors(views, [&file](std::string_view bytes) { file += bytes; });
  return file;
}

}  // namespace unroll::testing
