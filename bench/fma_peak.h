// What one core can do at most, to hold the kernels against.
#pragma once

#include <string>

namespace unroll::bench {

/// Does `rounds` rounds of independent multiply-adds on registers alone, in single precision and
/// the widest vectors that the processor has. Returns the floating-point operations done, two a
/// multiply-add.
double multiply_add_single(long rounds);

/// The same in double precision.
double multiply_add_double(long rounds);

/// The instruction set that both use, and that the fused engine takes, in Highway's words.
std::string instruction_set();

}  // namespace unroll::bench
