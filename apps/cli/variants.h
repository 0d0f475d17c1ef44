// The value of --variants.
#pragma once

#include <string>
#include <vector>

#include <unroll/run/comparison_run.h>

namespace unroll::cli {

/// Parses "manual/autograd,builtin/autograd".
/// @throws UsageError naming the flag and what is allowed
std::vector<VariantChoice> parse_variants(const std::string& flag, const std::string& text);

}  // namespace unroll::cli
