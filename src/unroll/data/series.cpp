#include <unroll/data/series.h>

#include <stdexcept>
#include <utility>

namespace unroll {

Series series_in(std::shared_ptr<const SeriesFile> file) {
  const std::int64_t num_classes = file->num_classes();
  return {.inputs = {}, .targets = {}, .num_classes = num_classes, .file = std::move(file)};
}

Series first_symbols(const Series& series, std::int64_t count) {
  if (count < 0 || count > series.length()) {
    throw std::out_of_range("more symbols than a series has");
  }
  Series first = {.inputs = {}, .targets = {}, .num_classes = series.num_classes};
  if (series.file) {
    first.inputs.resize(static_cast<std::size_t>(count));
    first.targets.resize(static_cast<std::size_t>(count));
    series.file->read(0, count, first.inputs.data(), first.targets.data());
  } else {
    first.inputs.assign(series.inputs.begin(), series.inputs.begin() + count);
    first.targets.assign(series.targets.begin(), series.targets.begin() + count);
  }
  return first;
}

}  // namespace unroll
