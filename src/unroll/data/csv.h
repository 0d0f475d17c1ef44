// Reads a user's own series from a CSV file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <unroll/data/series.h>
#include <unroll/data/series_header.h>

namespace unroll {

/// The largest class index that a CSV file may name: one-hot inputs and a softmax over more are not
/// what this is for.
constexpr std::int64_t kMaxClass = SeriesHeader::kMostClasses - 1;

/// Whether a number whose digits this follows is an integer: nothing follows, or a point and zeros,
/// as pandas writes the classes of a column with gaps as 0.0 and 1.0.
bool ends_integer(std::string_view rest);

/// Parses a CSV text that comes piece by piece: the header `input,target`, then two integer class
/// indices a line, also written 1.0. LF or CRLF; a UTF-8 byte order mark, a missing final newline
/// and empty lines at the end are fine. Keeps no more of the text than the line that a piece ended
/// in.
class CsvParser {
 public:
  /// `name` stands for the file in errors.
  explicit CsvParser(std::string name) : name_(std::move(name)) {}

  /// Adds the rows that are complete with the next piece, wherever the text is cut, and raises
  /// rows.num_classes to the largest index so far, plus one.
  /// @throws FileError naming the line and what was expected there
  void add(std::string_view piece, Series& rows);

  /// Ends the text: adds the row of a last line without a newline.
  /// @throws FileError also if the text had no rows
  void finish(Series& rows);

 private:
  void take_header(std::string_view line) const;
  void take_line(std::string_view line, Series& rows);
  void take_row(std::string_view line, Series& rows);
  [[nodiscard]] std::int64_t parse_class(std::string_view field, std::string_view column) const;
  [[noreturn]] void fail(const std::string& problem) const;

  std::string name_;
  std::string begun_;             // the line that the last piece ended in
  std::int64_t line_ = 0;         // the last whole line's number, from 1
  std::int64_t blank_lines_ = 0;  // the last lines that are blank, which may stand at the end only
  bool has_rows_ = false;
};

/// Parses a whole CSV text. num_classes is the largest index found, plus one, and at least 2.
/// `name` stands for the file in errors.
/// @throws FileError naming the line and what was expected there.
Series parse_csv(std::string_view text, const std::string& name);

/// parse_csv of a file's content.
/// @throws FileError also if the file is missing, cannot be read, or is empty.
Series read_csv(const std::string& path);

}  // namespace unroll
