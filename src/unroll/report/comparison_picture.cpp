#include <unroll/report/comparison_picture.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include <unroll/base/file.h>
#include <unroll/report/axes.h>
#include <unroll/report/theme.h>
#include <unroll/run/comparison_run.h>

namespace unroll {
namespace {

constexpr std::size_t kMostKeyRows = 4;  // of a column of variants' names

/// The sizes of the differences from the first variant, row by row.
struct Differences {
  std::optional<double> smallest;  ///< that is not 0
  double largest = 0.0;
  bool has_zero = false;
};

Differences differences_of(const std::vector<VariantRows>& variants) {
  Differences differences;
  const std::vector<MetricsRow>& first = variants.front().rows;
  for (std::size_t variant = 1; variant < variants.size(); ++variant) {
    for (std::size_t row = 0; row < first.size(); ++row) {
      const double size = std::abs(variants[variant].rows[row].mean_loss - first[row].mean_loss);
      differences.has_zero = differences.has_zero || size == 0.0;
      differences.largest = std::max(differences.largest, size);
      if (size > 0.0) {
        differences.smallest = std::min(differences.smallest.value_or(size), size);
      }
    }
  }
  return differences;
}

/// From the lowest to the highest loss, in nats.
double loss_range(const std::vector<VariantRows>& variants) {
  double lowest = variants.front().rows.front().mean_loss;
  double highest = lowest;
  for (const VariantRows& variant : variants) {
    for (const MetricsRow& row : variant.rows) {
      lowest = std::min(lowest, row.mean_loss);
      highest = std::max(highest, row.mean_loss);
    }
  }
  return highest > lowest ? highest - lowest : std::max(std::abs(highest), 1e-6);
}

/// The lower plot's axis: powers of ten, and below them a line for what is equal.
struct PowerAxis {
  int lowest;   ///< exponent of ten, of the first tic
  int highest;  ///< and of the axis' end
  int step;     ///< exponents between two tics
  int equal;    ///< where rows without a difference are drawn

  explicit PowerAxis(const Differences& differences) {
    constexpr int kMostTics = 5;
    lowest = exponent(differences.smallest.value_or(1e-9));
    highest = std::max(exponent(std::max(differences.largest, 1e-9)), lowest) + 1;
    step = (highest - lowest) / kMostTics + 1;
    equal = lowest - step;
  }

  static int exponent(double number) { return static_cast<int>(std::floor(std::log10(number))); }
};

/// The words `plot` needs to draw one variant's curve. Every one has a dash pattern of its own, and
/// is thinner than the one before, so that equal curves show through.
std::string curve_style(std::size_t variant, std::size_t rows) {
  constexpr const char* kDashes[] = {"solid", "(12, 6)", "(4, 6)", "(12, 5, 3, 5)"};
  const std::size_t kind = variant % kCurves.size();
  return fmt::format("with {} linecolor \"{}\" dashtype {} linewidth {}", line_style(rows),
                     kCurves[kind].light, kDashes[kind], variant == 0 ? 4.0 : 2.0);
}

std::string loss_plot(const std::vector<VariantRows>& variants, std::size_t rows) {
  std::string curves;
  for (std::size_t i = 0; i < variants.size(); ++i) {
    curves += fmt::format(
        "{}  \"{}/metrics.csv\" skip 1 every every_nth using (trained($1, $2)):3 \\\n"
        "  {} title \"{}\"",
        i == 0 ? "" : ", \\\n", variants[i].folder, curve_style(i, rows), variants[i].name);
  }
  return fmt::format("plot \\\n{}\n", curves);
}

std::string difference_plot(const std::vector<VariantRows>& variants, std::size_t rows) {
  std::string curves;
  for (std::size_t i = 1; i < variants.size(); ++i) {
    curves += fmt::format(
        "{}  \"{}/metrics.csv\" skip 1 every every_nth \\\n"
        "  using (trained($1, $2)):(difference(int($0) * every_nth + 1, $3)) \\\n"
        "  {} notitle",
        i == 1 ? "" : ", \\\n", variants[i].folder, curve_style(i, rows));
  }
  return fmt::format("plot \\\n{}\n", curves);
}

}  // namespace

std::string comparison_script(const std::vector<VariantRows>& variants,
                              std::int64_t windows_per_epoch) {
  const VariantRows& first = variants.front();
  const std::size_t rows = first.rows.size();
  const Differences differences = differences_of(variants);
  const PowerAxis axis(differences);
  std::string script = script_head(
      "losses",
      "The losses of the variants, and below the size of each later one's difference from the "
      "first.");
  script += window_axis(first.rows.back().epoch, windows_per_epoch, rows);
  script += fmt::format(
      "rows = {0}\n"
      "equal = 1e{1}  # where a row that has no difference is drawn\n"
      "\n"
      "# The first variant's losses; metrics.csv has 9 digits of them.\n"
      "array first[rows]\n"
      "stats \"{2}/metrics.csv\" skip 1 using (first[int($0) + 1] = $3) nooutput\n"
      "difference(row, loss) = loss == first[row] ? equal : abs(loss - first[row])\n"
      "\n"
      "set multiplot\n"
      "set lmargin at screen 0.14\n"
      "set rmargin at screen 0.96\n",
      rows, axis.equal, first.folder);
  script += fmt::format(
      "\n"
      "set tmargin at screen {:.3f}\n"
      "set bmargin at screen 0.56\n"
      "set format x \"\"\n"
      "set ytics {:g}\n"
      "set label 1 \"mean loss, nats\" at screen 0.03, graph 0.5 rotate center textcolor \"{}\"\n"
      "set key at screen 0.12, 0.985 left top Left reverse width 1 samplen 4 maxrows {} textcolor "
      "\"{}\"\n",
      0.96 - 0.045 * static_cast<double>(std::min(variants.size(), kMostKeyRows)),
      tic_step(loss_range(variants)), kInk.light, kMostKeyRows, kInk.light);
  script += loss_plot(variants, rows);
  script += fmt::format(
      "\n"
      "set tmargin at screen 0.45\n"
      "set bmargin at screen 0.15\n"
      "set format x \"%g\"\n"
      "set xlabel trained_unit offset 0, 0.4 textcolor \"{0}\"\n"
      "set label 1 \"nats\"\n"
      "set label \"difference from {1}{2}\" at graph 0, 1.12 textcolor \"{0}\"\n"
      "set logscale y\n"
      "set yrange [1e{3}:1e{4}]\n"
      "set format y \"%.0e\"\n"
      "set ytics 1e{5}, 1e{6}  # each so many times the one before\n",
      kInk.light, first.name, differences.has_zero ? "; 'equal': the same 9 digits" : "",
      differences.has_zero ? axis.equal - 1 : axis.lowest, axis.highest, axis.lowest, axis.step);
  if (differences.has_zero) {
    script += "set ytics add (\"equal\" equal)\n";
  }
  script += difference_plot(variants, rows);
  return script + "unset multiplot\n";
}

PictureText describe_comparison_picture(const std::vector<VariantRows>& variants) {
  const Differences differences = differences_of(variants);
  std::string names;
  for (const VariantRows& variant : variants) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", variant.name);
  }
  return {
      .title = "Losses of the variants, and their differences",
      .description = fmt::format(
          "Two line charts over {} rows of metrics.csv. Above, the mean losses of {}. Below, the "
          "size of each later variant's difference from the first, at most {:.3g} nats.",
          variants.front().rows.size(), names, differences.largest)};
}

std::string write_comparison_picture(const std::string& folder,
                                     const std::vector<std::string>& variant_names,
                                     std::int64_t windows_per_epoch) {
  std::vector<VariantRows> variants;
  variants.reserve(variant_names.size());
  for (const std::string& name : variant_names) {
    const std::string variant = variant_folder(name);
    const std::string path = fmt::format("{}/{}/metrics.csv", folder, variant);
    variants.push_back(
        {.name = name, .folder = variant, .rows = parse_metrics(read_file(path), path)});
  }
  return draw_picture(folder, "losses", comparison_script(variants, windows_per_epoch),
                      describe_comparison_picture(variants))
      .problem;
}

}  // namespace unroll
