// A series in its binary form (series_header.h), read piece by piece and never as a whole.
#pragma once

#include <cstdint>
#include <string>

#include <unroll/base/file.h>
#include <unroll/data/series_header.h>

namespace unroll {

/// Whether this is a regular file that begins as a series in its binary form does.
/// @throws FileError if there is a regular file that cannot be read
bool is_series_file(const std::string& path);

/// An open file, of which nothing is trusted: it may be cut, damaged, or change while it is read.
/// It is read by pread and not mapped: a mapped file that shrinks kills the process with SIGBUS,
/// and its pages count as the process's memory.
class SeriesFile {
 public:
  /// Reads the header only.
  /// @throws FileError
  explicit SeriesFile(const std::string& path);

  [[nodiscard]] std::int64_t length() const { return header_.length; }

  /// Every symbol that read() gives lies in [0, num_classes).
  [[nodiscard]] std::int64_t num_classes() const { return header_.num_classes; }

  /// The SHA-256 that the header has, in hexadecimal digits: stands for the symbols, their number
  /// and the classes.
  [[nodiscard]] const std::string& digest() const { return digest_; }

  /// The symbols first .. first + count - 1, into places for `count` of each.
  /// @throws std::out_of_range; FileError if the file has become shorter, or naming the place of a
  /// symbol that is none of the classes
  void read(std::int64_t first, std::int64_t count, std::int64_t* inputs,
            std::int64_t* targets) const;

  /// Reads the whole file, and checks its digest.
  /// @throws FileError
  void check_digest() const;

 private:
  InputFile file_;
  SeriesHeader header_;
  std::string digest_;
};

}  // namespace unroll
