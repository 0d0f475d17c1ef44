// Commands that a user can paste.
#pragma once

#include <string>

namespace unroll::cli {

/// Text as one word of a shell command.
std::string shell_word(const std::string& text);

}  // namespace unroll::cli
