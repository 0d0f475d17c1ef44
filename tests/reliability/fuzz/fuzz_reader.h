// What all fuzzers ask of a reader: it takes the bytes, or refuses them with a FileError. Anything
// else, an abort, another exception, a message that is no short printable line, is a finding.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <unroll/base/error.h>

namespace unroll::fuzz {

/// Stands for the file in errors.
constexpr const char* kName = "fuzzed";

/// Ends the process, which libFuzzer reports with the input, unless `holds`.
inline void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

/// Calls `read(bytes)` and judges its refusal, if it refuses.
template <typename Read>
int fuzz_reader(const std::uint8_t* data, std::size_t size, const Read& read) {
  constexpr std::size_t kLongestMessage = 500;
  try {
    read(std::string_view(reinterpret_cast<const char*>(data), size));
  } catch (const FileError& error) {
    const std::string_view message = error.what();
    require(message.starts_with(kName) && message.size() <= kLongestMessage);
    require(
        std::all_of(message.begin(), message.end(), [](char c) { return c >= 0x20 && c <= 0x7E; }));
  }
  return 0;
}

}  // namespace unroll::fuzz
