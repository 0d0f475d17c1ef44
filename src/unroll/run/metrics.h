// metrics.csv: a row for every log row, written as training goes.
#pragma once

#include <string>

#include <unroll/base/file.h>
#include <unroll/train/log_row.h>

namespace unroll {

/// A loss with 9 significant digits, enough to tell any two float32 values apart.
std::string format_loss(double loss);

class MetricsFile {
 public:
  /// Makes the file with its header.
  /// @throws FileError
  explicit MetricsFile(const std::string& path);

  /// Adds epoch, window, mean_loss (since the row before, in nats) and train_seconds (training so
  /// far).
  /// @throws FileError; the row is then not in the file, not even in part.
  void append(const LogRow& row);

  /// @throws FileError
  void sync() { file_.sync(); }

 private:
  AppendFile file_;
};

}  // namespace unroll
