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

/// Of heat maps, from where nothing is learned to where all is. One hue, from light to dark, which
/// no colour blindness hides (Blues of ColorBrewer, Brewer 2003). They are the same on a light and
/// a dark background, and so is what is written on them.
inline constexpr std::array kShades = {"#deebf7", "#c6dbef", "#9ecae1", "#6baed6",
                                       "#4292c6", "#2171b5", "#08519c", "#08306b"};

/// Of text on a shade that is so far, 0 to 1, from the first one to the last; its contrast to it is
/// at least 4.5. No other tone's colours.
constexpr const char* ink_on_shade(double share) { return share > 0.677 ? "#fefefe" : "#000000"; }

}  // namespace unroll
