#include <unroll/run/summary.h>

#include <fmt/format.h>

#include <unroll/run/json.h>
#include <unroll/run/metrics.h>

namespace unroll {
namespace {

/// The number that metrics.csv shows, so that the two files never disagree.
double rounded(double loss) { return std::stod(format_loss(loss)); }

Json to_json(const Estimate& estimate) {
  return {{"value", estimate.value},
          {"standard_error", estimate.standard_error ? Json(*estimate.standard_error) : Json()}};
}

Json to_json(const std::optional<Evaluation>& evaluation) {
  if (!evaluation) {
    return nullptr;
  }
  Json combinations = Json::array();
  for (const Combination& combination : evaluation->combinations) {
    Json inputs = Json::object();
    for (std::size_t i = 0; i < combination.inputs.size(); ++i) {
      inputs[fmt::to_string(evaluation->lags[i].lag)] = combination.inputs[i];
    }
    combinations.push_back({{"inputs", inputs},
                            {"probability", combination.probability},
                            {"truth", combination.truth},
                            {"count", combination.count}});
  }
  Json lags = Json::array();
  for (const LagKnowledge& lag : evaluation->lags) {
    lags.push_back({{"lag", lag.lag},
                    {"effect", to_json(lag.effect)},
                    {"true_effect", lag.true_effect},
                    {"floor_without", lag.floor_without},
                    {"learned", name_of(lag.learned)}});
  }
  Json profile = Json::array();
  for (const LagInfluence& influence : evaluation->profile) {
    profile.push_back({{"lag", influence.lag},
                       {"change", to_json(influence.change)},
                       {"effect", influence.effect ? to_json(*influence.effect) : Json()}});
  }
  return {{"series", evaluation->is_held_out ? "held out" : "training"},
          {"symbols", evaluation->symbols},
          {"loss", evaluation->loss.value},
          {"standard_error",
           evaluation->loss.standard_error ? Json(*evaluation->loss.standard_error) : Json()},
          {"below_every_floor", evaluation->is_impossible},
          {"combinations", combinations},
          {"lags", lags},
          {"profile", profile}};
}

}  // namespace

std::string Summary::to_json() const {
  const Json json = {{"model", model},
                     {"engine", engine},
                     {"device", device},
                     {"dtype", dtype},
                     {"seed", seed},
                     {"epochs", epochs},
                     {"windows", windows},
                     {"final_loss", rounded(final_loss)},
                     {"last_epoch_loss", rounded(last_epoch_loss)},
                     {"baseline", rounded(baseline)},
                     {"unused_symbols", unused_symbols},
                     {"seconds", seconds},
                     {"data_seconds", data_seconds},
                     {"train_seconds", train_seconds},
                     {"microseconds_per_window", microseconds_per_window()},
                     {"floors", floors ? floors_json(*floors) : Json()},
                     {"evaluation", unroll::to_json(evaluation)},
                     {"run_directory", run_directory}};
  return to_text(json);
}

}  // namespace unroll
