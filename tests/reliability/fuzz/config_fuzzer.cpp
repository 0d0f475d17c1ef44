// Fuzzes the reader of config.json.

#include <unroll/run/config.h>

#include "fuzz_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace unroll;
  return fuzz::fuzz_reader(data, size, [](std::string_view text) {
    parse_config(text, fuzz::kName).options.validate();  // throws InvalidOption, a finding
  });
}
