// The colours of pictures and pages, for a light and a dark background.
#pragma once

#include <array>

namespace unroll {

/// A colour in its two forms, "#rrggbb".
struct Tone {
  const char* light;
  const char* dark;
};

// Text has a contrast of at least 4.5 to the paper, lines that matter of at least 3.
inline constexpr Tone kPaper = {"#ffffff", "#12151a"};
inline constexpr Tone kInk = {"#1f2328", "#e6e9ee"};
inline constexpr Tone kMuted = {"#57606a", "#9aa4b0"};  ///< of what explains, and of floors
inline constexpr Tone kFaint = {"#d0d7de", "#343b45"};  ///< of grids and borders
inline constexpr Tone kRow = {"#9cc3e6", "#37618a"};    ///< of single log rows
inline constexpr Tone kMean = {"#0b5cad", "#6cb6ff"};   ///< of their running mean
inline constexpr Tone kFault = {"#b3261e", "#ff9a91"};
/// Of curves that are told apart, together with their dashes.
inline constexpr std::array kCurves = {kMean, Tone{"#b34a00", "#ffab66"},
                                       Tone{"#00735a", "#58d3ae"}, Tone{"#8e3a8c", "#e39be0"}};

}  // namespace unroll
