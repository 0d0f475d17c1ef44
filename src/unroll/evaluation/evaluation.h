// What a trained model turned out to know: plain numbers, as summary.json has them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <unroll/base/named_enum.h>

namespace unroll {

struct EvaluationOptions {
  /// Symbols that a trained model is evaluated on; 0 for no evaluation.
  std::int64_t eval_length = 200'000;

  /// @throws InvalidOption if eval_length is negative, or above a billion.
  void validate() const;
};

/// A mean over a sample, NaN of none, with the standard error of that mean; none where the sample
/// is too small to tell.
struct Estimate {
  double value = 0.0;
  std::optional<double> standard_error = {};

  /// Whether the mean of all there is lies below `bound`, beyond doubt: by more than `errors`
  /// standard errors.
  [[nodiscard]] bool is_below(double bound, double errors) const {
    return standard_error && value + errors * *standard_error < bound;
  }
};

/// From so many standard errors on, a difference is taken for more than chance: one in a thousand.
constexpr double kSignificant = 3.0;

/// What the model says where the process's lagged inputs have these values.
struct Combination {
  std::vector<std::int64_t> inputs;  ///< X[t - lag] of each lag, in the process's order
  double probability = 0.0;          ///< the model's mean P(Y = 1); NaN where it never occurs
  double truth = 0.0;                ///< the process's P(Y = 1)
  std::int64_t count = 0;            ///< symbols that this is a mean over
};

/// Whether a lag is learned.
enum class Learned {
  kNo,      ///< the model's P(Y = 1) does not follow it, or by less than a tenth of the truth
  kPartly,  ///< it depends on it, which the loss alone does not show
  kYes,     ///< the loss is below the floor of every model that does not see it
};

template <>
inline constexpr std::array kNames<Learned> = {
    NamedValue<Learned>{"no", Learned::kNo},
    NamedValue<Learned>{"partly", Learned::kPartly},
    NamedValue<Learned>{"yes", Learned::kYes},
};

/// What is learned of one of the process's lags.
struct LagKnowledge {
  std::int64_t lag = 0;
  Estimate effect;           ///< the model's mean P(Y = 1) where X[t - lag] is 1 less where it is 0
  double true_effect = 0.0;  ///< the process's
  double floor_without = 0.0;  ///< the loss floor of a model that sees every other lag, in nats
  Learned learned = Learned::kNo;
};

/// How much the model's answer hangs on the input some steps back.
struct LagInfluence {
  std::int64_t lag = 0;
  /// The mean share of probability that moves when X[t - lag] is another class (the total variation
  /// distance). Of two classes this is |the change of P(Y = 1)|.
  Estimate change;
  /// Of two classes: the mean of P(Y[t] = 1) with X[t - lag] = 1 less that with 0, all else equal.
  std::optional<Estimate> effect = {};
};

/// How a model does on a series that it does not learn from, its state carried all the way.
struct Evaluation {
  bool is_held_out = false;  ///< a series of its own; else the one that it was trained on
  std::int64_t symbols = 0;  ///< that the loss is a mean over
  Estimate loss;             ///< mean cross-entropy, in nats
  std::vector<Combination> combinations = {};  ///< none for a user's own series
  std::vector<LagKnowledge> lags = {};         ///< likewise, in the process's order
  std::vector<LagInfluence> profile = {};      ///< lags 0 to 20
  /// Whether the loss is below what a model can reach that sees every lag. kImpossible says what
  /// that means.
  bool is_impossible = false;
};

/// What to say to people of an evaluation that is impossible.
inline constexpr std::string_view kImpossible =
    "the held-out loss is below what a model can reach that sees every lag; the targets leak into "
    "what the model sees";

}  // namespace unroll
