#include <unroll/report/findings.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace unroll {

namespace {

void sort_floors(std::vector<NamedFloor>& floors) {
  std::stable_sort(
      floors.begin(), floors.end(),
      [](const NamedFloor& left, const NamedFloor& right) { return left.loss > right.loss; });
}

}  // namespace

std::vector<NamedFloor> named_floors(const Floors& floors) {
  std::vector<NamedFloor> named = {{"no lag seen", floors.none}, {"every lag seen", floors.all}};
  for (const auto& [lag, loss] : floors.per_lag) {
    named.push_back({fmt::format("only lag {} seen", lag), loss});
  }
  sort_floors(named);
  return named;
}

std::vector<NamedFloor> named_floors(const Floors& floors, std::int64_t num_steps) {
  std::vector<NamedFloor> named = named_floors(floors);
  named.insert(named.begin() + 1,
               {fmt::format("no carried state, num_steps {}", num_steps), floors.no_carry});
  sort_floors(named);
  return named;
}

std::string describe_number(double value) {
  return std::isnan(value) ? "-" : fmt::format("{:.4f}", value);
}

std::string describe_signed(double value) {
  return std::isnan(value) ? "-" : fmt::format("{:+.4f}", value);
}

std::string describe_distance(double loss, double floor) {
  return fmt::format("{:.4f} {}", std::abs(loss - floor), loss < floor ? "below" : "above");
}

std::string describe_series(const Evaluation& evaluation) {
  return fmt::format("{}, {} symbols", evaluation.is_held_out ? "held out" : "same data",
                     evaluation.symbols);
}

std::string describe_inputs(const Evaluation& evaluation, const Combination& combination) {
  std::string inputs;
  for (std::size_t i = 0; i < combination.inputs.size(); ++i) {
    inputs += fmt::format("{}X[t-{}] = {}", i == 0 ? "" : ", ", evaluation.lags[i].lag,
                          combination.inputs[i]);
  }
  return inputs;
}

std::string describe_verdict(const LagKnowledge& lag) {
  const std::string floor = fmt::format("the floor without it, {:.4f}", lag.floor_without);
  switch (lag.learned) {
    case Learned::kYes:
      return "yes: the loss is below " + floor;
    case Learned::kPartly:
      return "partly: the loss is not below " + floor;
    case Learned::kNo:
      break;
  }
  return "no";
}

}  // namespace unroll
