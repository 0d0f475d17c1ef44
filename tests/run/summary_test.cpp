// summary.json: every key, with its type and value.

#include <unroll/run/summary.h>

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace unroll {
namespace {

using Json = nlohmann::ordered_json;

Summary a_run_summary() {
  return {.model = "builtin",
          .engine = "autograd",
          .device = "cpu",
          .dtype = "float64",
          .seed = 4'294'967'295,
          .epochs = 5,
          .windows = 166'665,
          .final_loss = 0.52345678901234,
          .last_epoch_loss = 0.51234567890123,
          .baseline = 0.66156323815798,
          .unused_symbols = 10,
          .seconds = 12.5,
          .data_seconds = 0.5,
          .train_seconds = 11.0,
          .floors = Floors{.none = 0.7,
                           .per_lag = {{.lag = 8, .loss = 0.6}, {.lag = 3, .loss = 0.5}},
                           .all = 0.4,
                           .no_carry = 0.55},
          .num_steps = 10,
          .run_directory = "runs/my run"};
}

TEST(Summary, HasEveryKeyInOrder) {
  const Json json = Json::parse(a_run_summary().to_json());
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) {
    keys.push_back(key);
  }
  EXPECT_EQ(keys, (std::vector<std::string>{"model", "engine", "device", "dtype", "seed", "epochs",
                                            "windows", "final_loss", "last_epoch_loss", "baseline",
                                            "unused_symbols", "seconds", "data_seconds",
                                            "train_seconds", "microseconds_per_window", "floors",
                                            "evaluation", "run_directory"}));
}

TEST(Summary, HasEveryValueWithItsType) {
  const Json json = Json::parse(a_run_summary().to_json());
  EXPECT_EQ(json["model"].get_ref<const std::string&>(), "builtin");
  EXPECT_EQ(json["engine"].get_ref<const std::string&>(), "autograd");
  EXPECT_EQ(json["device"].get_ref<const std::string&>(), "cpu");
  EXPECT_EQ(json["dtype"].get_ref<const std::string&>(), "float64");
  EXPECT_TRUE(json["seed"].is_number_integer());
  EXPECT_EQ(json["seed"], 4'294'967'295);
  EXPECT_TRUE(json["epochs"].is_number_integer());
  EXPECT_EQ(json["epochs"], 5);
  EXPECT_TRUE(json["windows"].is_number_integer());
  EXPECT_EQ(json["windows"], 166'665);
  EXPECT_EQ(json["unused_symbols"], 10);
  EXPECT_EQ(json["seconds"], 12.5);
  EXPECT_EQ(json["data_seconds"], 0.5);
  EXPECT_EQ(json["train_seconds"], 11.0);
  EXPECT_NEAR(json["microseconds_per_window"].get<double>(), 66.0006600066, 1e-9);
  EXPECT_EQ(json["run_directory"].get_ref<const std::string&>(), "runs/my run");
}

TEST(Summary, LossesAreThoseOfMetricsCsv) {
  const Json json = Json::parse(a_run_summary().to_json());
  EXPECT_EQ(json["final_loss"].get<double>(), 0.523456789);
  EXPECT_EQ(json["last_epoch_loss"].get<double>(), 0.512345679);
  EXPECT_EQ(json["baseline"].get<double>(), 0.661563238);
}

TEST(Summary, FloorsAreNamed) {
  EXPECT_EQ(Json::parse(a_run_summary().to_json())["floors"],
            Json::parse(R"({"none": 0.7, "per_lag": {"8": 0.6, "3": 0.5}, "all": 0.4,
                            "no_carry": 0.55})"));
}

TEST(Summary, FloorsOfAUsersOwnSeriesAreNull) {
  Summary summary = a_run_summary();
  summary.floors.reset();
  const Json json = Json::parse(summary.to_json());
  EXPECT_TRUE(json.contains("floors"));
  EXPECT_TRUE(json["floors"].is_null());
}

TEST(Summary, HasWhatTheEvaluationFound) {
  Summary summary = a_run_summary();
  EXPECT_TRUE(Json::parse(summary.to_json())["evaluation"].is_null());
  summary.evaluation = {
      .is_held_out = true,
      .symbols = 1000,
      .loss = {.value = 0.5, .standard_error = 0.01},
      .combinations = {{.inputs = {1}, .probability = 0.25, .truth = 0.5, .count = 10}},
      .lags = {{.lag = 3,
                .effect = {.value = 0.125},
                .true_effect = 0.5,
                .floor_without = 0.75,
                .learned = Learned::kPartly}},
      .profile = {{.lag = 20, .change = {.value = 0.5, .standard_error = 0.25}}}};
  EXPECT_EQ(Json::parse(summary.to_json())["evaluation"], Json::parse(R"({
      "series": "held out", "symbols": 1000, "loss": 0.5, "standard_error": 0.01,
      "below_every_floor": false,
      "combinations": [{"inputs": {"3": 1}, "probability": 0.25, "truth": 0.5, "count": 10}],
      "lags": [{"lag": 3, "effect": {"value": 0.125, "standard_error": null}, "true_effect": 0.5,
                "floor_without": 0.75, "learned": "partly"}],
      "profile": [{"lag": 20, "change": {"value": 0.5, "standard_error": 0.25},
                   "effect": null}]})"));
}

TEST(Summary, EndsWithANewline) { EXPECT_EQ(a_run_summary().to_json().back(), '\n'); }

TEST(Summary, QuotesWhateverAFoldersNameHolds) {
  Summary summary = a_run_summary();
  summary.run_directory = "a\"b\\c\nd\te";
  EXPECT_EQ(Json::parse(summary.to_json())["run_directory"], summary.run_directory);
}

TEST(Summary, AFoldersNameNeedNotBeUtf8) {
  // A training that took a night must not end in an error over its folder's name.
  Summary summary = a_run_summary();
  summary.run_directory = "r\xE9sultat";  // Latin-1
  std::string text;
  ASSERT_NO_THROW(text = summary.to_json());
  EXPECT_EQ(Json::parse(text)["final_loss"].get<double>(), 0.523456789);
}

}  // namespace
}  // namespace unroll
