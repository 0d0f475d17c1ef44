#include <unroll/data/series_source.h>

#include <utility>

#include <unroll/base/check.h>

namespace unroll {
namespace {

/// NumPy's legacy uniform double in [0, 1): 53 bits from two 32-bit draws (random_sample, after
/// genrand_res53).
double uniform(std::mt19937& random) {
  const std::uint_fast32_t high = random() >> 5;
  const std::uint_fast32_t low = random() >> 6;
  return (static_cast<double>(high) * 67108864.0 + static_cast<double>(low)) / 9007199254740992.0;
}

}  // namespace

SampledSource::SampledSource(LaggedProcess process, std::int64_t length, std::uint32_t seed)
    : process_(std::move(process)), length_(length), random_(seed) {
  check_at_least("series_length", length, 1);
}

std::shared_ptr<const Series> SampledSource::next() {
  const auto series = std::make_shared<Series>();
  const auto length = static_cast<std::size_t>(length_);
  series->inputs.resize(length);
  for (std::int64_t& input : series->inputs) {
    input = static_cast<std::int64_t>(random_() & 1U);
  }
  series->targets.resize(length);
  for (std::int64_t t = 0; t < length_; ++t) {
    const double threshold = process_.probability_at(series->inputs, t);
    series->targets[static_cast<std::size_t>(t)] = uniform(random_) > threshold ? 0 : 1;
  }
  return series;
}

FixedSource::FixedSource(Series series)
    : series_(std::make_shared<const Series>(std::move(series))) {}

}  // namespace unroll
