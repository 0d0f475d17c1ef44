#include <unroll/evaluation/evaluator.h>

#include <fmt/format.h>
#include <torch/nn/module.h>
#include <torch/types.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include <unroll/data/series_source.h>

namespace unroll {
namespace {

constexpr std::int64_t kMostRows = 100;
constexpr std::int64_t kShortestRow = 20;
constexpr std::int64_t kWarmUp = 256;
constexpr std::int64_t kLongestLag = 20;  // of the profile
constexpr std::int64_t kProbes = 5;       // places in each row where the profile is taken

std::int64_t warm_up(const std::optional<LaggedProcess>& process) {
  return process ? std::max(kWarmUp, process->longest_lag()) : kWarmUp;
}

/// Steps to give a model of these sizes at a time, so that what so many rows leave stays small; at
/// least one.
std::int64_t most_steps(const ModelOptions& sizes, std::int64_t rows) {
  constexpr std::int64_t kMostNumbers = 1 << 22;
  const std::int64_t numbers_a_step = rows * std::max(sizes.hidden_size, sizes.num_classes);
  return std::clamp<std::int64_t>(kMostNumbers / numbers_a_step, 1, 256);
}

double square(double x) { return x * x; }

/// The mean of independent numbers, with its standard error.
Estimate mean_of(const std::vector<double>& numbers) {
  const auto count = static_cast<double>(numbers.size());
  if (numbers.empty()) {
    return {.value = std::nan("")};
  }
  Estimate mean;
  for (const double number : numbers) {
    mean.value += number / count;
  }
  if (numbers.size() > 1) {
    double squares = 0.0;
    for (const double number : numbers) {
      squares += square(number - mean.value);
    }
    mean.standard_error = std::sqrt(squares / (count - 1.0) / count);
  }
  return mean;
}

/// A mean over symbols, kept row by row. Symbols of a row that are near each other are not
/// independent; rows are.
class RowMeans {
 public:
  explicit RowMeans(std::int64_t rows)
      : sums_(static_cast<std::size_t>(rows)), counts_(static_cast<std::size_t>(rows)) {}

  void add(std::int64_t row, double number) {
    sums_[static_cast<std::size_t>(row)] += number;
    ++counts_[static_cast<std::size_t>(row)];
  }

  [[nodiscard]] std::int64_t count() const {
    std::int64_t total = 0;
    for (const std::int64_t count : counts_) {
      total += count;
    }
    return total;
  }

  /// NaN if nothing was added.
  [[nodiscard]] double total_mean() const {
    double sum = 0.0;
    for (const double row_sum : sums_) {
      sum += row_sum;
    }
    return sum / static_cast<double>(count());
  }

  /// Over the rows that have any.
  [[nodiscard]] Estimate mean() const {
    std::vector<double> means;
    for (std::size_t row = 0; row < sums_.size(); ++row) {
      if (counts_[row] > 0) {
        means.push_back(row_mean(row));
      }
    }
    return mean_of(means);
  }

  /// This mean less another one, over the rows that have both.
  [[nodiscard]] Estimate minus(const RowMeans& other) const {
    std::vector<double> differences;
    for (std::size_t row = 0; row < sums_.size(); ++row) {
      if (counts_[row] > 0 && other.counts_[row] > 0) {
        differences.push_back(row_mean(row) - other.row_mean(row));
      }
    }
    return mean_of(differences);
  }

 private:
  [[nodiscard]] double row_mean(std::size_t row) const {
    return sums_[row] / static_cast<double>(counts_[row]);
  }

  std::vector<double> sums_;
  std::vector<std::int64_t> counts_;
};

/// What the model says at each combination of the process's lagged inputs.
class Dependency {
 public:
  Dependency(const LaggedProcess& process, const Series& series, std::int64_t rows)
      : process_(process),
        series_(series),
        by_combination_(std::size_t{1} << process.effects().size(), RowMeans(rows)),
        by_input_(process.effects().size(), {RowMeans(rows), RowMeans(rows)}) {}

  /// The model gives Y[t] = 1 this probability. Targets whose lags reach back over the series'
  /// start do not count.
  void add(std::int64_t row, std::int64_t t, double probability) {
    if (t < process_.longest_lag()) {
      return;
    }
    std::size_t combination = 0;
    for (std::size_t i = 0; i < by_input_.size(); ++i) {
      const std::int64_t lag = process_.effects()[i].lag;
      const bool is_one = series_.inputs[static_cast<std::size_t>(t - lag)] != 0;
      by_input_[i][is_one ? 1 : 0].add(row, probability);
      combination |= std::size_t{is_one} << i;
    }
    by_combination_[combination].add(row, probability);
  }

  [[nodiscard]] std::vector<Combination> combinations() const {
    std::vector<Combination> all;
    all.reserve(by_combination_.size());
    for (std::size_t combination = 0; combination < by_combination_.size(); ++combination) {
      const RowMeans& said = by_combination_[combination];
      std::vector<std::int64_t> inputs;
      inputs.reserve(by_input_.size());
      for (std::size_t i = 0; i < by_input_.size(); ++i) {
        inputs.push_back(static_cast<std::int64_t>(combination >> i & 1U));
      }
      all.push_back({.inputs = std::move(inputs),
                     .probability = said.total_mean(),
                     .truth = process_.probability(static_cast<std::uint32_t>(combination)),
                     .count = said.count()});
    }
    return all;
  }

  [[nodiscard]] std::vector<LagKnowledge> lags(const Estimate& loss) const {
    const std::uint32_t every_lag = (1U << by_input_.size()) - 1U;
    std::vector<LagKnowledge> lags;
    lags.reserve(by_input_.size());
    for (std::size_t i = 0; i < by_input_.size(); ++i) {
      const auto& [lag, true_effect] = process_.effects()[i];
      LagKnowledge knowledge = {.lag = lag,
                                .effect = by_input_[i][1].minus(by_input_[i][0]),
                                .true_effect = true_effect,
                                .floor_without = process_.floor(every_lag & ~(1U << i))};
      knowledge.learned = verdict(knowledge, loss);
      lags.push_back(knowledge);
    }
    return lags;
  }

 private:
  static Learned verdict(const LagKnowledge& lag, const Estimate& loss) {
    constexpr double kPart =
        0.1;  // a network that has learned nothing depends on every input a bit
    if (loss.is_below(lag.floor_without, kSignificant)) {
      return Learned::kYes;
    }
    const double part = lag.effect.value / lag.true_effect;
    const double error = lag.effect.standard_error.value_or(INFINITY) / std::abs(lag.true_effect);
    return part - kSignificant * error > kPart ? Learned::kPartly : Learned::kNo;
  }

  const LaggedProcess& process_;
  const Series& series_;
  std::vector<RowMeans> by_combination_;
  std::vector<std::array<RowMeans, 2>> by_input_;  // of each lag, where its input is 0 and 1
};

/// The classes that occur, in order.
torch::Tensor classes_in(const std::vector<std::int64_t>& symbols) {
  const std::set<std::int64_t> classes(symbols.begin(), symbols.end());
  return torch::tensor(std::vector<std::int64_t>(classes.begin(), classes.end()), torch::kInt64);
}

/// How the answer changes when one input some steps back is another class, of those that occur: a
/// network says anything about an input that it has never seen.
class Profile {
 public:
  /// `input_classes` [at least 2], in order.
  Profile(std::int64_t rows, std::int64_t num_classes, torch::Tensor input_classes)
      : num_classes_(num_classes),
        input_classes_(std::move(input_classes)),
        change_(kLongestLag + 1, RowMeans(rows)),
        effect_(kLongestLag + 1, RowMeans(rows)) {}

  /// Asks the model for Y at the last of `inputs` [R, kLongestLag + 1] from `state` [R, H], as they
  /// are and with each input changed in turn.
  void probe(RecurrentModel& model, const torch::Tensor& inputs, const torch::Tensor& state) {
    const std::int64_t rows = inputs.size(0);
    const std::int64_t steps = kLongestLag + 1;
    const std::int64_t variants = 1 + steps;
    const torch::Tensor row = torch::arange(rows, inputs.options()).unsqueeze(1);
    const std::int64_t count = input_classes_.size(0);
    const torch::Tensor others =
        input_classes_
            .index_select(  // each row takes one of the others
                0, ((torch::searchsorted(input_classes_, inputs.contiguous()) + 1 +
                     row % (count - 1)) %
                    count)
                       .flatten())
            .view_as(inputs);
    const torch::Tensor all = inputs.unsqueeze(0).repeat({variants, 1, 1});  // [V, R, steps]
    for (std::int64_t lag = 0; lag <= kLongestLag; ++lag) {
      const std::int64_t step = kLongestLag - lag;
      all[1 + lag].select(1, step).copy_(others.select(1, step));
    }
    const torch::Tensor said = last_logits(model, all.flatten(0, 1), state.repeat({variants, 1}))
                                   .to(torch::kCPU, torch::kFloat64)
                                   .softmax(1)
                                   .contiguous();
    const torch::Tensor seen = inputs.to(torch::kCPU).contiguous();
    note(said.const_data_ptr<double>(), seen.const_data_ptr<std::int64_t>(), rows);
  }

  [[nodiscard]] std::vector<LagInfluence> influences() const {
    std::vector<LagInfluence> influences;
    for (std::int64_t lag = 0; lag <= kLongestLag; ++lag) {
      const auto i = static_cast<std::size_t>(lag);
      influences.push_back({.lag = lag, .change = change_[i].mean()});
      if (num_classes_ == 2) {
        influences.back().effect = effect_[i].mean();
      }
    }
    return influences;
  }

 private:
  /// [N, C], of the last of `inputs` [N, steps] from `state` [N, H].
  static torch::Tensor last_logits(RecurrentModel& model, const torch::Tensor& inputs,
                                   torch::Tensor state) {
    const std::int64_t at_a_time = most_steps(model.options(), inputs.size(0));
    torch::Tensor logits;
    for (const torch::Tensor& part : inputs.split(at_a_time, 1)) {
      const ModelOutput output = model.forward(part, state);
      logits = output.logits.select(1, -1);
      state = output.state;
    }
    return logits;
  }

  /// `said` [V, R, C], `inputs` [R, kLongestLag + 1].
  void note(const double* said, const std::int64_t* inputs, std::int64_t rows) {
    for (std::int64_t lag = 0; lag <= kLongestLag; ++lag) {
      const auto i = static_cast<std::size_t>(lag);
      for (std::int64_t row = 0; row < rows; ++row) {
        const double* before = said + row * num_classes_;
        const double* after = said + ((1 + lag) * rows + row) * num_classes_;
        double moved = 0.0;
        for (std::int64_t c = 0; c < num_classes_; ++c) {
          moved += std::abs(after[c] - before[c]) / 2.0;
        }
        change_[i].add(row, moved);
        const bool was_one = inputs[row * (kLongestLag + 1) + kLongestLag - lag] != 0;
        effect_[i].add(row, (after[1] - before[1]) * (was_one ? -1.0 : 1.0));
      }
    }
  }

  std::int64_t num_classes_;
  torch::Tensor input_classes_;
  std::vector<RowMeans> change_;  // by lag
  std::vector<RowMeans> effect_;
};

/// One evaluation; a class because its parts share where the rows lie.
///
///     row 0   | warm-up | L symbols that are judged |
///     row 1                               | warm-up | L symbols |           ..
class Evaluator {
 public:
  Evaluator(RecurrentModel& model, const Series& series,
            const std::optional<LaggedProcess>& process)
      : model_(model),
        series_(series),
        warm_up_(process ? std::min(warm_up(process), series.length() - 1)
                         : std::min(warm_up(process), series.length() / 2)),
        rows_(std::clamp<std::int64_t>((series.length() - warm_up_) / kShortestRow, 1, kMostRows)),
        row_length_((series.length() - warm_up_) / rows_),
        losses_(rows_) {
    if (series.length() < 2 || series.num_classes > model.options().num_classes) {
      throw std::invalid_argument(
          fmt::format("an evaluation of a model of {} classes on {} symbols of {} classes",
                      model.options().num_classes, series.length(), series.num_classes));
    }
    if (series.file) {
      throw std::invalid_argument("an evaluation on a series that is not in memory");
    }
    // The rows overlap, and are views of the series.
    auto* first = const_cast<std::int64_t*>(series.inputs.data());
    inputs_ = torch::from_blob(first, {rows_, width()}, {row_length_, 1}, torch::kInt64)
                  .to(model.parameters().front().device());
    if (process) {
      dependency_.emplace(*process, series, rows_);
    }
    torch::Tensor input_classes = classes_in(series.inputs).to(inputs_.device());
    if (input_classes.size(0) > 1) {
      profile_.emplace(rows_, model.options().num_classes, std::move(input_classes));
    }
  }

  Evaluation run() {
    const torch::NoGradGuard no_gradients;
    const std::int64_t first_probe = std::max<std::int64_t>(warm_up_ - kLongestLag, 0);
    const std::int64_t pause = std::max<std::int64_t>(row_length_ / kProbes, 1);
    torch::Tensor state = model_.initial_state(rows_);
    std::int64_t next_probe = first_probe;
    for (std::int64_t step = 0; step < width();) {
      if (step == next_probe) {
        if (profile_ && step + kLongestLag < width()) {
          profile_->probe(model_, inputs_.narrow(1, step, kLongestLag + 1), state);
        }
        next_probe += pause;
      }
      const std::int64_t count =
          std::min({most_steps(model_.options(), rows_), next_probe - step, width() - step});
      const ModelOutput output = model_.forward(inputs_.narrow(1, step, count), state);
      note(output.logits, step);
      state = output.state;
      step += count;
    }
    Evaluation evaluation = {.symbols = rows_ * row_length_, .loss = losses_.mean()};
    if (dependency_) {
      evaluation.combinations = dependency_->combinations();
      evaluation.lags = dependency_->lags(evaluation.loss);
    }
    if (profile_ && first_probe + kLongestLag < width()) {
      evaluation.profile = profile_->influences();
    }
    return evaluation;
  }

 private:
  /// Symbols in a row, those that are not judged included.
  [[nodiscard]] std::int64_t width() const { return warm_up_ + row_length_; }

  /// Judges the logits [R, steps, C] from `step` of the rows on.
  void note(const torch::Tensor& logits, std::int64_t step) {
    const torch::Tensor logs = logits.to(torch::kCPU, torch::kFloat64).log_softmax(2).contiguous();
    const auto* log = logs.const_data_ptr<double>();
    const std::int64_t steps = logs.size(1);
    const std::int64_t classes = logs.size(2);
    for (std::int64_t row = 0; row < rows_; ++row) {
      for (std::int64_t i = std::max<std::int64_t>(warm_up_ - step, 0); i < steps; ++i) {
        const std::int64_t t = row * row_length_ + step + i;
        const double* of_symbol = log + (row * steps + i) * classes;
        losses_.add(row, -of_symbol[series_.targets[static_cast<std::size_t>(t)]]);
        if (dependency_) {
          dependency_->add(row, t, std::exp(of_symbol[1]));
        }
      }
    }
  }

  RecurrentModel& model_;
  const Series& series_;
  std::int64_t warm_up_;
  std::int64_t rows_;
  std::int64_t row_length_;  // L
  RowMeans losses_;
  torch::Tensor inputs_;  // [R, warm-up + L]
  std::optional<Dependency> dependency_;
  std::optional<Profile> profile_;
};

}  // namespace

Series held_out_series(const LaggedProcess& process, std::int64_t eval_length, std::uint32_t seed) {
  SampledSource source(process, warm_up(process) + eval_length,
                       NumpyRandom(std::vector<std::uint32_t>{seed, 1}));
  return *source.next();
}

Evaluation evaluate(RecurrentModel& model, const Series& series,
                    const std::optional<LaggedProcess>& process) {
  Evaluation evaluation = Evaluator(model, series, process).run();
  if (process) {
    constexpr double kBeyondDoubt = 5.0;  // standard errors: a model at the floor is never accused
    const std::uint32_t every_lag = (1U << process->effects().size()) - 1U;
    evaluation.is_impossible = evaluation.loss.is_below(process->floor(every_lag), kBeyondDoubt);
  }
  return evaluation;
}

}  // namespace unroll
