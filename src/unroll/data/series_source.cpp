#include <unroll/data/series_source.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <unroll/base/check.h>

namespace unroll {

SampledSource::SampledSource(LaggedProcess process, std::int64_t length, std::uint32_t seed)
    : SampledSource(std::move(process), length, NumpyRandom(seed)) {}

SampledSource::SampledSource(LaggedProcess process, std::int64_t length, NumpyRandom random)
    : process_(std::move(process)), length_(length), random_(random) {
  check_at_least("series_length", length, 1);
  for (const auto& [lag, effect] : process_.effects()) {
    lags_.push_back(static_cast<std::size_t>(lag));
  }
  const std::uint32_t combinations = 1U << lags_.size();
  for (std::uint32_t combination = 0; combination < combinations; ++combination) {
    probabilities_.push_back(process_.probability(combination));
  }
}

std::shared_ptr<const Series> SampledSource::next() {
  const auto series = std::make_shared<Series>();
  const auto length = static_cast<std::size_t>(length_);
  std::vector<std::int64_t>& inputs = series->inputs;
  inputs.resize(length);
  for (std::size_t t = 0; t < length && !ends_at(t); ++t) {
    inputs[t] = random_.bit();
  }

  std::vector<std::int64_t>& targets = series->targets;
  targets.resize(length);
  const auto draw = [&](std::size_t t, double probability) {
    targets[t] = random_.uniform() > probability ? 0 : 1;
  };
  // Only the first targets look back over the start of the series.
  const std::size_t head = std::min(length, static_cast<std::size_t>(process_.longest_lag()));
  for (std::size_t t = 0; t < head; ++t) {
    draw(t, process_.probability_at(inputs, static_cast<std::int64_t>(t)));
  }
  for (std::size_t t = head; t < length && !ends_at(t); ++t) {
    std::size_t combination = 0;
    for (std::size_t i = 0; i < lags_.size(); ++i) {
      combination |= static_cast<std::size_t>(inputs[t - lags_[i]]) << i;
    }
    draw(t, probabilities_[combination]);
  }
  return series;
}

bool SampledSource::ends_at(std::size_t t) const {
  constexpr std::size_t kSymbolsBetweenLooks = 1 << 16;
  return t % kSymbolsBetweenLooks == 0 && gives_up_;
}

void SampledSource::skip(std::int64_t count) {
  constexpr std::uint64_t kWordsOfSymbol = 3;  // one for its input, two for its target
  random_.skip(static_cast<std::uint64_t>(count) * static_cast<std::uint64_t>(length_) *
               kWordsOfSymbol);
}

BackgroundSource::BackgroundSource(std::unique_ptr<SeriesSource> source, std::int64_t count)
    : source_(std::move(source)), left_(count) {}

std::shared_ptr<const Series> BackgroundSource::next() {
  if (left_ == 0) {
    throw std::out_of_range("a series beyond the last one");
  }
  --left_;
  std::shared_ptr<const Series> series = next_.valid() ? next_.get() : source_->next();
  if (left_ > 0) {
    next_ = std::async(std::launch::async, [this] { return source_->next(); });
  }
  return series;
}

void BackgroundSource::skip(std::int64_t count) {
  source_->skip(count);
  left_ -= count;
}

FixedSource::FixedSource(Series series)
    : series_(std::make_shared<const Series>(std::move(series))),
      baseline_(baseline_of(*series_)) {}

}  // namespace unroll
