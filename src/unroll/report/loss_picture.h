// The picture of a run: its losses against the windows trained, and the floors.
#pragma once

#include <string>
#include <vector>

#include <unroll/report/gnuplot.h>
#include <unroll/run/metrics.h>
#include <unroll/run/summary.h>

namespace unroll {

/// The gnuplot script that draws a run directory's metrics.csv. `rows` are what stands in it, at
/// least one.
std::string loss_script(const Summary& summary, const std::vector<MetricsRow>& rows);

/// What that picture shows.
PictureText describe_loss_picture(const Summary& summary, const std::vector<MetricsRow>& rows);

/// The heights at which labels stand that belong at the heights `wanted`, the highest first: apart
/// by `gap` at least, and, as far as there is room, between `bottom` and `top`.
std::vector<double> spread_labels(std::vector<double> wanted, double gap, double bottom,
                                  double top);

}  // namespace unroll
