// The picture of a comparison.

#include <unroll/report/comparison_picture.h>

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "../support/temp_dir.h"
#include "curves.h"
#include "summaries.h"

namespace unroll {
namespace {

using namespace testing;

/// The picture of variants with these losses, of which each epoch has the same number.
std::string picture_of(const std::vector<std::vector<double>>& losses) {
  const TempDir folder;
  std::vector<std::string> names;
  for (const std::vector<double>& values : losses) {
    names.push_back("manual/v" + std::to_string(names.size() + 1));
    const std::string variant = folder / ("manual-v" + std::to_string(names.size()));
    std::filesystem::create_directory(variant);
    write_bytes(variant + "/metrics.csv", metrics_of(rows_of(values)));
  }
  const auto windows = static_cast<std::int64_t>(losses.front().size() / 2);
  EXPECT_EQ(write_comparison_picture(folder.path(), names, windows), "");
  EXPECT_EQ(names_in(folder.path()).size(), names.size() + 2);
  return read_bytes(folder / "losses.svg");
}

/// The second variant's curve in the lower plot, whose tics are powers of ten.
std::vector<CurvePoint> difference_curve(const std::string& svg) {
  return curve_of(svg.substr(svg.find(">1e-")), "#b34a00");
}

TEST(ComparisonPicture, DrawsLossesAndDifferencesInPowersOfTen) {
  const std::string svg =
      picture_of({{0.7, 0.6, 0.5, 0.4}, {0.7 + 1e-6, 0.6 - 1e-5, 0.5 + 1e-4, 0.4 - 1e-3}});
  EXPECT_TRUE(has_text(svg, "manual/v1"));
  EXPECT_TRUE(has_text(svg, "manual/v2"));
  EXPECT_TRUE(has_text(svg, "difference from manual/v1"));
  EXPECT_FALSE(has_text(svg, "equal"));
  // Each difference is ten times the one before.
  const std::vector<CurvePoint> curve = difference_curve(svg);
  ASSERT_EQ(curve.size(), 4U);
  const double step = curve[0].y - curve[1].y;
  EXPECT_GT(step, 10.0);
  EXPECT_NEAR(curve[1].y - curve[2].y, step, 0.1);
  EXPECT_NEAR(curve[2].y - curve[3].y, step, 0.1);
}

TEST(ComparisonPicture, DrawsEqualRowsOnALineOfTheirOwn) {
  const std::string svg = picture_of({{0.7, 0.6, 0.5, 0.4}, {0.7, 0.6 + 1e-8, 0.5, 0.4 + 1e-8}});
  EXPECT_TRUE(has_text(svg, "difference from manual/v1; 'equal': the same 9 digits"));
  EXPECT_TRUE(has_text(svg, "equal"));
  const std::vector<CurvePoint> curve = difference_curve(svg);
  ASSERT_EQ(curve.size(), 4U);
  EXPECT_EQ(curve[0].y, curve[2].y);
  EXPECT_EQ(curve[1].y, curve[3].y);
  EXPECT_GT(curve[0].y, curve[1].y + 10.0);
}

TEST(ComparisonPicture, CanBeOfVariantsThatAreAllEqual) {
  const std::string svg = picture_of({{0.7, 0.6}, {0.7, 0.6}, {0.7, 0.6}});
  EXPECT_TRUE(has_text(svg, "equal"));
}

TEST(ComparisonPicture, ThinsOutManyRowsAndSubtractsTheRightOnes) {
  std::vector<double> first;
  std::vector<double> second;
  for (int i = 0; i < 9'000; ++i) {
    first.push_back(0.5 + 1e-5 * i);
    second.push_back(0.5 + 1e-5 * i + 1e-6);
  }
  const std::string svg = picture_of({first, second});
  EXPECT_LT(svg.size(), 300'000U);
  const std::vector<CurvePoint> curve = difference_curve(svg);
  ASSERT_EQ(curve.size(), 1'800U);
  for (const CurvePoint& point : curve) {
    ASSERT_NEAR(point.y, curve.front().y, 0.1);
  }
}

TEST(ComparisonPicture, SaysWhatItShows) {
  const std::vector<VariantRows> variants = {
      {.name = "manual/fused", .folder = "manual-fused", .rows = rows_of({0.7, 0.6})},
      {.name = "builtin/fused", .folder = "builtin-fused", .rows = rows_of({0.7, 0.59})}};
  EXPECT_EQ(describe_comparison_picture(variants).description,
            "Two line charts over 2 rows of metrics.csv. Above, the mean losses of manual/fused, "
            "builtin/fused. Below, the size of each later variant's difference from the first, at "
            "most 0.01 nats.");
}

}  // namespace
}  // namespace unroll
