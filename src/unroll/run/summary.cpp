#include <unroll/run/summary.h>

#include <fmt/format.h>

#include <unroll/run/json.h>
#include <unroll/run/metrics.h>

namespace unroll {
namespace {

/// The number that metrics.csv shows, so that the two files never disagree.
double rounded(double loss) { return std::stod(format_loss(loss)); }

Json to_json(const std::optional<Floors>& floors) {
  if (!floors) {
    return nullptr;
  }
  Json per_lag = Json::object();
  for (const auto& [lag, loss] : floors->per_lag) {
    per_lag[fmt::to_string(lag)] = loss;
  }
  return {{"none", floors->none},
          {"per_lag", per_lag},
          {"all", floors->all},
          {"no_carry", floors->no_carry}};
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
                     {"seconds", seconds},
                     {"data_seconds", data_seconds},
                     {"train_seconds", train_seconds},
                     {"microseconds_per_window", microseconds_per_window()},
                     {"floors", unroll::to_json(floors)},
                     {"run_directory", run_directory}};
  return to_text(json);
}

}  // namespace unroll
