// How thorough a test of reliability is.
#pragma once

#include <cstdlib>
#include <string_view>

namespace unroll::testing {

/// Whether the tests are to be run in full, which takes up to an hour, rather than in short.
inline bool is_in_full() {
  const char* value = std::getenv("UNROLL_RELIABILITY");
  return value != nullptr && std::string_view(value) == "full";
}

}  // namespace unroll::testing
