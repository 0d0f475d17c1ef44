// Makes the binary form of a series (series_header.h) from a CSV file, in little memory.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <unroll/data/series_header.h>

namespace unroll {

/// What a conversion made.
struct Conversion {
  SeriesHeader header;
  std::string sha256;      ///< the header's, in hexadecimal digits
  std::string class_gaps;  ///< which of the header's classes occur, in words; empty if all do
};

/// Is told after every few thousand lines how many bytes of the CSV file are done, and says whether
/// to go on.
using ConversionProgress = std::function<bool(std::int64_t bytes)>;

/// Reads the CSV file `source` once, which may be a pipe, and writes the file `output`, which
/// appears whole or not at all. Classes are as parse_csv counts them. None if `progress` says stop;
/// nothing is left then.
/// @throws FileError as read_csv, or if the output cannot be written
std::optional<Conversion> convert_csv(const std::string& source, const std::string& output,
                                      const ConversionProgress& progress);

}  // namespace unroll
