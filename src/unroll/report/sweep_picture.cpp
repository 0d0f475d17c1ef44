#include <unroll/report/sweep_picture.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <unroll/report/findings.h>
#include <unroll/report/sweep_text.h>
#include <unroll/report/theme.h>

namespace unroll {
namespace {

// Where things lie, in the units of the picture.
constexpr int kCellWidth = 56;
constexpr int kCellHeight = 34;
constexpr int kLeastHeight = 116;   // of a map's cells, so that its legend has room
constexpr int kAxisNameWidth = 52;  // on the left of the rows' names, with the gaps beside them
constexpr int kColourBoxGap = 8;    // on the right of a map, before its legend
constexpr int kColourBoxWidth = 14;
constexpr int kTitleHeight = 42;
constexpr int kAxisHeight = 64;

/// The width of a text, estimated by that of a wide font's digits: which font draws it is the
/// reader's choice.
int text_width(std::string_view text) {
  constexpr int kDigitWidth = kFontSize * 65 / 100;
  return static_cast<int>(text.size()) * kDigitWidth;
}

/// A mark of a legend.
struct Tic {
  std::string text;
  double value;
};

/// One heat map.
struct Map {
  std::string name;  ///< of its data, a word
  std::string title;
  double nothing;                      ///< the value that has the lightest shade
  double everything;                   ///< the darkest
  std::vector<Tic> tics = {};          ///< of its legend
  std::vector<std::string> rows = {};  ///< of its data: column, row, value, text, its colour
};

/// What stands in a cell.
struct CellContent {
  std::optional<double> value;  ///< none for no shade
  std::string text;
};

/// The text's colour as gnuplot's number; on no shade it is one of the theme's.
std::string ink_of(const Map& map, const std::optional<double>& value) {
  const char* ink =
      value ? ink_on_shade((*value - map.nothing) / (map.everything - map.nothing)) : kMuted.light;
  return fmt::format("0x{}", ink + 1);
}

/// The shades as gnuplot defines a palette: "0 "#deebf7", 1 "#c6dbef", ..".
std::string palette() {
  std::string shades;
  for (std::size_t i = 0; i < kShades.size(); ++i) {
    shades += fmt::format("{}{} \"{}\"", i == 0 ? "" : ", ", i, kShades[i]);
  }
  return shades;
}

/// How large the picture is, and where its maps lie, so that every text has room.
class Layout {
 public:
  Layout(const SweepGrid& grid, const std::vector<Map>& maps)
      : cells_height_(
            std::max(static_cast<int>(grid.hidden_size.size()) * kCellHeight, kLeastHeight)),
        maps_(static_cast<int>(maps.size())) {
    for (const std::int64_t hidden_size : grid.hidden_size) {
      left_ = std::max(left_, kAxisNameWidth + text_width(fmt::to_string(hidden_size)));
    }
    int longest_title = 0;
    for (const Map& map : maps) {
      longest_title = std::max(longest_title, text_width(map.title));
      for (const Tic& tic : map.tics) {
        legend_width_ = std::max(legend_width_, kLegendTextsLeft + text_width(tic.text));
      }
    }
    // A title has its middle above that of the cells.
    cells_width_ = std::max({kPictureWidth - left_ - legend_width_,
                             static_cast<int>(grid.num_steps.size()) * kCellWidth,
                             longest_title - 2 * std::min(left_, legend_width_)});
  }

  [[nodiscard]] int width() const { return left_ + cells_width_ + legend_width_; }
  [[nodiscard]] int height() const { return maps_ * map_height(); }

  /// Where a map's cells and its legend lie, in gnuplot's words.
  [[nodiscard]] std::string place(int map) const {
    const int top = height() - map * map_height() - kTitleHeight;  // from below, as gnuplot has it
    const int bottom = top - cells_height_;
    const int right = left_ + cells_width_;
    const auto x = [this](int at) { return static_cast<double>(at) / width(); };
    const auto y = [this](int at) { return static_cast<double>(at) / height(); };
    return fmt::format(
        "set lmargin at screen {:.4f}\n"
        "set rmargin at screen {:.4f}\n"
        "set bmargin at screen {:.4f}\n"
        "set tmargin at screen {:.4f}\n"
        "set colorbox user origin screen {:.4f}, {:.4f} size screen {:.4f}, {:.4f} noborder\n",
        x(left_), x(right), y(bottom), y(top), x(right + kColourBoxGap), y(bottom),
        x(kColourBoxWidth), y(cells_height_));
  }

 private:
  /// From a map's right edge on: gnuplot leaves a gap between the colours and their texts.
  static constexpr int kLegendTextsLeft = kColourBoxGap + kColourBoxWidth + kFontSize;

  [[nodiscard]] int map_height() const { return kTitleHeight + cells_height_ + kAxisHeight; }

  int left_ = 0;  // of the cells; the axis' and the rows' names stand there
  int legend_width_ = 0;
  int cells_width_ = 0;
  int cells_height_;
  int maps_;
};

std::string title_of(const SweepGrid& grid, const std::string& what, double learning_rate) {
  return grid.learning_rate.size() == 1 ? what
                                        : fmt::format("{}, learning rate {}", what, learning_rate);
}

/// A map with what `content_of` gives for each group of a learning rate.
template <class ContentOf>
Map filled(Map map, const SweepSummary& summary, double learning_rate,
           const ContentOf& content_of) {
  const SweepGrid& grid = summary.config.grid;
  map.rows.reserve(grid.num_steps.size() * grid.hidden_size.size());
  for (std::size_t column = 0; column < grid.num_steps.size(); ++column) {
    for (std::size_t row = 0; row < grid.hidden_size.size(); ++row) {
      const auto [value, text] =
          content_of(summary.group(grid.num_steps[column], grid.hidden_size[row], learning_rate));
      map.rows.push_back(fmt::format("{},{},{},{},{}", column, row,
                                     value ? fmt::format("{:.6f}", *value) : "NaN", text,
                                     ink_of(map, value)));
    }
  }
  return map;
}

Map loss_map(const SweepSummary& summary, double learning_rate, std::size_t number) {
  const Floors floors = summary.process.floors(1);
  Map map = {.name = fmt::format("loss{}", number),
             .title = title_of(summary.config.grid, "mean held-out loss, nats", learning_rate),
             .nothing = floors.none,
             .everything = floors.all};
  const std::vector<NamedFloor> named = named_floors(floors);
  map.tics.reserve(named.size());
  for (const auto& [name, loss] : named) {
    map.tics.push_back({.text = fmt::format("{:.4f} {}", loss, name), .value = loss});
  }
  return filled(std::move(map), summary, learning_rate, [](const SweepGroup& group) {
    return CellContent{
        .value = group.held_out_loss,
        .text = group.held_out_loss ? fmt::format("{:.4f}", *group.held_out_loss) : "diverged"};
  });
}

Map lag_map(const SweepSummary& summary, double learning_rate, std::size_t number,
            std::size_t lag) {
  const std::int64_t seeds = summary.config.grid.seeds;
  const std::string what =
      fmt::format("seeds that have learned lag {}", summary.process.effects()[lag].lag);
  Map map = {.name = fmt::format("lag{}_{}", summary.process.effects()[lag].lag, number),
             .title = title_of(summary.config.grid, what, learning_rate),
             .nothing = 0.0,
             .everything = 1.0,
             .tics = {{.text = fmt::format("0 of {}", seeds), .value = 0.0},
                      {.text = fmt::format("{0} of {0}", seeds), .value = 1.0}}};
  return filled(std::move(map), summary, learning_rate, [lag](const SweepGroup& group) {
    const std::int64_t learned = group.lags[lag].learned;
    return CellContent{.value = static_cast<double>(learned) / static_cast<double>(group.seeds),
                       .text = fmt::format("{}/{}", learned, group.seeds)};
  });
}

std::size_t drawn_rates(const SweepGrid& grid) {
  return std::min(grid.learning_rate.size(), kMostDrawnRates);
}

std::vector<Map> maps_of(const SweepSummary& summary) {
  const std::size_t lags = summary.process.effects().size();
  const std::size_t rates = drawn_rates(summary.config.grid);
  std::vector<Map> maps;
  maps.reserve(rates * (1 + lags));
  for (std::size_t rate = 0; rate < rates; ++rate) {
    const double learning_rate = summary.config.grid.learning_rate[rate];
    maps.push_back(loss_map(summary, learning_rate, rate + 1));
    for (std::size_t lag = 0; lag < lags; ++lag) {
      maps.push_back(lag_map(summary, learning_rate, rate + 1, lag));
    }
  }
  return maps;
}

/// An axis' tics: each value at its place in the grid.
std::string axis_tics(const std::vector<std::int64_t>& values) {
  std::string tics;
  for (std::size_t i = 0; i < values.size(); ++i) {
    tics += fmt::format("{}\"{}\" {}", i == 0 ? "" : ", ", values[i], i);
  }
  return tics;
}

/// A legend's tics.
std::string legend_tics(const std::vector<Tic>& tics) {
  std::vector<std::string> items;
  items.reserve(tics.size());
  for (const auto& [text, value] : tics) {
    items.push_back(fmt::format("\"{}\" {:.6f}", text, value));
  }
  return fmt::format("{}", fmt::join(items, ", "));
}

std::string data_block(const Map& map) {
  std::string block = fmt::format("\n${} << END\n", map.name);
  for (const std::string& row : map.rows) {
    block.append(row).append("\n");
  }
  return block.append("END\n");
}

std::string draw(const Map& map, const std::string& place) {
  return fmt::format(
      "\n{0}"
      "set title \"{1}\"\n"
      "set cbrange [{2:.6f}:{3:.6f}]\n"
      "set palette defined ({4}) {5}\n"
      "set cbtics scale 0 ({6})\n"
      "plot ${7} using 1:2:(0.48):(0.46):3 with boxxyerror fillstyle solid noborder linecolor "
      "palette, \\\n"
      "  ${7} using 1:2:4:5 with labels font \",15\" textcolor rgb variable\n",
      place, map.title, std::min(map.nothing, map.everything),
      std::max(map.nothing, map.everything), palette(),
      map.nothing > map.everything ? "negative" : "positive", legend_tics(map.tics), map.name);
}

}  // namespace

std::string sweep_script(const SweepSummary& summary) {
  const SweepGrid& grid = summary.config.grid;
  const std::vector<Map> maps = maps_of(summary);
  const Layout layout(grid, maps);
  std::string script = script_head(
      "sweep",
      "Heat maps of a sweep: the mean held-out loss, and how many seeds learned which lag.",
      layout.width(), layout.height());
  script +=
      "\n# num_steps and hidden_size by their places in the grid; the value; its text; its colour.";
  for (const Map& map : maps) {
    script += data_block(map);
  }
  script += fmt::format(
      "\n"
      "unset key\n"
      "unset border\n"
      "set tics scale 0 textcolor \"{}\"\n"
      "set xlabel \"num_steps\" offset 0, 0.6 textcolor \"{}\"\n"
      "set ylabel \"hidden_size\" offset 1 textcolor \"{}\"\n"
      "set title textcolor \"{}\" offset 0, -0.3\n"
      "set xrange [-0.5:{}.5]\n"
      "set yrange [-0.5:{}.5]\n"
      "set xtics ({})\n"
      "set ytics ({})\n"
      "\n"
      "set multiplot\n",
      kInk.light, kInk.light, kInk.light, kInk.light, grid.num_steps.size() - 1,
      grid.hidden_size.size() - 1, axis_tics(grid.num_steps), axis_tics(grid.hidden_size));
  for (std::size_t i = 0; i < maps.size(); ++i) {
    script += draw(maps[i], layout.place(static_cast<int>(i)));
  }
  return script + "unset multiplot\n";
}

PictureText describe_sweep_picture(const SweepSummary& summary) {
  const SweepGrid& grid = summary.config.grid;
  std::string description = fmt::format(
      "Heat maps, num_steps across and hidden_size up: the mean held-out loss over {}, and for "
      "each lag how many of them have learned it.",
      counted(grid.seeds, "seed"));
  if (drawn_rates(grid) < grid.learning_rate.size()) {
    description += fmt::format(" Of {} learning rates the first {} are drawn.",
                               grid.learning_rate.size(), drawn_rates(grid));
  }
  return {.title = "Which lag is learned where", .description = description};
}

}  // namespace unroll
