#include <unroll/report/conversion_text.h>

#include <fmt/format.h>

#include <unroll/run/json.h>

namespace unroll {
namespace {

std::int64_t file_bytes(const SeriesHeader& header) {
  return SeriesHeader::kBytes + header.length * header.pair_bytes();
}

}  // namespace

std::string describe_conversion(const std::string& output, const Conversion& conversion) {
  const SeriesHeader& header = conversion.header;
  return fmt::format("{}: {} symbols of {} classes, {} bytes\n", output, header.length,
                     header.num_classes, file_bytes(header));
}

std::string conversion_json(const std::string& output, const Conversion& conversion) {
  const SeriesHeader& header = conversion.header;
  return to_text({{"output", output},
                  {"series_length", header.length},
                  {"num_classes", header.num_classes},
                  {"bytes", file_bytes(header)},
                  {"sha256", conversion.sha256}});
}

}  // namespace unroll
