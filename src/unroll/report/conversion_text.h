// What unroll-convert says.
#pragma once

#include <string>

#include <unroll/data/conversion.h>

namespace unroll {

/// One line on what was written to `output`.
std::string describe_conversion(const std::string& output, const Conversion& conversion);

/// The same as a JSON object.
std::string conversion_json(const std::string& output, const Conversion& conversion);

}  // namespace unroll
