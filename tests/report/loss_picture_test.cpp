// The picture of a run: what the script says, and what gnuplot draws by it.

#include <unroll/report/loss_picture.h>

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "../support/temp_dir.h"
#include "curves.h"
#include "summaries.h"

namespace unroll {
namespace {

using namespace testing;

constexpr const char* kRowColour = "#9cc3e6";
constexpr const char* kMeanColour = "#0b5cad";

/// Losses that fall with a wave.
std::vector<double> losses(std::size_t count) {
  std::vector<double> values;
  values.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto t = static_cast<double>(i);
    values.push_back(0.5 + 0.2 / (1.0 + t) + 0.05 * std::sin(t));
  }
  return values;
}

/// The picture that gnuplot draws of a run with these rows.
std::string picture_of(const Summary& summary, const std::vector<MetricsRow>& rows) {
  const TempDir folder;
  write_bytes(folder / "metrics.csv", metrics_of(rows));
  const Drawing drawing = draw_picture(folder.path(), "loss", loss_script(summary, rows),
                                       describe_loss_picture(summary, rows));
  EXPECT_EQ(drawing.problem, "");
  return drawing.svg;
}

Summary summary_of(std::size_t rows) {
  Summary summary = a_summary();
  summary.windows = static_cast<std::int64_t>(rows);
  return summary;
}

/// A picture's y as a loss, by the first and the last row, whose losses are known.
class LossScale {
 public:
  LossScale(const std::vector<CurvePoint>& curve, double first, double last)
      : first_(first),
        origin_(curve.front().y),
        slope_((last - first) / (curve.back().y - curve.front().y)) {}

  [[nodiscard]] double loss(double y) const { return first_ + slope_ * (y - origin_); }

 private:
  double first_;
  double origin_;
  double slope_;
};

TEST(SpreadLabels, LeavesThemWhereThereIsRoom) {
  const std::vector<double> wanted = {3.0, 2.0, 0.5};
  EXPECT_EQ(spread_labels(wanted, 1.0, 0.0, 4.0), wanted);
}

TEST(SpreadLabels, MovesThemApartDownwards) {
  EXPECT_EQ(spread_labels({3.0, 3.0, 2.5}, 1.0, 0.0, 4.0), (std::vector<double>{3.0, 2.0, 1.0}));
}

TEST(SpreadLabels, MovesThemUpwardsFromTheBottom) {
  EXPECT_EQ(spread_labels({3.0, 0.5, 0.5, 0.5}, 1.0, 0.0, 4.0),
            (std::vector<double>{3.0, 2.0, 1.0, 0.0}));
}

TEST(LossPicture, DrawsEveryRowWhereItBelongs) {
  const std::vector<double> values = losses(400);
  const std::string svg = picture_of(summary_of(400), rows_of(values));
  const std::vector<CurvePoint> curve = curve_of(svg, kRowColour);
  ASSERT_EQ(curve.size(), 400U);
  const LossScale scale(curve, values.front(), values.back());
  const double step = (curve.back().x - curve.front().x) / 399.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_NEAR(scale.loss(curve[i].y), values[i], 1e-4);
    EXPECT_NEAR(curve[i].x, curve[0].x + static_cast<double>(i) * step, 0.01);
  }
}

TEST(LossPicture, DrawsTheMeanOfTheLastRows) {
  const std::vector<double> values = losses(400);  // a mean of 400 / 33 = 12 rows
  const std::string svg = picture_of(summary_of(400), rows_of(values));
  const LossScale scale(curve_of(svg, kRowColour), values.front(), values.back());
  const std::vector<CurvePoint> curve = curve_of(svg, kMeanColour);
  ASSERT_EQ(curve.size(), 400U);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t begin = i < 12 ? 0 : i - 11;
    double sum = 0.0;
    for (std::size_t row = begin; row <= i; ++row) {
      sum += values[row];
    }
    EXPECT_NEAR(scale.loss(curve[i].y), sum / static_cast<double>(i + 1 - begin), 1e-4) << i;
  }
  EXPECT_TRUE(has_text(svg, "mean of the last 12 rows"));
}

TEST(LossPicture, ThinsOutManyRowsAndTheirMeanIsStillOfAll) {
  // Rows that are drawn, every 3rd, are all higher than the rest.
  std::vector<double> values(6'000, 0.5);
  for (std::size_t i = 0; i < values.size(); i += 3) {
    values[i] = 0.6 + 0.01 * static_cast<double>(i) / 6'000.0;
  }
  const std::string svg = picture_of(summary_of(6'000), rows_of(values));
  EXPECT_LT(svg.size(), 300'000U);
  const std::vector<CurvePoint> curve = curve_of(svg, kRowColour);
  ASSERT_EQ(curve.size(), 2'000U);
  const LossScale scale(curve, values[0], values[5'997]);
  const std::vector<CurvePoint> mean = curve_of(svg, kMeanColour);
  ASSERT_EQ(mean.size(), 2'000U);
  EXPECT_NEAR(scale.loss(mean.back().y), (2 * 0.5 + 0.61) / 3, 2e-3);
}

TEST(LossPicture, LabelsTheFloorsApart) {
  // With windows of one step "no carried state" is as high as "no lag seen".
  Summary summary = summary_of(400);
  summary.num_steps = 1;
  summary.floors = LaggedProcess::tutorial().floors(1);
  const std::string svg = picture_of(summary, rows_of(losses(400)));
  std::vector<double> heights;
  static const std::regex label(
      "translate\\([0-9.]+,([0-9.]+)\\)[^>]*>\\s*<text>0\\.\\d{4} (no|only|every) ");
  for (std::sregex_iterator match(svg.begin(), svg.end(), label), end; match != end; ++match) {
    heights.push_back(std::stod((*match)[1]));
  }
  ASSERT_EQ(heights.size(), 5U) << svg;
  for (std::size_t i = 1; i < heights.size(); ++i) {
    EXPECT_GE(heights[i] - heights[i - 1], 16.0) << i;
  }
  for (const char* text :
       {"0.6616 no lag seen", "0.6616 no carried state", "0.6277 only lag 8 seen",
        "0.5192 only lag 3 seen", "0.4545 every lag seen", "loss floors"}) {
    EXPECT_TRUE(has_text(svg, text)) << text;
  }
}

TEST(LossPicture, HasNoFloorsOfAUsersFile) {
  Summary summary = a_summary_of_a_file();
  summary.windows = 400;
  const std::string svg = picture_of(summary, rows_of(losses(400)));
  EXPECT_EQ(svg.find("floor"), std::string::npos);
  EXPECT_TRUE(has_text(svg, "windows trained"));
}

TEST(LossPicture, CanBeOfOneRowOrOfEqualOnes) {
  Summary summary = a_summary_of_a_file();
  summary.epochs = 1;
  summary.windows = 1;
  const std::vector<MetricsRow> one = {
      {.epoch = 1, .window = 1, .mean_loss = 0.7, .train_seconds = 0.0, .end = 0}};
  EXPECT_NE(picture_of(summary, one), "");
  summary.epochs = 2;
  summary.windows = 4;
  EXPECT_NE(picture_of(summary, rows_of({0.0, 0.0, 0.0, 0.0})), "");
}

TEST(LossPicture, SaysWhatItShows) {
  const PictureText text = describe_loss_picture(summary_of(4), rows_of({0.8, 0.7, 0.6, 0.5}));
  EXPECT_EQ(text.title, "Loss against windows trained");
  EXPECT_EQ(text.description,
            "A line chart of the mean loss over 4 windows in 2 epochs. The first of 4 rows is "
            "0.8000 nats; the mean of the last 2 is 0.5500. Loss floors: no lag seen, 0.6616; only "
            "lag 8 seen, 0.6277; no carried state, num_steps 10, 0.5489; only lag 3 seen, 0.5192; "
            "every lag seen, 0.4545.");
}

}  // namespace
}  // namespace unroll
