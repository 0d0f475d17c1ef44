// Other people's text inside our one-line messages.
#pragma once

#include <string>
#include <string_view>

namespace unroll {

/// The text in quotes: shortened if long, and every byte that is no printable ASCII shown as '?'.
std::string in_quotes(std::string_view text);

}  // namespace unroll
