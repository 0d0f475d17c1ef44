#include <unroll/data/series_header.h>

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include <unroll/base/error.h>

namespace unroll {
namespace {

static_assert(std::endian::native == std::endian::little, "series files are little-endian");

constexpr std::string_view kMagic = "\x89UNROLL\n";
constexpr std::uint32_t kFormatVersion = 1;
constexpr std::size_t kVersionOffset = 8;
constexpr std::size_t kClassesOffset = 12;
constexpr std::size_t kLengthOffset = 16;
constexpr std::size_t kZerosOffset = 24;

template <class Number>
Number number_at(std::string_view bytes, std::size_t offset) {
  Number number = 0;
  std::memcpy(&number, bytes.data() + offset, sizeof number);
  return number;
}

template <class Number>
void put(std::span<char> bytes, std::size_t offset, Number number) {
  std::memcpy(bytes.data() + offset, &number, sizeof number);
}

}  // namespace

bool begins_series_file(std::string_view bytes) { return bytes.starts_with(kMagic); }

SeriesHeader parse_series_header(std::string_view bytes, std::int64_t file_bytes,
                                 const std::string& name) {
  if (!begins_series_file(bytes)) {
    throw FileError(name, "is no series in binary form: its first bytes are others");
  }
  if (bytes.size() < static_cast<std::size_t>(SeriesHeader::kBytes)) {
    throw FileError(name, fmt::format("ends within its header, which has {} bytes; it has {}",
                                      SeriesHeader::kBytes, bytes.size()));
  }
  if (const auto version = number_at<std::uint32_t>(bytes, kVersionOffset);
      version != kFormatVersion) {
    throw FileError(
        name, fmt::format("is of version {} of the binary form; only version {} is known", version,
                          kFormatVersion));
  }
  const std::int64_t num_classes = number_at<std::uint32_t>(bytes, kClassesOffset);
  if (num_classes < 2 || num_classes > SeriesHeader::kMostClasses) {
    throw FileError(name, fmt::format("must have from 2 to {} classes, its header says {}",
                                      SeriesHeader::kMostClasses, num_classes));
  }
  if (number_at<std::uint64_t>(bytes, kZerosOffset) != 0) {
    throw FileError(name,
                    fmt::format("must have zeros in its header from byte {} on", kZerosOffset));
  }
  SeriesHeader header = {.num_classes = num_classes, .length = 0};
  const auto length = number_at<std::uint64_t>(bytes, kLengthOffset);
  const std::int64_t symbols_bytes = file_bytes - SeriesHeader::kBytes;
  const std::int64_t pairs = symbols_bytes / header.pair_bytes();
  if (length == 0 || length != static_cast<std::uint64_t>(pairs) ||
      symbols_bytes % header.pair_bytes() != 0) {
    throw FileError(name,
                    fmt::format("must have {} bytes for each of the {} symbols that its header "
                                "says, after {} of header; it has {} bytes",
                                header.pair_bytes(), length, SeriesHeader::kBytes, file_bytes));
  }
  header.length = pairs;
  return header;
}

std::array<char, SeriesHeader::kDigestOffset> series_header_bytes(const SeriesHeader& header) {
  std::array<char, SeriesHeader::kDigestOffset> bytes = {};
  std::copy(kMagic.begin(), kMagic.end(), bytes.begin());
  put(bytes, kVersionOffset, kFormatVersion);
  put(bytes, kClassesOffset, static_cast<std::uint32_t>(header.num_classes));
  put(bytes, kLengthOffset, static_cast<std::uint64_t>(header.length));
  return bytes;
}

}  // namespace unroll
