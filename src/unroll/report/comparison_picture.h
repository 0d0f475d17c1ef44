// The picture of a comparison: every variant's losses, and how far they are from the first one's.
#pragma once

#include <string>
#include <vector>

#include <unroll/report/gnuplot.h>
#include <unroll/run/metrics.h>

namespace unroll {

/// What a comparison's folder has of a variant.
struct VariantRows {
  std::string name;
  std::string folder;            ///< where its metrics.csv is, in the comparison's folder
  std::vector<MetricsRow> rows;  ///< what stands there; as many for every variant
};

/// The gnuplot script that draws the variants' metrics.csv. There are at least two, of at least one
/// row.
std::string comparison_script(const std::vector<VariantRows>& variants,
                              std::int64_t windows_per_epoch);

/// What that picture shows.
PictureText describe_comparison_picture(const std::vector<VariantRows>& variants);

/// Writes losses.gp and losses.svg into a comparison's folder, which has its variants' folders.
/// Gives what kept gnuplot from drawing, or nothing.
/// @throws FileError
std::string write_comparison_picture(const std::string& folder,
                                     const std::vector<std::string>& variant_names,
                                     std::int64_t windows_per_epoch);

}  // namespace unroll
