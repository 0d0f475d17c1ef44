// Reads a user's own series from a CSV file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <unroll/data/series.h>

namespace unroll {

/// The largest class index that a CSV file may name: one-hot inputs and a softmax over more are not
/// what this is for.
constexpr std::int64_t kMaxClass = 65'535;

/// Parses a CSV text: the header `input,target`, then two integer class indices a line. LF or CRLF;
/// a UTF-8 byte order mark, a missing final newline and empty lines at the end are fine.
/// num_classes is the largest index found, plus one, and at least 2. `name` stands for the file in
/// errors.
/// @throws FileError naming the line and what was expected there.
Series parse_csv(std::string_view text, const std::string& name);

/// parse_csv of a file's content.
/// @throws FileError also if the file is missing, cannot be read, or is empty.
Series read_csv(const std::string& path);

}  // namespace unroll
