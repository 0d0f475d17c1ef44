// Range checks that options share.
#pragma once

#include <cstdint>

namespace unroll {

/// @throws InvalidOption "<option> must be at least <least>, got <value>"
void check_at_least(const char* option, std::int64_t value, std::int64_t least);

/// @throws InvalidOption "<option> must be from <least> to <most>, got <value>"
void check_between(const char* option, std::int64_t value, std::int64_t least, std::int64_t most);

}  // namespace unroll
