#include <unroll/report/training_report.h>

#include <vector>

#include <unroll/base/file.h>
#include <unroll/report/gnuplot.h>
#include <unroll/report/loss_picture.h>
#include <unroll/report/page.h>
#include <unroll/run/metrics.h>

namespace unroll {

std::string write_report(const Summary& summary) {
  const std::string& run = summary.run_directory;
  const std::string metrics = run + "/metrics.csv";
  const std::vector<MetricsRow> rows = parse_metrics(read_file(metrics), metrics);
  const Drawing picture =
      draw_picture(run, "loss", loss_script(summary, rows), describe_loss_picture(summary, rows));
  write_file(run + "/report.html", report_page(summary, read_file(run + "/config.json"), picture));
  return picture.problem;
}

}  // namespace unroll
