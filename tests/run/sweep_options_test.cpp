// What a sweep's options allow, and how sweep.json keeps them.

#include <unroll/run/sweep_options.h>

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include <unroll/base/error.h>

#include "../support/refusal.h"

namespace unroll {
namespace {

using Json = nlohmann::ordered_json;

using testing::validation_refusal;

/// The sweep.json of these options.
std::string json_of(const SweepOptions& options) {
  return sweep_json(options, EngineChoice::kFused);
}

/// What a sweep.json of this text is refused with.
std::string refusal_of(const std::string& text) {
  try {
    parse_sweep_json(text, "sweep.json");
  } catch (const FileError& error) {
    return error.what();
  }
  return "accepted";
}

/// A default sweep.json with this value under this name.
std::string with(const char* name, const Json& value) {
  Json json = Json::parse(json_of({}));
  json[name] = value;
  return json.dump();
}

TEST(SweepOptions, DefaultIsTheTutorialsRunForOneEpochOf300000Symbols) {
  const RunOptions run =
      SweepOptions().of_cell({.num_steps = 5, .hidden_size = 16, .learning_rate = 0.1, .seed = 3});
  EXPECT_EQ(run.trainer.epochs, 1);
  EXPECT_EQ(run.series.series_length, 300'000);
  EXPECT_EQ(run.windows.batch_size, 3);
  EXPECT_EQ(run.windows.num_steps, 5);
  EXPECT_EQ(run.model.hidden_size, 16);
  EXPECT_EQ(run.optimizer.learning_rate, 0.1);
  EXPECT_EQ(run.seed, 3);
}

TEST(SweepOptions, AreCheckedForEveryCell) {
  SweepOptions options;
  EXPECT_EQ(validation_refusal(options), "accepted");
  options.run.series.series_length = 30;
  EXPECT_EQ(validation_refusal(options),
            "num_steps must be at most 10, the length of a row (30 symbols in 3 rows), got 15; "
            "--batch-size 2 --num-steps 15 would fit");
  options = {};
  options.grid.learning_rate = {0.1, -1.0};
  EXPECT_EQ(validation_refusal(options), "learning_rate must be a finite positive number, got -1");
  options = {};
  options.workers = 0;
  EXPECT_EQ(validation_refusal(options), "workers must be from 1 to 1024, got 0");
  options = {};
  options.run.evaluation.eval_length = 0;
  EXPECT_EQ(validation_refusal(options), "eval_length must be at least 1, got 0");
  options = {};
  options.shard = {.index = 1, .count = 2};
  EXPECT_EQ(validation_refusal(options), "shard needs --out, the folder that all shards share");
}

TEST(SweepJson, KeepsTheGridAndEveryOption) {
  SweepOptions options;
  options.grid = {.num_steps = {2, 5}, .hidden_size = {3}, .learning_rate = {0.1, 0.3}, .seeds = 7};
  options.run.windows.batch_size = 20;
  const SweepConfig config = parse_sweep_json(json_of(options), "sweep.json");
  EXPECT_EQ(config.grid, options.grid);
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"model", "manual"},  {"engine", "fused"},  {"epochs", "1"},      {"series_length", "300000"},
      {"batch_size", "20"}, {"optimizer", "sgd"}, {"dtype", "float32"}, {"eval_length", "200000"}};
  EXPECT_EQ(config.options, expected);
}

TEST(SweepJson, AnotherSweepMayNotGoOn) {
  const SweepConfig saved = parse_sweep_json(json_of({}), "sweep.json");
  const auto refusal_with = [&](const SweepOptions& options) -> std::string {
    try {
      check_same_sweep(saved, parse_sweep_json(json_of(options), "sweep.json"), "DIR");
    } catch (const InvalidOption& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(refusal_with({}), "accepted");
  SweepOptions options;
  options.grid.seeds = 6;
  EXPECT_EQ(refusal_with(options), "seeds cannot change when a sweep goes on: got 6, DIR has 5");
  options = {};
  options.grid.hidden_size = {2, 4};
  EXPECT_EQ(refusal_with(options),
            "hidden_size cannot change when a sweep goes on: got 2,4, DIR has 2,4,8,16");
  options = {};
  options.run.dtype = Precision::kFloat64;
  EXPECT_EQ(refusal_with(options),
            "dtype cannot change when a sweep goes on: got float64, DIR has float32");
}

TEST(SweepJson, HasADigestOfAllButItsVersions) {
  const auto digest = [](const std::string& text) {
    return sweep_digest(parse_sweep_json(text, "sweep.json"));
  };
  const std::string before = digest(json_of({}));
  EXPECT_EQ(before.size(), 64U);
  EXPECT_EQ(digest(with("versions", {{"unroll", "another"}})), before);
  EXPECT_NE(digest(with("num_steps", {1, 2})), before);
  EXPECT_NE(digest(with("hidden_size", {2})), before);
  EXPECT_NE(digest(with("learning_rate", {0.1})), before);
  EXPECT_NE(digest(with("seeds", 4)), before);
  EXPECT_NE(digest(with("epochs", 2)), before);
  EXPECT_NE(digest(with("eval_length", 100)), before);
}

TEST(SweepJson, IsNotTrusted) {
  EXPECT_EQ(refusal_of(json_of({})), "accepted");
  EXPECT_EQ(refusal_of("{"), "sweep.json: it is no valid JSON");
  EXPECT_EQ(refusal_of("[]"), "sweep.json: is no JSON object");
  EXPECT_EQ(refusal_of(with("num_steps", 5)), "sweep.json: num_steps must be a list of numbers");
  EXPECT_EQ(refusal_of(with("num_steps", {1, -2})),
            "sweep.json: num_steps must be a list of numbers");
  EXPECT_EQ(refusal_of(with("hidden_size", {2, 2})),
            "sweep.json: hidden_size must have each value once, got 2 twice");
  EXPECT_EQ(refusal_of(with("learning_rate", Json::array())),
            "sweep.json: learning_rate must have at least one value");
  EXPECT_EQ(refusal_of(with("seeds", "5")), "sweep.json: seeds must be a count");
  EXPECT_EQ(refusal_of(with("process", nullptr)),
            "sweep.json: has another process than this version can sample");
  Json json = Json::parse(json_of({}));
  json.erase("dtype");
  EXPECT_EQ(refusal_of(json.dump()), "sweep.json: has no dtype");
}

}  // namespace
}  // namespace unroll
