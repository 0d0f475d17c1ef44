// What a comparison says to people, as text.
#pragma once

#include <string>

#include <unroll/run/comparison_run.h>

namespace unroll {

/// The default tolerances and where they come from, in a sentence.
std::string describe_default_tolerance();

/// The table of variants, and in a line whether they agree or where they part.
std::string describe_comparison(const ComparisonSummary& summary);

}  // namespace unroll
