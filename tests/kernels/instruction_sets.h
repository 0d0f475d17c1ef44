// Runs a test on every instruction set that this processor has and that the kernels are compiled
// for.
#pragma once

#include <hwy/highway.h>
#include <hwy/targets.h>

#include <cstdint>
#include <string>
#include <vector>

namespace unroll::testing {

/// While it lives, the kernels are those of one instruction set.
class InstructionSet {
 public:
  explicit InstructionSet(std::int64_t target) { hwy::SetSupportedTargetsForTest(target); }
  ~InstructionSet() { hwy::SetSupportedTargetsForTest(0); }
  InstructionSet(const InstructionSet&) = delete;
  InstructionSet& operator=(const InstructionSet&) = delete;
};

/// Their bits in Highway's numbering; the baseline alone on another architecture than x86.
inline std::vector<std::int64_t> instruction_sets() {
  std::vector<std::int64_t> sets;
#if HWY_ARCH_X86
  for (const std::int64_t target : {HWY_SSE4, HWY_AVX2, HWY_AVX3}) {
    if ((hwy::SupportedTargets() & target) != 0) {
      sets.push_back(target);
    }
  }
#else
  sets.push_back(hwy::SupportedTargets());
#endif
  return sets;
}

}  // namespace unroll::testing
