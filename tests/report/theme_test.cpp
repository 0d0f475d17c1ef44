// Colours that can be read: the contrast of WCAG 2.2, success criteria 1.4.3 and 1.4.11.

#include <unroll/report/theme.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
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

/// The colour that is so far from one to another, as gnuplot mixes a palette's.
std::string mixed(const std::string& from, const std::string& to, double share) {
  std::string colour = "#";
  for (const std::size_t at : {1U, 3U, 5U}) {
    const double first = std::stoi(from.substr(at, 2), nullptr, 16);
    const double last = std::stoi(to.substr(at, 2), nullptr, 16);
    std::array<char, 3> digits{};
    std::snprintf(digits.data(), digits.size(), "%02x",
                  static_cast<unsigned int>(std::lround(first + share * (last - first))));
    colour += digits.data();
  }
  return colour;
}

TEST(Theme, NumbersOnShadesCanBeRead) {
  constexpr int kSteps = 2'000;
  for (int step = 0; step <= kSteps; ++step) {
    const double share = static_cast<double>(step) / kSteps;
    const double place = share * static_cast<double>(kShades.size() - 1);
    const auto before = std::min(static_cast<std::size_t>(place), kShades.size() - 2);
    const std::string shade =
        mixed(kShades[before], kShades[before + 1], place - static_cast<double>(before));
    EXPECT_GE(contrast(ink_on_shade(share), shade), 4.5) << share << " " << shade;
  }
}

TEST(Theme, ShadesDarkenStepByStep) {
  for (std::size_t i = 1; i < kShades.size(); ++i) {
    EXPECT_LT(luminance(kShades[i]), luminance(kShades[i - 1])) << i;
  }
}

}  // namespace
}  // namespace unroll
