// How report.html looks.
#pragma once

#include <string>

namespace unroll {

/// The page's style sheet, in the theme's colours.
std::string page_style();

}  // namespace unroll
