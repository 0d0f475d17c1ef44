#include <unroll/data/series_source.h>

#include <utility>

#include <unroll/base/check.h>

namespace unroll {
SampledSource::SampledSource(LaggedProcess process, std::int64_t length, std::uint32_t seed)
    : process_(std::move(process)), length_(length), random_(seed) {
  check_at_least("series_length", length, 1);
}

std::shared_ptr<const Series> SampledSource::next() {
  const auto series = std::make_shared<Series>();
  const auto length = static_cast<std::size_t>(length_);
  series->inputs.resize(length);
  for (std::int64_t& input : series->inputs) {
    input = random_.bit();
  }
  series->targets.resize(length);
  for (std::int64_t t = 0; t < length_; ++t) {
    const double threshold = process_.probability_at(series->inputs, t);
    series->targets[static_cast<std::size_t>(t)] = random_.uniform() > threshold ? 0 : 1;
  }
  return series;
}

FixedSource::FixedSource(Series series)
    : series_(std::make_shared<const Series>(std::move(series))) {}

}  // namespace unroll
