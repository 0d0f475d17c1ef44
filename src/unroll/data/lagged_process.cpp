#include <unroll/data/lagged_process.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include <unroll/base/check.h>
#include <unroll/base/error.h>

namespace unroll {
namespace {

// Slack for a probability that is 0 or 1 on paper and a rounding error beside it in binary.
constexpr double kRounding = 1e-12;

/// Entropy of a coin with P(1) = p, in nats.
double entropy(double p) {
  const auto term = [](double q) { return q > 0.0 ? -q * std::log(q) : 0.0; };
  return term(p) + term(1.0 - p);
}

}  // namespace

LaggedProcess::LaggedProcess(double base, std::vector<LagEffect> effects)
    : base_(base), effects_(std::move(effects)) {
  if (effects_.size() > kMaxLags) {
    throw InvalidOption("lags",
                        fmt::format("must be at most {}, got {}", kMaxLags, effects_.size()));
  }
  for (std::size_t i = 0; i < effects_.size(); ++i) {
    const std::int64_t lag = effects_[i].lag;
    check_at_least("lag", lag, 0);
    const auto same_lag = [lag](const LagEffect& other) { return other.lag == lag; };
    if (std::any_of(effects_.begin(), effects_.begin() + static_cast<std::ptrdiff_t>(i),
                    same_lag)) {
      throw InvalidOption("lag", fmt::format("{} is named twice", lag));
    }
  }
  const std::uint32_t combinations = 1U << effects_.size();
  for (std::uint32_t combination = 0; combination < combinations; ++combination) {
    const double p = probability(combination);
    if (!(p >= -kRounding && p <= 1.0 + kRounding)) {
      throw InvalidOption(
          "probability",
          fmt::format("must lie in [0, 1] for every input, got {} from {}", p, formula()));
    }
  }
}

LaggedProcess LaggedProcess::tutorial() {
  return {0.5, {{.lag = 3, .effect = 0.5}, {.lag = 8, .effect = -0.25}}};
}

std::int64_t LaggedProcess::longest_lag() const {
  std::int64_t longest = 0;
  for (const auto& [lag, effect] : effects_) {
    longest = std::max(longest, lag);
  }
  return longest;
}

double LaggedProcess::probability(std::uint32_t combination) const {
  double p = base_;
  for (std::size_t i = 0; i < effects_.size(); ++i) {
    if ((combination >> i & 1U) != 0) {
      p += effects_[i].effect;
    }
  }
  return p;
}

double LaggedProcess::probability_at(const std::vector<std::int64_t>& inputs,
                                     std::int64_t t) const {
  const auto length = static_cast<std::int64_t>(inputs.size());
  double p = base_;
  for (const auto& [lag, effect] : effects_) {
    const std::int64_t back = (t - lag) % length;
    if (inputs[static_cast<std::size_t>(back < 0 ? back + length : back)] != 0) {
      p += effect;
    }
  }
  return p;
}

double LaggedProcess::floor(std::uint32_t visible) const {
  // All combinations of the lagged inputs are equally likely. Those that agree on the visible bits
  // look the same to the model, so the best it can say is their mean probability, at the cost of
  // that mean's entropy.
  const std::uint32_t combinations = 1U << effects_.size();
  std::vector<double> sum(combinations, 0.0);
  std::vector<int> count(combinations, 0);
  for (std::uint32_t combination = 0; combination < combinations; ++combination) {
    sum[combination & visible] += probability(combination);
    ++count[combination & visible];
  }
  double loss = 0.0;
  for (std::uint32_t seen = 0; seen < combinations; ++seen) {
    if (count[seen] > 0) {
      const double weight = static_cast<double>(count[seen]) / combinations;
      loss += weight * entropy(std::clamp(sum[seen] / count[seen], 0.0, 1.0));
    }
  }
  return loss;
}

double LaggedProcess::no_carry_floor(std::int64_t num_steps) const {
  check_at_least("num_steps", num_steps, 1);
  // What can be seen changes only where a lag comes into view: cut the window's positions there.
  std::vector<std::int64_t> cuts = {0, num_steps};
  for (const auto& [lag, effect] : effects_) {
    cuts.push_back(std::min(lag, num_steps));
  }
  std::sort(cuts.begin(), cuts.end());
  double total = 0.0;
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    const std::int64_t positions = cuts[i + 1] - cuts[i];
    if (positions == 0) {
      continue;
    }
    std::uint32_t visible = 0;
    for (std::size_t j = 0; j < effects_.size(); ++j) {
      if (effects_[j].lag <= cuts[i]) {
        visible |= 1U << j;
      }
    }
    total += static_cast<double>(positions) * floor(visible);
  }
  return total / static_cast<double>(num_steps);
}

Floors LaggedProcess::floors(std::int64_t num_steps) const {
  Floors floors;
  floors.none = floor(0);
  for (std::size_t i = 0; i < effects_.size(); ++i) {
    floors.per_lag.push_back({.lag = effects_[i].lag, .loss = floor(1U << i)});
  }
  floors.all = floor((1U << effects_.size()) - 1U);
  floors.no_carry = no_carry_floor(num_steps);
  return floors;
}

std::string LaggedProcess::formula() const {
  std::string text = fmt::format("{}", base_);
  for (const auto& [lag, effect] : effects_) {
    text += fmt::format(" {} {} X[t-{}]", effect < 0 ? "-" : "+", std::abs(effect), lag);
  }
  return text;
}

}  // namespace unroll
