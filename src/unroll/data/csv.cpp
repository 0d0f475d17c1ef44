#include <unroll/data/csv.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include <unroll/base/error.h>
#include <unroll/base/file.h>
#include <unroll/base/quote.h>

namespace unroll {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kHeader = "input,target";
constexpr std::size_t kLongestLine = 65'536;  // which leading zeros could fill

/// A file of another format: how it begins, what it is, and how to make a CSV file of it.
struct Foreign {
  std::string_view beginning;
  const char* format;
  const char* remedy;
};

constexpr std::array<Foreign, 6> kForeign = {{
    {"\xFF\xFE", "UTF-16 text", "iconv -f UTF-16 -t UTF-8 converts it"},
    {"\xFE\xFF", "UTF-16 text", "iconv -f UTF-16 -t UTF-8 converts it"},
    {"\x1F\x8B", "a gzip file", "gunzip unpacks it"},
    {"\xFD\x37zXZ", "an xz file", "unxz unpacks it"},
    {"\x28\xB5\x2F\xFD", "a zstd file", "unzstd unpacks it"},
    {"PK\x03\x04", "a zip file or a spreadsheet", "unpack it or export it as CSV"},
}};

bool is_blank(std::string_view line) {
  return line.find_first_not_of('\r') == std::string_view::npos;
}

}  // namespace

bool ends_integer(std::string_view rest) {
  return rest.empty() || (rest.size() > 1 && rest.front() == '.' &&
                          rest.find_first_not_of('0', 1) == std::string_view::npos);
}

void CsvParser::add(std::string_view piece, Series& rows) {
  for (std::size_t end = piece.find('\n'); end != std::string_view::npos; end = piece.find('\n')) {
    if (begun_.empty()) {
      take_line(piece.substr(0, end), rows);
    } else {
      begun_.append(piece.substr(0, end));
      take_line(begun_, rows);
      begun_.clear();
    }
    piece.remove_prefix(end + 1);
  }
  begun_.append(piece);
  if (begun_.size() > kLongestLine) {
    take_line(begun_, rows);  // says what is wrong with it
  }
}

void CsvParser::finish(Series& rows) {
  const bool is_only_mark = line_ == 0 && begun_ == kByteOrderMark;
  if (!begun_.empty() && !is_only_mark) {
    take_line(begun_, rows);
  }
  if (line_ == 0) {
    throw FileError(
        name_, fmt::format("is empty; expected the header '{}' and one row a symbol", kHeader));
  }
  if (!has_rows_) {
    throw FileError(name_, "has a header but no rows");
  }
}

void CsvParser::take_header(std::string_view line) const {
  for (const Foreign& foreign : kForeign) {
    if (line.starts_with(foreign.beginning)) {
      throw FileError(
          name_, fmt::format("is {}, expected CSV in UTF-8; {}", foreign.format, foreign.remedy));
    }
  }
  if (line.starts_with(kByteOrderMark)) {
    line.remove_prefix(kByteOrderMark.size());
  }
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  if (line != kHeader) {
    fail(fmt::format("expected the header '{}', got {}", kHeader, in_quotes(line)));
  }
}

void CsvParser::take_line(std::string_view line, Series& rows) {
  ++line_;
  if (line_ == 1) {
    take_header(line);
  } else if (line.size() > kLongestLine) {
    fail(fmt::format("expected 2 columns ({}), got a line of more than {} bytes", kHeader,
                     kLongestLine));
  } else if (is_blank(line)) {
    ++blank_lines_;
  } else {
    take_row(line, rows);
  }
}

void CsvParser::take_row(std::string_view line, Series& rows) {
  if (blank_lines_ > 0) {
    line_ -= blank_lines_;
    fail(fmt::format("expected 2 columns ({}), got an empty line", kHeader));
  }
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  const auto columns = std::count(line.begin(), line.end(), ',') + 1;
  if (columns != 2) {
    fail(fmt::format("expected 2 columns ({}), got {}", kHeader, columns));
  }
  const std::size_t comma = line.find(',');
  const std::int64_t input = parse_class(line.substr(0, comma), "input");
  const std::int64_t target = parse_class(line.substr(comma + 1), "target");
  rows.inputs.push_back(input);
  rows.targets.push_back(target);
  rows.num_classes = std::max({rows.num_classes, input + 1, target + 1});
  has_rows_ = true;
}

std::int64_t CsvParser::parse_class(std::string_view field, std::string_view column) const {
  std::int64_t value = 0;
  const char* last = field.data() + field.size();
  const auto [end, error] = std::from_chars(field.data(), last, value);
  if (error == std::errc::invalid_argument || !ends_integer({end, last})) {
    fail(fmt::format("{} must be an integer class, got {}", column, in_quotes(field)));
  }
  if (error == std::errc::result_out_of_range || value < 0 || value > kMaxClass) {
    fail(fmt::format("{} must be a class from 0 to {}, got {}", column, kMaxClass,
                     in_quotes(field)));
  }
  return value;
}

void CsvParser::fail(const std::string& problem) const {
  throw FileError(fmt::format("{}:{}", name_, line_), problem);
}

Series parse_csv(std::string_view text, const std::string& name) {
  CsvParser parser(name);
  Series series;
  parser.add(text, series);
  parser.finish(series);
  return series;
}

Series read_csv(const std::string& path) { return parse_csv(read_file(path), path); }

}  // namespace unroll
