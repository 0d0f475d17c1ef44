#include <unroll/run/sweep_summary.h>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <unroll/run/json.h>

namespace unroll {
namespace {

/// `rows` are `count` cells that differ in their seeds only.
SweepGroup group_of(const SweepRow* rows, std::int64_t count) {
  SweepGroup group = {.num_steps = rows->cell.num_steps,
                      .hidden_size = rows->cell.hidden_size,
                      .learning_rate = rows->cell.learning_rate,
                      .seeds = count,
                      .held_out_loss = {},
                      .lags = {}};
  group.lags.reserve(rows->lags.size());
  for (const SweepLag& lag : rows->lags) {
    group.lags.push_back({.lag = lag.lag});
  }
  double sum = 0.0;
  for (std::int64_t seed = 0; seed < count; ++seed) {
    const SweepRow& row = rows[seed];
    group.diverged += row.is_diverged ? 1 : 0;
    sum += row.held_out_loss.value;
    for (std::size_t i = 0; i < row.lags.size(); ++i) {
      group.lags[i].learned += row.lags[i].learned == Learned::kYes ? 1 : 0;
      group.lags[i].partly += row.lags[i].learned == Learned::kPartly ? 1 : 0;
    }
  }
  if (group.diverged < count) {
    group.held_out_loss = sum / static_cast<double>(count - group.diverged);
  }
  return group;
}

Json to_json(const SweepGroup& group) {
  Json learned = Json::object();
  Json partly = Json::object();
  for (const SweepLagCount& lag : group.lags) {
    learned[fmt::to_string(lag.lag)] = lag.learned;
    partly[fmt::to_string(lag.lag)] = lag.partly;
  }
  return {{"num_steps", group.num_steps},
          {"hidden_size", group.hidden_size},
          {"learning_rate", group.learning_rate},
          {"seeds", group.seeds},
          {"diverged", group.diverged},
          {"held_out_loss", group.held_out_loss ? Json(*group.held_out_loss) : Json()},
          {"learned", learned},
          {"partly", partly}};
}

Json floors_to_json(const LaggedProcess& process, const std::vector<std::int64_t>& num_steps) {
  Json no_carry = Json::object();  // by num_steps
  for (const std::int64_t steps : num_steps) {
    no_carry[fmt::to_string(steps)] = process.no_carry_floor(steps);
  }
  Json floors = floors_json(process.floors(num_steps.front()));
  floors["no_carry"] = no_carry;
  return floors;
}

}  // namespace

const SweepGroup& SweepSummary::group(std::int64_t num_steps, std::int64_t hidden_size,
                                      double learning_rate) const {
  const auto found = std::find_if(groups.begin(), groups.end(), [&](const SweepGroup& candidate) {
    return candidate.num_steps == num_steps && candidate.hidden_size == hidden_size &&
           candidate.learning_rate == learning_rate;
  });
  if (found == groups.end()) {
    throw std::out_of_range("a group that the sweep has not");
  }
  return *found;
}

std::string SweepSummary::to_json() const {
  Json options = Json::object();
  for (const auto& [name, value] : config.options) {
    options[name] = value;
  }
  Json group_list = Json::array();
  for (const SweepGroup& group : groups) {
    group_list.push_back(unroll::to_json(group));
  }
  const Json json = {{"sweep_directory", directory},
                     {"cells", rows.size()},
                     {"options", options},
                     {"process", process.formula()},
                     {"floors", floors_to_json(process, config.grid.num_steps)},
                     {"groups", group_list}};
  return to_text(json);
}

SweepSummary summarize_sweep(std::string directory, SweepConfig config,
                             std::vector<SweepRow> rows) {
  SweepSummary summary = {.directory = std::move(directory),
                          .config = std::move(config),
                          .rows = std::move(rows),
                          .groups = {}};
  const std::int64_t seeds = summary.config.grid.seeds;
  summary.groups.reserve(summary.rows.size() / static_cast<std::size_t>(seeds));
  for (std::int64_t first = 0; first < std::ssize(summary.rows); first += seeds) {
    summary.groups.push_back(group_of(summary.rows.data() + first, seeds));
  }
  return summary;
}

}  // namespace unroll
