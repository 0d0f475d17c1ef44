#include <unroll/data/series_file.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include <unroll/base/error.h>
#include <unroll/base/sha256.h>

namespace unroll {
namespace {

constexpr std::size_t kPieceBytes = 32'768;  // small enough for the nearest cache

/// What is read at a time.
struct Piece {
  alignas(std::uint16_t)
      std::array<char, kPieceBytes> bytes;  // NOLINT(cppcoreguidelines-pro-type-member-init):
                                            // read_at() fills it
};

/// Takes `count` pairs apart, and gives the largest symbol.
template <class Symbol>
Symbol decode(const char* bytes, std::int64_t count, std::int64_t* inputs, std::int64_t* targets) {
  const auto* symbols = reinterpret_cast<const Symbol*>(bytes);
  // Two loops, of each of which the compiler makes SIMD code.
  for (std::int64_t i = 0; i < count; ++i) {
    inputs[i] = symbols[2 * i];
    targets[i] = symbols[2 * i + 1];
  }
  Symbol largest = 0;
  for (std::int64_t i = 0; i < 2 * count; ++i) {
    largest = std::max(largest, symbols[i]);
  }
  return largest;
}

[[noreturn]] void fail_for_symbol(const std::string& path, const char* kind, std::int64_t place,
                                  std::int64_t symbol, std::int64_t num_classes) {
  throw FileError(path, fmt::format("is damaged: {} {} is {}, and its header says {} classes", kind,
                                    place, symbol, num_classes));
}

/// Throws FileError naming the first symbol that is outside the classes.
void find_bad_symbol(const std::string& path, std::int64_t first, std::int64_t count,
                     const std::int64_t* inputs, const std::int64_t* targets,
                     std::int64_t num_classes) {
  for (std::int64_t i = 0; i < count; ++i) {
    if (inputs[i] >= num_classes) {
      fail_for_symbol(path, "input", first + i, inputs[i], num_classes);
    }
    if (targets[i] >= num_classes) {
      fail_for_symbol(path, "target", first + i, targets[i], num_classes);
    }
  }
}

/// The header's bytes, fewer if the file has fewer.
std::string read_header(const InputFile& file) {
  std::string bytes(static_cast<std::size_t>(SeriesHeader::kBytes), '\0');
  bytes.resize(file.read_at(0, bytes));
  return bytes;
}

}  // namespace

bool is_series_file(const std::string& path) {
  std::error_code ignored;  // of what cannot be looked at, whoever opens it will tell
  if (!std::filesystem::is_regular_file(path, ignored)) {
    return false;
  }
  return begins_series_file(read_header(InputFile(path)));
}

SeriesFile::SeriesFile(const std::string& path) : file_(path) {
  const std::string bytes = read_header(file_);
  header_ = parse_series_header(bytes, file_.size().value_or(0), path);
  digest_ = to_hex(std::string_view(bytes).substr(SeriesHeader::kDigestOffset, Sha256::kBytes));
}

void SeriesFile::read(std::int64_t first, std::int64_t count, std::int64_t* inputs,
                      std::int64_t* targets) const {
  if (first < 0 || count < 0 || first > length() - count) {
    throw std::out_of_range(
        fmt::format("{} symbols from {} on of a series of {}", count, first, length()));
  }
  const std::int64_t pair_bytes = header_.pair_bytes();
  const std::int64_t most = static_cast<std::int64_t>(kPieceBytes) / pair_bytes;
  Piece piece;
  while (count > 0) {
    const std::int64_t now = std::min(count, most);
    const std::span<char> bytes(piece.bytes.data(), static_cast<std::size_t>(now * pair_bytes));
    if (file_.read_at(SeriesHeader::kBytes + first * pair_bytes, bytes) != bytes.size()) {
      throw FileError(file_.path(), "has become shorter since it was opened");
    }
    const std::int64_t largest = header_.symbol_bytes() == 1
                                     ? decode<std::uint8_t>(bytes.data(), now, inputs, targets)
                                     : decode<std::uint16_t>(bytes.data(), now, inputs, targets);
    if (largest >= num_classes()) {
      find_bad_symbol(file_.path(), first, now, inputs, targets, num_classes());
    }
    first += now;
    count -= now;
    inputs += now;
    targets += now;
  }
}

void SeriesFile::check_digest() const {
  std::string block(kPieceBytes, '\0');
  Sha256 sha256;
  std::int64_t offset = SeriesHeader::kBytes;
  while (const std::size_t count = file_.read_at(offset, block)) {
    sha256.add(std::string_view(block).substr(0, count));
    offset += static_cast<std::int64_t>(count);
  }
  const auto header = series_header_bytes(header_);
  sha256.add({header.data(), header.size()});
  if (to_hex(sha256.finish()) != digest_) {
    throw FileError(file_.path(), "is damaged: its SHA-256 is not that of its header");
  }
}

}  // namespace unroll
