// A library to preload: a program then has no better kernels than those of the instruction set that
// UNROLL_INSTRUCTION_SET names, as on a processor without the others.

#include <hwy/highway.h>
#include <hwy/targets.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

/// Highway's bit for an instruction set; 0 if it is none of these. A better set has a lower bit.
std::int64_t target_named(std::string_view name) {
  for (const std::int64_t target : {HWY_SSE4, HWY_AVX2}) {
    if (name == hwy::TargetName(target)) {
      return target;
    }
  }
  return 0;
}

[[gnu::constructor]] void limit() {
  const char* name = std::getenv("UNROLL_INSTRUCTION_SET");
  const std::int64_t target = target_named(name == nullptr ? "" : name);
  if (target == 0) {
    std::abort();
  }
  hwy::DisableTargets(target - 1);
}

}  // namespace
