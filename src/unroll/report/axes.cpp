#include <unroll/report/axes.h>

#include <fmt/format.h>

#include <cmath>

#include <unroll/report/theme.h>

namespace unroll {
namespace {

/// At most so many rows are drawn, which no eye tells from more.
constexpr std::size_t kMostDrawnRows = 2'000;

/// At most so many ends of epochs are marked.
constexpr std::int64_t kMostBorders = 50;

/// Windows that the axis counts as one, and how they are then called.
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

}  // namespace

std::string window_axis(std::int64_t epochs, std::int64_t windows_per_epoch, std::size_t rows) {
  const Unit unit = unit_of(epochs * windows_per_epoch);
  return fmt::format(
      "\n"
      "epochs = {}\n"
      "windows_per_epoch = {}\n"
      "unit = {:.1f}  # windows that the x axis counts as one\n"
      "trained_unit = \"{}\"\n"
      "every_nth = {}  # of so many rows one is drawn, so that no more than {} are\n"
      "\n"
      "# Windows over all epochs, from a row's epoch and its window in that epoch.\n"
      "trained(epoch, window) = ((epoch - 1.0) * windows_per_epoch + window) / unit\n"
      "\n"
      "# Faint lines where an epoch ends and the next one begins.\n"
      "do for [epoch = 1:epochs - 1:{}] {{\n"
      "  set arrow from first trained(epoch, windows_per_epoch), graph 0 \\\n"
      "    to first trained(epoch, windows_per_epoch), graph 1 nohead back linecolor \"{}\"\n"
      "}}\n"
      "\n"
      "set xrange [0:trained(epochs, windows_per_epoch)]\n"
      "set border 3 linecolor \"{}\"\n"
      "set tics nomirror out scale 0.5 textcolor \"{}\"\n"
      "set format \"%g\"\n",
      epochs, windows_per_epoch, unit.windows, unit.name,
      (rows + kMostDrawnRows - 1) / kMostDrawnRows, kMostDrawnRows,
      (epochs + kMostBorders - 1) / kMostBorders, kFaint.light, kMuted.light, kInk.light);
}

double tic_step(double size) {
  constexpr double kMostSteps = 5.0;
  const double least = size / kMostSteps;
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least) {
      return factor * power;
    }
  }
  return 10.0 * power;
}

std::string line_style(std::size_t rows) {
  constexpr std::size_t kFew = 100;
  return rows <= kFew ? "linespoints pointtype 7 pointsize 0.4" : "lines";
}

}  // namespace unroll
