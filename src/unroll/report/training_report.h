// What a finished run leaves for people: loss.gp, loss.svg and report.html.
#pragma once

#include <string>

#include <unroll/run/summary.h>

namespace unroll {

/// Writes the three into the run directory, whose config.json and metrics.csv it reads. Gives what
/// kept gnuplot from drawing the picture, which is then not there, or nothing.
/// @throws FileError
std::string write_report(const Summary& summary);

}  // namespace unroll
