// Fuzzes the safetensors reader.

#include <unroll/run/safetensors.h>

#include <cstring>

#include "../../support/safetensors.h"
#include "fuzz_reader.h"

namespace {

using unroll::SafeTensor;

constexpr std::size_t kLengthBytes = sizeof(std::uint64_t);

/// Whether the shape can be that of the bytes: no byte if an extent is zero, and else no extent,
/// and so no product that overflowed, above their number.
bool fits(const SafeTensor& tensor) {
  const bool empty = std::count(tensor.shape.begin(), tensor.shape.end(), 0) > 0;
  const auto is_fitting = [&](std::int64_t extent) {
    return extent >= 0 && (empty || static_cast<std::uint64_t>(extent) <= tensor.bytes.size());
  };
  return empty == tensor.bytes.empty() &&
         std::all_of(tensor.shape.begin(), tensor.shape.end(), is_fitting);
}

bool same(const SafeTensor& left, const SafeTensor& right) {
  return left.dtype == right.dtype && left.shape == right.shape && left.bytes == right.bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace unroll;
  return fuzz::fuzz_reader(data, size, [](std::string_view bytes) {
    const SafeTensors tensors = parse_safetensors(bytes, fuzz::kName).tensors;
    fuzz::require(std::all_of(tensors.begin(), tensors.end(),
                              [](const auto& tensor) { return fits(tensor.second); }));
    const SafeTensors again =
        parse_safetensors(testing::encode_safetensors(tensors), fuzz::kName).tensors;
    fuzz::require(std::equal(tensors.begin(), tensors.end(), again.begin(), again.end(),
                             [](const auto& left, const auto& right) {
                               return left.first == right.first && same(left.second, right.second);
                             }));
  });
}

// libFuzzer's own mutations.
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

/// Every other mutation leaves the length right for a header that ends with the last brace: a
/// change that only makes the length wrong is refused before any of the rest is read.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned int seed) {
  if (size <= kLengthBytes || max_size <= kLengthBytes || seed % 2 == 0) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  std::uint8_t* const rest = data + kLengthBytes;
  const std::size_t rest_size =
      LLVMFuzzerMutate(rest, size - kLengthBytes, max_size - kLengthBytes);
  const std::string_view text(reinterpret_cast<const char*>(rest), rest_size);
  const std::uint64_t length = text.rfind('}') + 1;  // 0 if there is none: npos + 1
  std::memcpy(data, &length, kLengthBytes);
  return kLengthBytes + rest_size;
}
