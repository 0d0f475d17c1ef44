// What a finished sweep leaves for people: sweep.gp, sweep.svg and sweep.html.
#pragma once

#include <string>

#include <unroll/report/gnuplot.h>
#include <unroll/run/sweep_summary.h>

namespace unroll {

/// The page of a sweep. `config` is sweep.json's text; the picture's SVG stands in the page, or why
/// there is none.
std::string sweep_page(const SweepSummary& summary, const std::string& config,
                       const Drawing& picture);

/// Writes the three into the sweep's folder, whose sweep.json it reads. Gives what kept gnuplot
/// from drawing the picture, which is then not there, or nothing.
/// @throws FileError
std::string write_sweep_report(const SweepSummary& summary);

}  // namespace unroll
