// report.html: what a run came to, as one page that needs nothing but itself.
#pragma once

#include <string>

#include <unroll/report/gnuplot.h>
#include <unroll/run/summary.h>

namespace unroll {

/// The page of a run. `config` is config.json's text; the picture's SVG stands in the page, or why
/// there is none.
std::string report_page(const Summary& summary, const std::string& config, const Drawing& picture);

}  // namespace unroll
