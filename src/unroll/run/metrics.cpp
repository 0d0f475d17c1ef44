#include <unroll/run/metrics.h>

#include <fmt/format.h>

namespace unroll {

std::string format_loss(double loss) { return fmt::format("{:.9g}", loss); }

MetricsFile::MetricsFile(const std::string& path) : file_(path) {
  file_.append("epoch,window,mean_loss,train_seconds\n");
}

void MetricsFile::append(const LogRow& row) {
  file_.append(fmt::format("{},{},{},{:.6f}\n", row.epoch, row.window, format_loss(row.mean_loss),
                           row.train_seconds));
}

}  // namespace unroll
