#include <unroll/run/metrics.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <system_error>

#include <unroll/base/error.h>

namespace unroll {
namespace {

/// The number that all of `text` is; whether it is one.
template <class Number>
bool parse_number(std::string_view text, Number& number) {
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  return error == std::errc() && end == last;
}

/// The row that a line is; whether it is one.
bool parse_row(std::string_view line, MetricsRow& row) {
  std::array<std::string_view, 4> fields;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::size_t end = i + 1 < fields.size() ? line.find(',') : line.size();
    if (end == std::string_view::npos) {
      return false;
    }
    fields[i] = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return parse_number(fields[0], row.epoch) && parse_number(fields[1], row.window) &&
         parse_number(fields[2], row.mean_loss) && parse_number(fields[3], row.train_seconds) &&
         std::isfinite(row.mean_loss) && std::isfinite(row.train_seconds);
}

bool follows(const MetricsRow& row, const MetricsRow& before) {
  return row.epoch == before.epoch ? row.window > before.window
                                   : row.epoch == before.epoch + 1 && row.window >= 1;
}

}  // namespace

std::string format_loss(double loss) { return fmt::format("{:.9g}", loss); }

std::vector<MetricsRow> parse_metrics(std::string_view text, const std::string& name) {
  std::vector<MetricsRow> rows = parse_first_metrics(text, name);
  const std::size_t end =
      rows.empty() ? kMetricsHeader.size() : static_cast<std::size_t>(rows.back().end);
  if (text.find('\n', end) != std::string_view::npos) {
    throw FileError(name, fmt::format("line {}: expected the next epoch,window,mean_loss,"
                                      "train_seconds",
                                      rows.size() + 2));
  }
  return rows;
}

std::vector<MetricsRow> parse_first_metrics(std::string_view text, const std::string& name) {
  if (!text.starts_with(kMetricsHeader)) {
    throw FileError(name, fmt::format("line 1: expected {}",
                                      kMetricsHeader.substr(0, kMetricsHeader.size() - 1)));
  }
  constexpr std::size_t kShortestRow = 8;  // "1,1,1,1" and its newline
  std::vector<MetricsRow> rows;
  rows.reserve(std::min(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')),
                        text.size() / kShortestRow));
  MetricsRow before = {};
  std::size_t begin = kMetricsHeader.size();
  for (std::size_t end = 0; (end = text.find('\n', begin)) != std::string_view::npos;
       begin = end + 1) {
    MetricsRow row = {};
    if (!parse_row(text.substr(begin, end - begin), row) || !follows(row, before)) {
      break;
    }
    row.end = static_cast<std::int64_t>(end) + 1;
    rows.push_back(row);
    before = row;
  }
  return rows;
}

std::optional<MetricsRow> find_row(const std::vector<MetricsRow>& rows,
                                   std::int64_t windows_per_epoch, std::int64_t windows) {
  if (windows == 0) {
    return MetricsRow{.epoch = 0,
                      .window = 0,
                      .mean_loss = 0.0,
                      .train_seconds = 0.0,
                      .end = static_cast<std::int64_t>(kMetricsHeader.size())};
  }
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const MetricsRow& candidate) {
    return (candidate.epoch - 1) * windows_per_epoch + candidate.window == windows;
  });
  return row == rows.end() ? std::nullopt : std::optional(*row);
}

MetricsFile::MetricsFile(const std::string& path) : file_(path) {
  sync_name(path);
  file_.append(kMetricsHeader);
}

MetricsFile::MetricsFile(const std::string& path, std::int64_t bytes) : file_(path, bytes) {}

void MetricsFile::append(const LogRow& row) {
  file_.append(fmt::format("{},{},{},{:.6f}\n", row.epoch, row.window, format_loss(row.mean_loss),
                           row.train_seconds));
}

}  // namespace unroll
