// metrics.csv: a row for every log row, written as training goes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <unroll/base/file.h>
#include <unroll/train/log_row.h>

namespace unroll {

/// A loss with 9 significant digits, enough to tell any two float32 values apart.
std::string format_loss(double loss);

/// The first line of a metrics.csv.
inline constexpr std::string_view kMetricsHeader = "epoch,window,mean_loss,train_seconds\n";

/// A row of a metrics.csv.
struct MetricsRow {
  std::int64_t epoch;
  std::int64_t window;
  double mean_loss;
  double train_seconds;
  std::int64_t end;  ///< of its line, in bytes from the start of the file
};

/// Reads the text of a metrics.csv. What follows the last line's end, as a crash may leave it, is
/// not read. `name` stands for the file in errors.
/// @throws FileError naming the line that is no row, or does not follow the row before
std::vector<MetricsRow> parse_metrics(std::string_view text, const std::string& name);

/// The rows before the first line that is none.
/// @throws FileError if the header is not there
std::vector<MetricsRow> parse_first_metrics(std::string_view text, const std::string& name);

/// The row that ends after so many windows over all epochs; for 0 the place behind the header. None
/// if there is no such row.
std::optional<MetricsRow> find_row(const std::vector<MetricsRow>& rows,
                                   std::int64_t windows_per_epoch, std::int64_t windows);

class MetricsFile {
 public:
  /// Makes the file with its header.
  /// @throws FileError
  explicit MetricsFile(const std::string& path);
  /// Goes on with a file of which only the first `bytes` stay.
  /// @throws FileError
  MetricsFile(const std::string& path, std::int64_t bytes);

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
