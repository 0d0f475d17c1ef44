#include <unroll/report/loss_picture.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

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

/// Rows of which one is drawn.
std::size_t drawn_every(std::size_t rows) { return (rows + kMostDrawnRows - 1) / kMostDrawnRows; }

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

/// Windows that the x axis counts as one, and how they are then called.
struct Unit {
  double windows;
  const char* name;
};

Unit unit_of(std::int64_t windows) {
  if (windows >= 10'000'000) {
    return {.windows = 1e6, .name = "million windows trained"};
  }
  return windows >= 10'000 ? Unit{.windows = 1e3, .name = "thousand windows trained"}
                           : Unit{.windows = 1.0, .name = "windows trained"};
}

/// The floors' dashed lines, with labels in the right margin.
std::string floor_lines(const std::vector<NamedFloor>& floors, const Range& range) {
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
  for (auto height = wanted.rbegin(); height != wanted.rend(); ++height) {
    *height = std::max(*height, limit);
    limit = *height + gap;
  }
  return wanted;
}

std::string loss_script(const Summary& summary, const std::vector<MetricsRow>& rows) {
  const std::vector<NamedFloor> floors =
      summary.floors ? named_floors(*summary.floors, summary.num_steps) : std::vector<NamedFloor>();
  const Range range = loss_range(rows, floors);
  const Unit unit = unit_of(summary.windows);
  const std::size_t every = drawn_every(rows.size());
  const std::int64_t epochs_a_border = (summary.epochs + 49) / 50;
  const char* style = rows.size() <= 100 ? "linespoints pointtype 7 pointsize 0.4" : "lines";
  std::string script = script_head(
      "loss", "The mean loss of every log row of a run, its running mean, and the loss floors.");
  script += fmt::format(
      "\n"
      "epochs = {}\n"
      "windows_per_epoch = {}\n"
      "unit = {:.1f}  # windows that the x axis counts as one\n"
      "span = {}  # rows that the running mean is over\n"
      "every_nth = {}  # rows of which one is drawn, so that at most {} are\n",
      summary.epochs, summary.windows / summary.epochs, unit.windows,
      running_mean_span(rows.size()), every, kMostDrawnRows);
  script +=
      "\n"
      "# Windows over all epochs, from a row's epoch and its window in that epoch.\n"
      "trained(epoch, window) = ((epoch - 1.0) * windows_per_epoch + window) / unit\n"
      "\n"
      "# The mean of the last rows up to this one, which are kept in a ring.\n"
      "array ring[span]\n"
      "count = 0\n"
      "sum = 0.0\n"
      "running_mean(loss) = (slot = count % span + 1, \\\n"
      "  sum = sum + loss - (count < span ? 0.0 : ring[slot]), \\\n"
      "  ring[slot] = loss, \\\n"
      "  count = count + 1, \\\n"
      "  sum / (count < span ? count : span))\n"
      "# It takes every row, and shows every so many-th.\n"
      "shown_mean(row, loss) = (mean = running_mean(loss), row % every_nth == 0 ? mean : NaN)\n";
  script += fmt::format(
      "\n"
      "set lmargin at screen {}\n"
      "set rmargin at screen {}\n"
      "set bmargin at screen {}\n"
      "set tmargin at screen {}\n"
      "set border 3 linecolor \"{}\"\n"
      "set tics nomirror out scale 0.5 textcolor \"{}\"\n"
      "set format \"%g\"\n"
      "set xrange [0:trained(epochs, windows_per_epoch)]\n"
      "set yrange [{:.6g}:{:.6g}]\n"
      "set xlabel \"{}\" offset 0, 0.4 textcolor \"{}\"\n"
      "set ylabel \"mean loss, nats\" offset 1 textcolor \"{}\"\n"
      "set key at screen {}, 0.985 left top Left reverse width 1 samplen 2 textcolor \"{}\"\n",
      kLeft, floors.empty() ? kRight : kRightOfLabels, kBottom, kTop, kMuted.light, kInk.light,
      range.bottom, range.top, unit.name, kInk.light, kInk.light, kLeft - 0.02, kInk.light);
  script += fmt::format(
      "\n"
      "# Faint lines where an epoch ends and the next one begins.\n"
      "do for [epoch = 1:epochs - 1:{0}] {{\n"
      "  set arrow from first trained(epoch, windows_per_epoch), graph 0 \\\n"
      "    to first trained(epoch, windows_per_epoch), graph 1 nohead back linecolor \"{1}\"\n"
      "}}\n",
      epochs_a_border, kFaint.light);
  script += floor_lines(floors, range);
  script += fmt::format(
      "\n"
      "plot \"metrics.csv\" skip 1 every every_nth using (trained($1, $2)):3 \\\n"
      "  with {0} linecolor \"{1}\" title \"a row of metrics.csv\", \\\n"
      "  \"\" skip 1 using (trained($1, $2)):(shown_mean(int($0), $3)) \\\n"
      "  with lines linewidth 2.5 linecolor \"{2}\" title sprintf(\"mean of the last %d rows\", "
      "span)\n",
      style, kRow.light, kMean.light);
  return script;
}

PictureText describe_loss_picture(const Summary& summary, const std::vector<MetricsRow>& rows) {
  std::string description = fmt::format(
      "A line chart of the mean loss over {} windows in {} epochs. The first of {} rows is {:.4f} "
      "nats; the mean of the last {} is {:.4f}.",
      summary.windows, summary.epochs, rows.size(), rows.front().mean_loss,
      std::min(running_mean_span(rows.size()), rows.size()), last_mean(rows));
  if (summary.floors) {
    description += " Loss floors:";
    const char* separator = " ";
    for (const auto& [name, loss] : named_floors(*summary.floors, summary.num_steps)) {
      description += fmt::format("{}{}, {:.4f}", separator, name, loss);
      separator = "; ";
    }
    description += ".";
  }
  return {.title = "Loss against windows trained", .description = description};
}

}  // namespace unroll
