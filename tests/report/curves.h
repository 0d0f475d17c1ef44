// The curves of a picture, read back from its SVG.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace unroll::testing {

struct CurvePoint {
  double x;
  double y;  ///< downwards
};

/// The points of the longest line that is drawn in a colour, as the themed SVG names it. An M sets
/// the pen down.
inline std::vector<CurvePoint> curve_of(const std::string& svg, const std::string& colour) {
  std::vector<CurvePoint> longest;
  const std::string begin = "<path stroke='" + colour + "'";
  for (std::size_t at = svg.find(begin); at != std::string::npos; at = svg.find(begin, at + 1)) {
    const std::size_t data = svg.find(" d='", at) + 4;
    std::string text = svg.substr(data, svg.find('\'', data) - data);
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == 'L' || c == ','; }, ' ');
    for (std::size_t pen = text.find('M'); pen != std::string::npos;
         pen = text.find('M', pen + 1)) {
      std::istringstream numbers(text.substr(pen + 1));
      std::vector<CurvePoint> points;
      for (CurvePoint point{}; numbers >> point.x >> point.y;) {
        points.push_back(point);
      }
      if (points.size() > longest.size()) {
        longest = points;
      }
    }
  }
  return longest;
}

/// The texts of an SVG.
inline std::vector<std::string> texts_of(const std::string& svg) {
  static const std::regex form("<text>\\s*([^<]*?)\\s*</text>");
  std::vector<std::string> texts;
  for (std::sregex_iterator match(svg.begin(), svg.end(), form), end; match != end; ++match) {
    texts.push_back((*match)[1]);
  }
  return texts;
}

inline bool has_text(const std::string& svg, const std::string& text) {
  const std::vector<std::string> texts = texts_of(svg);
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

}  // namespace unroll::testing
