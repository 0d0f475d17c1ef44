// What a run found, in the words that its table and its page share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <unroll/data/lagged_process.h>
#include <unroll/evaluation/evaluation.h>

namespace unroll {

/// What to call a summary's baseline.
inline constexpr std::string_view kBaseline = "always guessing the same";

/// A floor with what to call it.
struct NamedFloor {
  std::string name;
  double loss;
};

/// From the easiest to reach to the hardest.
std::vector<NamedFloor> named_floors(const Floors& floors, std::int64_t num_steps);

/// Those that num_steps has no part in.
std::vector<NamedFloor> named_floors(const Floors& floors);

/// A number with four decimals; "-" for none.
std::string describe_number(double value);

/// The same with its sign.
std::string describe_signed(double value);

/// How far a loss is from a floor: "0.1461 below".
std::string describe_distance(double loss, double floor);

/// What the loss is a mean over.
std::string describe_series(const Evaluation& evaluation);

/// The values of the lagged inputs: "X[t-3] = 0, X[t-8] = 1".
std::string describe_inputs(const Evaluation& evaluation, const Combination& combination);

/// The verdict on a lag, and the floor that it goes by.
std::string describe_verdict(const LagKnowledge& lag);

/// At most so many combinations are shown to people; summary.json has all.
inline constexpr std::size_t kMostCombinations = 16;

}  // namespace unroll
