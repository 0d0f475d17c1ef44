// Other people's text inside our one-line messages.
#pragma once

#include <string>
#include <string_view>

namespace unroll {

/// The text, shortened if long, with every byte that is no printable ASCII shown as '?'.
std::string printable(std::string_view text);

/// printable() in quotes.
std::string in_quotes(std::string_view text);

}  // namespace unroll
