#include <unroll/train/comparison.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include <unroll/base/error.h>

namespace unroll {
namespace {

/// The tensor in which two sets of weights differ most, and by how much.
std::pair<std::string, double> leading_tensor(const Weights& left, const Weights& right) {
  const auto left_tensors = named_tensors(left);
  const auto right_tensors = named_tensors(right);
  std::pair<std::string, double> largest = {left_tensors.front().name, 0.0};
  for (std::size_t i = 0; i < left_tensors.size(); ++i) {
    const double difference = largest_difference(left_tensors[i].tensor, right_tensors[i].tensor);
    if (difference > largest.second) {
      largest = {left_tensors[i].name, difference};
    }
  }
  return largest;
}

std::optional<double> median(std::vector<double> values) {
  if (values.empty()) {
    return std::nullopt;
  }
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// A contestant on its way.
struct Racer {
  const Contestant& contestant;
  Trainer trainer;
  std::vector<double> losses;         // of the slice just done
  std::vector<double> slice_seconds;  // per window; kSliceWindows slices of one, then whole ones
  double max_loss_difference = 0.0;
};

class Race {
 public:
  Race(const std::vector<Contestant>& contestants, const TrainerOptions& options, double baseline,
       const Tolerance& tolerance)
      : tolerance_(tolerance) {
    racers_.reserve(contestants.size());
    for (const Contestant& contestant : contestants) {
      racers_.push_back(
          {contestant, Trainer(contestant.engine, options, baseline, contestant.log), {}, {}});
    }
  }

  /// All train on an epoch's windows.
  void run_epoch(const WindowDataset& windows) {
    ++epoch_;
    for (Racer& racer : racers_) {
      racer.trainer.begin_epoch(windows);
    }
    for (std::int64_t done = 0; done < windows.window_count();) {
      // While the variants warm up, a window at a time, to see which tensor leads where they part:
      // a fault shows at once or seldom.
      const bool is_warm = windows_before_ + done >= kSliceWindows;
      const std::int64_t count = is_warm ? kSliceWindows : 1;
      for (std::size_t turn = 0; turn < racers_.size(); ++turn) {
        run_slice(count, racers_[forwards_ ? turn : racers_.size() - 1 - turn]);
      }
      forwards_ = !forwards_;
      compare_slice(done);
      done += static_cast<std::int64_t>(racers_.front().losses.size());
    }
    windows_before_ += windows.window_count();
  }

  [[nodiscard]] Comparison result() const {
    Comparison comparison = {
        .variants = {}, .windows = racers_.front().trainer.progress().windows, .parting = parting_};
    const std::vector<double>& first_seconds = racers_.front().slice_seconds;
    const Weights first_weights = racers_.front().contestant.model.weights();
    for (const Racer& racer : racers_) {
      std::vector<double> microseconds;
      std::vector<double> ratios;
      for (std::size_t slice = kSliceWindows; slice < racer.slice_seconds.size(); ++slice) {
        microseconds.push_back(racer.slice_seconds[slice] * 1e6);
        ratios.push_back(first_seconds[slice] / racer.slice_seconds[slice]);
      }
      const auto [tensor, weight_difference] =
          leading_tensor(first_weights, racer.contestant.model.weights());
      comparison.variants.push_back({.name = racer.contestant.name,
                                     .final_loss = racer.trainer.progress().final_loss,
                                     .max_loss_difference = racer.max_loss_difference,
                                     .max_weight_difference = weight_difference,
                                     .leading_tensor = tensor,
                                     .microseconds_per_window = median(std::move(microseconds)),
                                     .speed_up = median(std::move(ratios))});
    }
    return comparison;
  }

 private:
  static void run_slice(std::int64_t count, Racer& racer) {
    const double before = racer.trainer.train_seconds();
    try {
      racer.losses = racer.trainer.advance(count);
    } catch (const DivergenceError& error) {
      throw DivergenceError(racer.contestant.name + ": " + error.what());
    }
    const double seconds = racer.trainer.train_seconds() - before;
    racer.slice_seconds.push_back(seconds / static_cast<double>(racer.losses.size()));
  }

  void compare_slice(std::int64_t first_window) {
    const Racer& first = racers_.front();
    for (Racer& racer : racers_) {
      for (std::size_t i = 0; i < racer.losses.size(); ++i) {
        const double difference = std::abs(racer.losses[i] - first.losses[i]);
        racer.max_loss_difference = std::max(racer.max_loss_difference, difference);
        const std::int64_t window = first_window + static_cast<std::int64_t>(i) + 1;
        const bool is_judged = windows_before_ + window <= tolerance_.windows;
        const bool is_earliest =
            !parting_ || (parting_->epoch == epoch_ && window < parting_->window);
        if (difference > tolerance_.largest && is_judged && is_earliest) {
          const auto [tensor, weight_difference] =
              leading_tensor(first.contestant.model.weights(), racer.contestant.model.weights());
          parting_ = {.variant = racer.contestant.name,
                      .epoch = epoch_,
                      .window = window,
                      .first_loss = first.losses[i],
                      .loss = racer.losses[i],
                      .tensor = tensor,
                      .weight_difference = weight_difference};
        }
      }
    }
  }

  Tolerance tolerance_;
  std::vector<Racer> racers_;
  bool forwards_ = true;             // the order of this round
  std::int64_t epoch_ = 0;           // from 1
  std::int64_t windows_before_ = 0;  // in earlier epochs
  std::optional<Parting> parting_;
};

}  // namespace

Comparison compare(const std::vector<Contestant>& contestants, SeriesSource& source,
                   const WindowOptions& window_options, const TrainerOptions& options,
                   torch::Device device, const Tolerance& tolerance) {
  Race race(contestants, options, source.baseline(), tolerance);
  for (std::int64_t epoch = 1; epoch <= options.epochs; ++epoch) {
    const WindowDataset windows(source.next(), window_options, device);
    race.run_epoch(windows);
  }
  return race.result();
}

}  // namespace unroll
