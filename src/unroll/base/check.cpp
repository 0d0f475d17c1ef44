#include <unroll/base/check.h>

#include <fmt/format.h>

#include <unroll/base/error.h>

namespace unroll {

void check_at_least(const char* option, std::int64_t value, std::int64_t least) {
  if (value < least) {
    throw InvalidOption(option, fmt::format("must be at least {}, got {}", least, value));
  }
}

void check_between(const char* option, std::int64_t value, std::int64_t least, std::int64_t most) {
  if (value < least || value > most) {
    throw InvalidOption(option, fmt::format("must be from {} to {}, got {}", least, most, value));
  }
}

}  // namespace unroll
