// Fuzzes the reader of a series file's header.

#include <unroll/data/series_header.h>

#include "fuzz_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace unroll;
  return fuzz::fuzz_reader(data, size, [](std::string_view bytes) {
    const auto file_bytes = static_cast<std::int64_t>(bytes.size());
    const std::string_view start = bytes.substr(0, SeriesHeader::kBytes);
    const SeriesHeader header = parse_series_header(start, file_bytes, fuzz::kName);
    fuzz::require(header.num_classes >= 2 && header.num_classes <= 65'536 && header.length >= 1);
    fuzz::require(SeriesHeader::kBytes + header.length * header.pair_bytes() == file_bytes);
    const auto again = series_header_bytes(header);
    fuzz::require(start.starts_with(std::string_view(again.data(), again.size())));
  });
}
