#include <unroll/report/loss_picture.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <unroll/report/axes.h>
#include <unroll/report/findings.h>
#include <unroll/report/theme.h>

namespace unroll {
namespace {

// Where the plot lies, as shares of the picture.
constexpr double kLeft = 0.14;
constexpr double kRightOfLabels = 0.62;  // the labels of floors stand beyond
constexpr double kRight = 0.96;
constexpr double kBottom = 0.15;
constexpr double kTop = 0.86;
constexpr double kLineHeight = 1.25 * kFontSize;  // of labels

std::size_t running_mean_span(std::size_t rows) { return std::max<std::size_t>(rows / 33, 2); }

/// Where the y axis begins and ends, in nats.
struct Range {
  double bottom;
  double top;
};

Range loss_range(const std::vector<MetricsRow>& rows, const std::vector<NamedFloor>& floors) {
  Range range = {.bottom = rows.front().mean_loss, .top = rows.front().mean_loss};
  const auto include = [&range](double loss) {
    range.bottom = std::min(range.bottom, loss);
    range.top = std::max(range.top, loss);
  };
  for (const MetricsRow& row : rows) {
    include(row.mean_loss);
  }
  for (const NamedFloor& floor : floors) {
    include(floor.loss);
  }
  const double size = range.top - range.bottom;
  const double margin = size > 0.0 ? 0.04 * size : std::max(0.1 * std::abs(range.top), 1e-6);
  return {.bottom = range.bottom - margin, .top = range.top + margin};
}

/// The floors' dashed lines, with labels in the right margin.
std::string floor_lines(const std::vector<NamedFloor>& floors, const Range& range) {
  if (floors.empty()) {
    return "";
  }
  std::vector<double> heights;
  heights.reserve(floors.size());
  for (const NamedFloor& floor : floors) {
    heights.push_back(floor.loss);
  }
  const double gap = (range.top - range.bottom) * kLineHeight / ((kTop - kBottom) * kPictureHeight);
  heights = spread_labels(std::move(heights), gap, range.bottom, range.top);
  std::string lines = fmt::format(
      "\n"
      "# The loss floors: dashed lines, and labels beside the plot, moved apart where two would "
      "meet.\n"
      "set label \"loss floors\" at graph 1.05, 1.05 textcolor \"{0}\"\n"
      "set style line 5 linecolor \"{0}\" dashtype (6, 4)\n"
      "set style line 6 linecolor \"{0}\"\n",
      kMuted.light);
  for (std::size_t i = 0; i < floors.size(); ++i) {
    const auto& [name, loss] = floors[i];
    lines += fmt::format(
        "set arrow from graph 0, first {0:.4f} to graph 1, first {0:.4f} nohead linestyle 5 front\n"
        "set arrow from graph 1, first {0:.4f} to graph 1.04, first {1:.4f} nohead linestyle 6\n"
        "set label \"{0:.4f} {2}\" at graph 1.05, first {1:.4f} textcolor \"{3}\"\n",
        loss, heights[i], name.substr(0, name.find(',')), kInk.light);
  }
  return lines;
}

/// The mean of the rows at the end that the running mean is over.
double last_mean(const std::vector<MetricsRow>& rows) {
  const std::size_t count = std::min(running_mean_span(rows.size()), rows.size());
  double sum = 0.0;
  for (std::size_t i = rows.size() - count; i < rows.size(); ++i) {
    sum += rows[i].mean_loss;
  }
  return sum / static_cast<double>(count);
}

}  // namespace

std::vector<double> spread_labels(std::vector<double> wanted, double gap, double bottom,
                                  double top) {
  double limit = top;
  for (double& height : wanted) {
    height = std::min(height, limit);
    limit = height - gap;
  }
  limit = bottom;
  for (std::size_t i = wanted.size(); i-- > 0;) {
    wanted[i] = std::max(wanted[i], limit);
    limit = wanted[i] + gap;
  }
  return wanted;
}

std::string loss_script(const Summary& summary, const std::vector<MetricsRow>& rows) {
  const std::vector<NamedFloor> floors =
      summary.floors ? named_floors(*summary.floors, summary.num_steps) : std::vector<NamedFloor>();
  const Range range = loss_range(rows, floors);
  std::string script = script_head(
      "loss", "The mean loss of every log row of a run, its running mean, and the loss floors.");
  script += window_axis(summary.epochs, summary.windows / summary.epochs, rows.size());
  script += fmt::format(
      "\n"
      "# The mean of the last rows up to this one, which are kept in a ring.\n"
      "span = {}\n"
      "array ring[span]\n"
      "count = 0\n"
      "sum = 0.0\n"
      "running_mean(loss) = (slot = count % span + 1, \\\n"
      "  sum = sum + loss - (count < span ? 0.0 : ring[slot]), \\\n"
      "  ring[slot] = loss, \\\n"
      "  count = count + 1, \\\n"
      "  sum / (count < span ? count : span))\n"
      "# It takes every row, and shows one of every_nth.\n"
      "shown_mean(row, loss) = (mean = running_mean(loss), row % every_nth == 0 ? mean : NaN)\n",
      running_mean_span(rows.size()));
  script += floor_lines(floors, range);
  script += fmt::format(
      "\n"
      "set lmargin at screen {0}\n"
      "set rmargin at screen {1}\n"
      "set bmargin at screen {2}\n"
      "set tmargin at screen {3}\n"
      "set yrange [{4:.6g}:{5:.6g}]\n"
      "set xlabel trained_unit offset 0, 0.4 textcolor \"{6}\"\n"
      "set label \"mean loss, nats\" at screen 0.03, graph 0.5 rotate center textcolor \"{6}\"\n"
      "set key at screen 0.12, 0.985 left top Left reverse width 1 samplen 2 textcolor \"{6}\"\n",
      kLeft, floors.empty() ? kRight : kRightOfLabels, kBottom, kTop, range.bottom, range.top,
      kInk.light);
  script += fmt::format(
      "\n"
      "plot \"metrics.csv\" skip 1 every every_nth using (trained($1, $2)):3 \\\n"
      "  with {0} linecolor \"{1}\" title \"a row of metrics.csv\", \\\n"
      "  \"\" skip 1 using (trained($1, $2)):(shown_mean(int($0), $3)) \\\n"
      "  with lines linewidth 2.5 linecolor \"{2}\" title sprintf(\"mean of the last %d rows\", "
      "span)\n",
      line_style(rows.size()), kRow.light, kMean.light);
  return script;
}

PictureText describe_loss_picture(const Summary& summary, const std::vector<MetricsRow>& rows) {
  std::string description = fmt::format(
      "A line chart of the mean loss over {} windows in {} epoch{}. The first of {} rows is {:.4f} "
      "nats; the mean of the last {} is {:.4f}.",
      summary.windows, summary.epochs, summary.epochs == 1 ? "" : "s", rows.size(),
      rows.front().mean_loss, std::min(running_mean_span(rows.size()), rows.size()),
      last_mean(rows));
  if (summary.floors) {
    description += " Loss floors:";
    const char* separator = " ";
    for (const auto& [name, loss] : named_floors(*summary.floors, summary.num_steps)) {
      description += fmt::format("{}{}, {:.4f}", separator, name, loss);
      separator = "; ";
    }
    description += '.';
  }
  return {.title = "Loss against windows trained", .description = description};
}

}  // namespace unroll
