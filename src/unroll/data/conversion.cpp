#include <unroll/data/conversion.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <span>
#include <string_view>

#include <unroll/base/file.h>
#include <unroll/base/sha256.h>
#include <unroll/data/class_set.h>
#include <unroll/data/csv.h>

namespace unroll {
namespace {

constexpr std::size_t kBlockBytes = 1 << 18;
constexpr std::chrono::milliseconds kPatience(100);

/// The symbols, input and target in turns, as bytes of the file.
std::string encode(const Series& rows, std::int64_t symbol_bytes) {
  const auto width = static_cast<std::size_t>(symbol_bytes);
  std::string bytes(2 * width * rows.inputs.size(), '\0');
  char* place = bytes.data();
  const auto put = [&](std::int64_t symbol) {
    *place++ = static_cast<char>(symbol & 0xFF);
    if (width == 2) {
      *place++ = static_cast<char>(symbol >> 8);
    }
  };
  for (std::size_t i = 0; i < rows.inputs.size(); ++i) {
    put(rows.inputs[i]);
    put(rows.targets[i]);
  }
  return bytes;
}

/// A file of symbols that grows behind a header which is known when they end.
class SymbolsFile {
 public:
  explicit SymbolsFile(const std::string& path) : file_(path) {
    file_.write(std::string(static_cast<std::size_t>(SeriesHeader::kBytes), '\0'));
  }

  [[nodiscard]] const WholeFile& file() const { return file_; }

  void add(std::string_view bytes) {
    file_.write(bytes);
    sha256_.add(bytes);
  }

  /// Gives the file its header and its name, and the digest.
  std::string publish(const SeriesHeader& header) {
    const auto bytes = series_header_bytes(header);
    const std::string_view start(bytes.data(), bytes.size());
    sha256_.add(start);
    const Sha256::Digest digest = sha256_.finish();
    file_.write_over_start(std::string(start).append(digest.begin(), digest.end()));
    file_.finish();
    file_.publish();
    return to_hex(digest);
  }

 private:
  WholeFile file_;
  Sha256 sha256_;
};

/// Writes the binary form of rows that come block by block. Their number and classes are known when
/// the last has come; symbols have one byte until one comes that needs two.
class SeriesWriter {
 public:
  explicit SeriesWriter(std::string path)
      : path_(std::move(path)), symbols_(std::make_unique<SymbolsFile>(path_)) {}

  /// `rows.num_classes` is that of all rows so far.
  void add(const Series& rows) {
    const std::int64_t symbol_bytes = header_.symbol_bytes();
    header_.num_classes = rows.num_classes;
    header_.length += rows.length();
    if (header_.symbol_bytes() > symbol_bytes) {
      widen();
    }
    symbols_->add(encode(rows, header_.symbol_bytes()));
    classes_.add(rows);
  }

  Conversion publish() {
    return {.header = header_,
            .sha256 = symbols_->publish(header_),
            .class_gaps = classes_.describe_gaps()};
  }

 private:
  /// Writes anew, with two bytes each, the symbols that have been written with one.
  void widen() {
    auto wide = std::make_unique<SymbolsFile>(path_);
    const InputFile narrow(symbols_->file().temporary());
    std::string bytes(kBlockBytes, '\0');
    std::string wide_bytes;
    std::int64_t offset = SeriesHeader::kBytes;
    while (const std::size_t count = narrow.read_at(offset, bytes)) {
      wide_bytes.assign(2 * count, '\0');
      for (std::size_t i = 0; i < count; ++i) {
        wide_bytes[2 * i] = bytes[i];
      }
      wide->add(wide_bytes);
      offset += static_cast<std::int64_t>(count);
    }
    symbols_ = std::move(wide);
  }

  std::string path_;
  std::unique_ptr<SymbolsFile> symbols_;
  SeriesHeader header_;
  ClassSet classes_;
};

}  // namespace

std::optional<Conversion> convert_csv(const std::string& source, const std::string& output,
                                      const ConversionProgress& progress) {
  InputFile csv(source);
  CsvParser parser(source);
  SeriesWriter writer(output);
  Series rows;
  const auto write_rows = [&] {
    writer.add(rows);
    rows.inputs.clear();
    rows.targets.clear();
  };
  std::string block(kBlockBytes, '\0');
  std::int64_t done = 0;
  std::size_t count = 0;
  do {
    while (!csv.is_ready(kPatience)) {  // a pipe, at whose other end something takes its time
      if (!progress(done)) {
        return std::nullopt;
      }
    }
    count = csv.read(block);
    parser.add(std::string_view(block).substr(0, count), rows);
    write_rows();
    done += static_cast<std::int64_t>(count);
    if (!progress(done)) {
      return std::nullopt;
    }
  } while (count > 0);
  parser.finish(rows);
  write_rows();
  return writer.publish();
}

}  // namespace unroll
