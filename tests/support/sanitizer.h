// What a test has to know of the build it is in.
#pragma once

namespace unroll::testing {

/// Whether this is a build with a sanitizer, which needs terabytes of address space.
constexpr bool has_sanitizer() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return true;
#else
  return false;
#endif
}

}  // namespace unroll::testing
