// Text inside HTML and SVG.
#pragma once

#include <string>
#include <string_view>

namespace unroll {

/// Any bytes as the text of an element or of a quoted attribute: what has a meaning there is
/// escaped, and what is no UTF-8 or no printable character becomes U+FFFD.
std::string escaped(std::string_view text);

}  // namespace unroll
