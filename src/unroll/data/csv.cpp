#include <unroll/data/csv.h>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include <unroll/base/error.h>
#include <unroll/base/file.h>
#include <unroll/base/quote.h>

namespace unroll {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kHeader = "input,target";

/// Walks a text line by line and knows where it is.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  /// Whether a line was left; `line` is it, without its LF or CRLF.
  bool next(std::string_view& line) {
    if (rest_.empty()) {
      return false;
    }
    ++number_;
    const std::size_t end = rest_.find('\n');
    line = rest_.substr(0, end);
    rest_ = end == std::string_view::npos ? std::string_view() : rest_.substr(end + 1);
    if (!line.empty() && line.back() == '\r') {
      line.remove_suffix(1);
    }
    return true;
  }

  /// The last line's number, from 1.
  [[nodiscard]] std::int64_t number() const { return number_; }

  /// Whether only line ends are left.
  [[nodiscard]] bool only_blank_left() const {
    return rest_.find_first_not_of("\r\n") == std::string_view::npos;
  }

 private:
  std::string_view rest_;
  std::int64_t number_ = 0;
};

}  // namespace

Series parse_csv(std::string_view text, const std::string& name) {
  if (text.starts_with(kByteOrderMark)) {
    text.remove_prefix(kByteOrderMark.size());
  }
  Lines lines(text);
  const auto fail = [&](const std::string& problem) {
    throw FileError(fmt::format("{}:{}", name, lines.number()), problem);
  };
  const auto parse_class = [&](std::string_view field, std::string_view column) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (error == std::errc::invalid_argument || end != field.data() + field.size()) {
      fail(fmt::format("{} must be an integer class, got {}", column, in_quotes(field)));
    }
    if (error == std::errc::result_out_of_range || value < 0 || value > kMaxClass) {
      fail(fmt::format("{} must be a class from 0 to {}, got {}", column, kMaxClass,
                       in_quotes(field)));
    }
    return value;
  };

  std::string_view line;
  if (!lines.next(line)) {
    throw FileError(
        name, fmt::format("is empty; expected the header '{}' and one row a symbol", kHeader));
  }
  if (line != kHeader) {
    fail(fmt::format("expected the header '{}', got {}", kHeader, in_quotes(line)));
  }
  Series series;
  while (!lines.only_blank_left() && lines.next(line)) {
    const auto columns = std::count(line.begin(), line.end(), ',') + 1;
    if (columns != 2) {
      fail(fmt::format("expected 2 columns ({}), got {}", kHeader,
                       line.empty() ? "an empty line" : fmt::to_string(columns)));
    }
    const std::size_t comma = line.find(',');
    series.inputs.push_back(parse_class(line.substr(0, comma), "input"));
    series.targets.push_back(parse_class(line.substr(comma + 1), "target"));
  }
  if (series.inputs.empty()) {
    throw FileError(name, "has a header but no rows");
  }
  const auto largest = [](const std::vector<std::int64_t>& values) {
    return *std::max_element(values.begin(), values.end());
  };
  series.num_classes =
      std::max({largest(series.inputs), largest(series.targets), std::int64_t{1}}) + 1;
  return series;
}

Series read_csv(const std::string& path) { return parse_csv(read_file(path), path); }

}  // namespace unroll
