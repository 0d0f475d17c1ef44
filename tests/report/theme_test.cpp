// Colours that can be read: the contrast of WCAG 2.2, success criteria 1.4.3 and 1.4.11.

#include <unroll/report/theme.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace unroll {
namespace {

/// https://www.w3.org/TR/WCAG22/#dfn-relative-luminance
double luminance(const std::string& colour) {
  const auto channel = [&colour](std::size_t at) {
    const double value = std::stoi(colour.substr(at, 2), nullptr, 16) / 255.0;
    return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}

/// https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
double contrast(const std::string& left, const std::string& right) {
  const auto [darker, lighter] = std::minmax({luminance(left), luminance(right)});
  return (lighter + 0.05) / (darker + 0.05);
}

void expect_contrast(const Tone& tone, double least) {
  EXPECT_GE(contrast(tone.light, kPaper.light), least) << tone.light;
  EXPECT_GE(contrast(tone.dark, kPaper.dark), least) << tone.dark;
}

TEST(Theme, TextCanBeRead) {
  for (const Tone& tone : {kInk, kMuted, kFault}) {
    expect_contrast(tone, 4.5);
  }
}

TEST(Theme, CurvesCanBeSeen) {
  expect_contrast(kMean, 3.0);
  for (const Tone& tone : kCurves) {
    expect_contrast(tone, 3.0);
  }
}

}  // namespace
}  // namespace unroll
