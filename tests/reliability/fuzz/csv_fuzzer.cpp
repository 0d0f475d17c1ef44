// Fuzzes the CSV reader.

#include <unroll/data/csv.h>

#include <functional>

#include "fuzz_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace unroll;
  return fuzz::fuzz_reader(data, size, [](std::string_view text) {
    const Series series = parse_csv(text, fuzz::kName);
    const auto is_class = [&](std::int64_t value) {
      return value >= 0 && value < series.num_classes;
    };
    fuzz::require(series.num_classes >= 2 && series.num_classes <= kMaxClass + 1);
    // Two columns a row, and one comma a line, the header's among them.
    fuzz::require(!series.inputs.empty() && series.inputs.size() == series.targets.size());
    fuzz::require(std::count(text.begin(), text.end(), ',') ==
                  static_cast<std::ptrdiff_t>(series.inputs.size()) + 1);
    fuzz::require(std::all_of(series.inputs.begin(), series.inputs.end(), is_class));
    fuzz::require(std::all_of(series.targets.begin(), series.targets.end(), is_class));
    // Cut in two anywhere, it is the same series.
    const std::size_t cut = std::hash<std::string_view>()(text) % text.size();
    CsvParser parser(fuzz::kName);
    Series in_pieces;
    parser.add(text.substr(0, cut), in_pieces);
    parser.add(text.substr(cut), in_pieces);
    parser.finish(in_pieces);
    fuzz::require(in_pieces.inputs == series.inputs && in_pieces.targets == series.targets);
    fuzz::require(in_pieces.num_classes == series.num_classes);
  });
}
