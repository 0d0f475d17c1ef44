#include <unroll/run/safetensors.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <utility>

#include <unroll/base/error.h>
#include <unroll/base/quote.h>
#include <unroll/run/json.h>

namespace unroll {
namespace {

using Header = nlohmann::json;

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

constexpr std::size_t kLengthBytes = sizeof(std::uint64_t);
constexpr std::size_t kAlignment = 8;
constexpr std::string_view kMetadata = "__metadata__";

constexpr std::array<std::pair<std::string_view, std::uint64_t>, 13> kDtypeSizes = {{{"F64", 8},
                                                                                     {"F32", 4},
                                                                                     {"F16", 2},
                                                                                     {"BF16", 2},
                                                                                     {"I64", 8},
                                                                                     {"I32", 4},
                                                                                     {"I16", 2},
                                                                                     {"I8", 1},
                                                                                     {"U64", 8},
                                                                                     {"U32", 4},
                                                                                     {"U16", 2},
                                                                                     {"U8", 1},
                                                                                     {"BOOL", 1}}};

/// Bytes of a tensor, or nothing if the dtype is unknown or the size overflows.
std::optional<std::uint64_t> byte_size(std::string_view dtype,
                                       const std::vector<std::int64_t>& shape) {
  const auto* entry = std::find_if(kDtypeSizes.begin(), kDtypeSizes.end(),
                                   [dtype](const auto& known) { return known.first == dtype; });
  if (entry == kDtypeSizes.end()) {
    return std::nullopt;
  }
  std::uint64_t size = entry->second;
  for (const std::int64_t extent : shape) {
    if (__builtin_mul_overflow(size, static_cast<std::uint64_t>(extent), &size)) {
      return std::nullopt;
    }
  }
  return size;
}

/// Where a tensor's bytes lie, from the end of the header.
struct Extent {
  std::uint64_t begin;
  std::uint64_t end;
  std::string tensor;
};

/// Reads one file; a class so that every error knows the file's name.
class Parser {
 public:
  Parser(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  SafeTensorsFile parse() {
    const Header header = parse_header();
    SafeTensorsFile file;
    std::vector<Extent> extents;
    for (const auto& [tensor, entry] : header.items()) {
      if (tensor == kMetadata) {
        check_metadata(entry);
        file.metadata = entry.get<std::map<std::string, std::string>>();
      } else {
        extents.push_back(parse_extent(tensor, entry));
      }
    }
    check_extents(extents);  // before a byte is copied, so that copies cannot outgrow the file
    for (const Extent& extent : extents) {
      file.tensors[extent.tensor] = parse_tensor(extent, header[extent.tensor]);
    }
    return file;
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const { throw FileError(name_, problem); }

  Header parse_header() {
    if (bytes_.size() < kLengthBytes) {
      fail(fmt::format("is not a safetensors file: {} bytes, expected at least {}", bytes_.size(),
                       kLengthBytes));
    }
    std::uint64_t length = 0;
    std::memcpy(&length, bytes_.data(), kLengthBytes);
    if (length > bytes_.size() - kLengthBytes) {
      fail(fmt::format(
          "is truncated or not a safetensors file: its header claims {} bytes, {} are left", length,
          bytes_.size() - kLengthBytes));
    }
    data_ = bytes_.substr(kLengthBytes + length);
    const std::string_view text = bytes_.substr(kLengthBytes, length);
    // The format wants an object from the first byte on, and nothing after it but spaces. The JSON
    // library takes a NUL byte for the end.
    if (!text.starts_with('{') || !text.substr(0, text.find_last_not_of(' ') + 1).ends_with('}') ||
        text.find('\0') != std::string_view::npos) {
      fail("is not a safetensors file: its header is no JSON object");
    }
    return parse_json(text, name_, "its header");
  }

  void check_metadata(const Header& metadata) const {
    const auto is_text = [](const Header& value) { return value.is_string(); };
    if (!metadata.is_object() || !std::all_of(metadata.begin(), metadata.end(), is_text)) {
      fail(fmt::format("has a {} that is no object of texts", kMetadata));
    }
  }

  [[nodiscard]] Extent parse_extent(const std::string& tensor, const Header& entry) const {
    const auto is_offset = [](const Header& value) { return value.is_number_unsigned(); };
    const Header offsets = entry.is_object() ? entry.value("data_offsets", Header()) : Header();
    if (!offsets.is_array() || offsets.size() != 2 ||
        !std::all_of(offsets.begin(), offsets.end(), is_offset)) {
      fail(fmt::format("{} must have data_offsets of two integers", printable(tensor)));
    }
    Extent extent = {offsets[0].get<std::uint64_t>(), offsets[1].get<std::uint64_t>(), tensor};
    if (extent.begin > extent.end || extent.end > data_.size()) {
      fail(fmt::format("is truncated or lies about its size: {} claims bytes {} to {} of {}",
                       printable(tensor), extent.begin, extent.end, data_.size()));
    }
    return extent;
  }

  [[nodiscard]] SafeTensor parse_tensor(const Extent& extent, const Header& entry) const {
    const Header dtype = entry.value("dtype", Header());
    const Header shape = entry.value("shape", Header());
    const auto is_extent = [](const Header& value) {
      return value.is_number_unsigned() && value.get<std::uint64_t>() <= std::uint64_t{INT64_MAX};
    };
    if (!dtype.is_string() || !shape.is_array() ||
        !std::all_of(shape.begin(), shape.end(), is_extent)) {
      fail(fmt::format("{} must have a dtype and a shape of integers", printable(extent.tensor)));
    }
    SafeTensor result = {dtype.get<std::string>(), shape.get<std::vector<std::int64_t>>(), {}};
    const std::uint64_t size = extent.end - extent.begin;
    if (byte_size(result.dtype, result.shape) != size) {
      fail(fmt::format("{} of dtype {} and shape {} does not fill its {} bytes",
                       printable(extent.tensor), printable(dtype.dump()), printable(shape.dump()),
                       size));
    }
    result.bytes = data_.substr(extent.begin, size);
    return result;
  }

  /// The tensors' bytes must follow one another without gap or overlap, from the header to the end
  /// of the file.
  void check_extents(std::vector<Extent>& extents) const {
    std::sort(extents.begin(), extents.end(), [](const Extent& left, const Extent& right) {
      return std::pair(left.begin, left.end) < std::pair(right.begin, right.end);
    });
    std::uint64_t end = 0;
    for (const Extent& extent : extents) {
      if (extent.begin != end) {
        fail(fmt::format(
            "{} begins at byte {}, expected {}: tensors must neither overlap nor leave gaps",
            printable(extent.tensor), extent.begin, end));
      }
      end = extent.end;
    }
    if (end != data_.size()) {
      fail(fmt::format("has {} bytes after its last tensor", data_.size() - end));
    }
  }

  std::string_view bytes_;
  std::string_view data_;
  const std::string& name_;
};

}  // namespace

std::string safetensors_header(const std::vector<SafeTensorView>& tensors,
                               const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) {
    header[std::string(kMetadata)] = metadata;
  }
  std::size_t end = 0;
  for (const SafeTensorView& tensor : tensors) {
    const std::size_t begin = std::exchange(end, end + tensor.bytes.size());
    header[tensor.name] = {
        {"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  const std::uint64_t length = text.size();
  std::string bytes(kLengthBytes, '\0');
  std::memcpy(bytes.data(), &length, kLengthBytes);
  return bytes + text;
}

SafeTensorsFile parse_safetensors(std::string_view bytes, const std::string& name) {
  return Parser(bytes, name).parse();
}

}  // namespace unroll
