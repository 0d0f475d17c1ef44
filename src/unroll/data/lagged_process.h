// A binary process whose target depends on a few past inputs, and the exact loss that a model can
// reach on it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace unroll {

/// If the input `lag` steps back is 1, P(Y_t = 1) moves by `effect`.
struct LagEffect {
  std::int64_t lag;
  double effect;
};

/// The lowest mean cross-entropy, in nats, of a model that sees only the input `lag` steps back.
struct LagFloor {
  std::int64_t lag;
  double loss;
};

/// The process's loss floors, in nats.
struct Floors {
  double none = 0.0;              ///< sees no input that matters
  std::vector<LagFloor> per_lag;  ///< sees one lag, in the process's order
  double all = 0.0;               ///< sees every lag
  double no_carry = 0.0;          ///< sees its window alone, each window starting from a zero state
};

/// X_t are fair coin flips in {0, 1}; P(Y_t = 1) = base + the sum over lags of effect * X_{t -
/// lag}.
class LaggedProcess {
 public:
  /// At most this many lags: a floor enumerates every combination of the lagged inputs.
  static constexpr std::size_t kMaxLags = 16;

  /// @throws InvalidOption if a lag is negative or named twice, there are more than kMaxLags, or
  /// some combination of the lagged inputs gives a probability outside [0, 1].
  LaggedProcess(double base, std::vector<LagEffect> effects);

  /// The tutorial's: P(Y_t = 1) = 0.5 + 0.5 X_{t-3} - 0.25 X_{t-8}.
  static LaggedProcess tutorial();

  [[nodiscard]] double base() const { return base_; }
  [[nodiscard]] const std::vector<LagEffect>& effects() const { return effects_; }

  /// The largest lag, 0 if there is none.
  [[nodiscard]] std::int64_t longest_lag() const;

  /// P(Y = 1) where bit i of `combination` is the input at effects()[i].lag.
  [[nodiscard]] double probability(std::uint32_t combination) const;

  /// P(Y_t = 1) given the whole input series. An index below zero wraps to the series' end, as the
  /// tutorial's Python X[t - lag] does.
  [[nodiscard]] double probability_at(const std::vector<std::int64_t>& inputs,
                                      std::int64_t t) const;

  /// The loss floor, in nats, of a model that sees the lags whose bits are set in `visible` (bit i
  /// is effects()[i]).
  [[nodiscard]] double floor(std::uint32_t visible) const;

  /// The loss floor of a model that starts every window of `num_steps` from a zero state: the mean
  /// over the window's positions of what each can see, the position t seeing the lags up to t.
  [[nodiscard]] double no_carry_floor(std::int64_t num_steps) const;

  /// All of them at once.
  [[nodiscard]] Floors floors(std::int64_t num_steps) const;

  /// The process as a formula, for people: "0.5 + 0.5 X[t-3] - 0.25 X[t-8]".
  [[nodiscard]] std::string formula() const;

 private:
  double base_;
  std::vector<LagEffect> effects_;
};

}  // namespace unroll
