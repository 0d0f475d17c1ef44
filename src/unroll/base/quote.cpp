#include <unroll/base/quote.h>

#include <algorithm>

namespace unroll {

std::string printable(std::string_view text) {
  constexpr std::size_t kLongest = 60;
  std::string shown(text.substr(0, kLongest));
  std::replace_if(
      shown.begin(), shown.end(), [](unsigned char c) { return c < 0x20 || c > 0x7E; }, '?');
  return text.size() > kLongest ? shown + "..." : shown;
}

std::string in_quotes(std::string_view text) { return "'" + printable(text) + "'"; }

}  // namespace unroll
