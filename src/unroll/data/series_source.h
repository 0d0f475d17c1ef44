// Where an epoch's series comes from: sampled afresh from a process, or the user's own, the same
// every time.
#pragma once

#include <atomic>
#include <cstdint>
#include <future>
#include <memory>
#include <vector>

#include <unroll/data/lagged_process.h>
#include <unroll/data/numpy_random.h>
#include <unroll/data/series.h>

namespace unroll {

/// Gives one series an epoch, every one of the same length and class count.
class SeriesSource {
 public:
  virtual ~SeriesSource() = default;
  SeriesSource() = default;
  SeriesSource(const SeriesSource&) = delete;
  SeriesSource& operator=(const SeriesSource&) = delete;

  /// The series of the next epoch. Shared, so that a dataset can view it without a copy.
  virtual std::shared_ptr<const Series> next() = 0;

  /// What it costs to always guess the same, the frequencies of the targets, in nats a symbol.
  [[nodiscard]] virtual double baseline() const = 0;

  /// Passes over the next `count` series.
  virtual void skip(std::int64_t count) = 0;

  /// Lets a next() on another thread end soon, its series unfinished. Neither it nor this source
  /// may be used after that.
  virtual void give_up() noexcept {}
};

/// Samples a process from the tutorial's random stream, numpy.random.seed(seed); each series
/// continues where the last one ended.
///
/// Of a series of N symbols, first every X_t = numpy.random.choice(2, N), one 32-bit draw each;
/// then, for each t in order, u = numpy.random.rand(), two draws, and Y_t = 0 if u > P(Y_t = 1),
/// else 1.
class SampledSource final : public SeriesSource {
 public:
  /// @throws InvalidOption if length is below 1.
  SampledSource(LaggedProcess process, std::int64_t length, std::uint32_t seed);
  /// From another stream than a seed's.
  SampledSource(LaggedProcess process, std::int64_t length, NumpyRandom random);

  /// Some 10 ns a symbol.
  std::shared_ptr<const Series> next() override;
  [[nodiscard]] double baseline() const override { return process_.floor(0); }
  /// Some 2 ns a symbol.
  void skip(std::int64_t count) override;
  void give_up() noexcept override { gives_up_ = true; }

 private:
  /// Whether to end at symbol t; looks from time to time.
  [[nodiscard]] bool ends_at(std::size_t t) const;

  LaggedProcess process_;
  std::vector<std::size_t> lags_;
  std::vector<double> probabilities_;  // by combination of the lagged inputs
  std::int64_t length_;
  NumpyRandom random_;
  std::atomic<bool> gives_up_ = false;
};

/// Gives another source's series, each but the first made on a thread of its own while the one
/// before is in use.
class BackgroundSource final : public SeriesSource {
 public:
  /// Gives `count` series and makes no more.
  BackgroundSource(std::unique_ptr<SeriesSource> source, std::int64_t count);
  /// Does not wait until a series under way is finished.
  ~BackgroundSource() override { source_->give_up(); }
  BackgroundSource(const BackgroundSource&) = delete;
  BackgroundSource& operator=(const BackgroundSource&) = delete;

  /// Waits for the series if it is not ready.
  /// @throws std::out_of_range beyond the last one, and what the source throws
  std::shared_ptr<const Series> next() override;
  [[nodiscard]] double baseline() const override { return source_->baseline(); }
  /// Only before the first next(), and within the count.
  void skip(std::int64_t count) override;

 private:
  std::unique_ptr<SeriesSource> source_;
  std::int64_t left_;
  std::future<std::shared_ptr<const Series>> next_;  // after source_: waits for its thread first
};

/// Gives the same series every epoch.
class FixedSource final : public SeriesSource {
 public:
  /// Counts the targets.
  /// @throws what baseline_of throws
  explicit FixedSource(Series series);

  std::shared_ptr<const Series> next() override { return series_; }
  [[nodiscard]] double baseline() const override { return baseline_; }
  void skip(std::int64_t /*count*/) override {}

 private:
  std::shared_ptr<const Series> series_;
  double baseline_;
};

}  // namespace unroll
