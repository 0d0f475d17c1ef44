// The binary form of a series, for one that does not fit in memory: a header, then the symbols.
// Every number is little-endian.
//
//     byte 0    8 bytes   89 55 4E 52 4F 4C 4C 0A: the byte 0x89, "UNROLL", a newline
//          8    4 bytes   the form's version, 1
//         12    4 bytes   num_classes, C: 2 to 65,536
//         16    8 bytes   the length, N: at least 1
//         24    8 bytes   zeros
//         32   32 bytes   SHA-256 of all bytes from byte 64 on, followed by the bytes 0 to 31
//         64   X_0 Y_0 X_1 Y_1 .. X_{N-1} Y_{N-1}, each in [0, C): of one byte if C is at most 256,
//              else of two
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace unroll {

/// What a series' header says, but for the digest.
struct SeriesHeader {
  static constexpr std::int64_t kBytes = 64;
  static constexpr std::int64_t kDigestOffset = 32;
  static constexpr std::int64_t kMostClasses = 65'536;  // that two bytes tell apart

  std::int64_t num_classes = 2;
  std::int64_t length = 0;

  /// Bytes of a symbol, 1 or 2.
  [[nodiscard]] std::int64_t symbol_bytes() const { return num_classes <= 256 ? 1 : 2; }

  /// Bytes of an input with its target.
  [[nodiscard]] std::int64_t pair_bytes() const { return 2 * symbol_bytes(); }
};

/// Whether a file that begins with these bytes is, or claims to be, a series in its binary form.
bool begins_series_file(std::string_view bytes);

/// Reads a header from a file's first kBytes bytes, or from all that it has. `name` stands for the
/// file in errors.
/// @throws FileError unless it is a header, of a file of `file_bytes`
SeriesHeader parse_series_header(std::string_view bytes, std::int64_t file_bytes,
                                 const std::string& name);

/// A header's bytes before the digest.
std::array<char, SeriesHeader::kDigestOffset> series_header_bytes(const SeriesHeader& header);

}  // namespace unroll
