// config.json: everything needed to repeat a run.

#include <unroll/run/config.h>

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace unroll {
namespace {

using SortedJson = nlohmann::json;

/// Options of which none has its default.
RunOptions unusual_options() {
  return {.model = {.model = ModelKind::kBuiltin, .num_classes = 7, .hidden_size = 11},
          .series = {.series_length = 12'345},
          .windows = {.batch_size = 13, .num_steps = 17},
          .optimizer = {.optimizer = OptimizerKind::kAdam, .learning_rate = 0.001},
          .trainer = {.epochs = 19, .log_every = 23},
          .engine = EngineChoice::kAuto,
          .device = DeviceChoice::kAuto,
          .dtype = Precision::kFloat64,
          .seed = 29,
          .threads = 31,
          .data = "my data/series.csv",
          .init = "/weights/start.safetensors",
          .out = "run"};
}

SortedJson config(const RunOptions& options, const std::optional<LaggedProcess>& process) {
  return SortedJson::parse(
      config_json(options, {.engine = EngineChoice::kAutograd, .device = "cuda"}, process));
}

TEST(Config, HasEveryOptionUnderItsFlagsName) {
  const SortedJson json = config(unusual_options(), std::nullopt);
  const SortedJson expected = {{"model", "builtin"},
                               {"engine", "autograd"},
                               {"device", "cuda"},
                               {"epochs", 19},
                               {"series_length", 12'345},
                               {"batch_size", 13},
                               {"num_steps", 17},
                               {"num_classes", 7},
                               {"hidden_size", 11},
                               {"learning_rate", 0.001},
                               {"optimizer", "adam"},
                               {"dtype", "float64"},
                               {"seed", 29},
                               {"threads", 31},
                               {"log_every", 23}};
  for (const auto& [key, value] : expected.items()) {
    EXPECT_EQ(json.value(key, SortedJson()), value) << key;
    EXPECT_EQ(json.value(key, SortedJson()).is_number_float(), value.is_number_float()) << key;
  }
}

TEST(Config, ResolvesAuto) {
  const SortedJson json = config(RunOptions(), std::nullopt);
  EXPECT_EQ(json["engine"], "autograd");
  EXPECT_EQ(json["device"], "cuda");
}

TEST(Config, HasTheNumberOfRanks) {
  const std::string alone = config_json(RunOptions(), {.device = "cpu"}, LaggedProcess::tutorial());
  EXPECT_EQ(parse_config(alone, "config.json").ranks, 1);
  SortedJson json = SortedJson::parse(
      config_json(RunOptions(), {.device = "cpu", .ranks = 3}, LaggedProcess::tutorial()));
  EXPECT_EQ(json["ranks"], 3);
  EXPECT_EQ(parse_config(json.dump(), "config.json").ranks, 3);
  json.erase("ranks");  // as before there were ranks
  EXPECT_EQ(parse_config(json.dump(), "config.json").ranks, 1);
}

TEST(Config, SaysFromWhichWindowTheLearningRateHolds) {
  SortedJson json = SortedJson::parse(config_json(
      RunOptions(), {.device = "cpu", .learning_rate_from = 20'000}, LaggedProcess::tutorial()));
  EXPECT_EQ(json["learning_rate_from_window"], 20'000);
  EXPECT_EQ(parse_config(json.dump(), "config.json").learning_rate_from, 20'000);
  json.erase("learning_rate_from_window");  // as before it could change
  EXPECT_EQ(parse_config(json.dump(), "config.json").learning_rate_from, 0);
}

TEST(Config, CountsTheSymbolsThatFillNoWindow) {
  EXPECT_EQ(config(RunOptions(), LaggedProcess::tutorial())["unused_symbols"], 10);
}

TEST(Config, NamesFilesFromAnyFolder) {
  const SortedJson json = config(unusual_options(), std::nullopt);
  EXPECT_EQ(json["data"], (std::filesystem::current_path() / "my data" / "series.csv").string());
  EXPECT_EQ(json["init"], "/weights/start.safetensors");
}

TEST(Config, FilesThatAreNotUsedAreNull) {
  const SortedJson json = config(RunOptions(), LaggedProcess::tutorial());
  EXPECT_TRUE(json.contains("data"));
  EXPECT_TRUE(json["data"].is_null());
  EXPECT_TRUE(json.contains("init"));
  EXPECT_TRUE(json["init"].is_null());
}

TEST(Config, HasTheProcess) {
  EXPECT_EQ(config(RunOptions(), LaggedProcess::tutorial())["process"], SortedJson::parse(R"(
      {"base": 0.5, "effects": [{"lag": 3, "effect": 0.5}, {"lag": 8, "effect": -0.25}]})"));
}

TEST(Config, AProcessWithoutLagsHasAListOfNone) {
  EXPECT_EQ(config(RunOptions(), LaggedProcess(0.25, {}))["process"],
            SortedJson::parse(R"({"base": 0.25, "effects": []})"));
}

TEST(Config, AUsersOwnSeriesHasNoProcess) {
  const SortedJson json = config(unusual_options(), std::nullopt);
  EXPECT_TRUE(json.contains("process"));
  EXPECT_TRUE(json["process"].is_null());
}

TEST(Config, NamesTheVersions) {
  const SortedJson versions = config(RunOptions(), std::nullopt)["versions"];
  for (const char* key : {"unroll", "libtorch", "compiler"}) {
    EXPECT_TRUE(versions.value(key, SortedJson()).is_string()) << key;
  }
}

TEST(Config, KeepsEveryDigitOfTheLearningRate) {
  RunOptions options;
  options.optimizer.learning_rate = 0.1 + 0.2;
  EXPECT_EQ(config(options, std::nullopt)["learning_rate"].get<double>(), 0.1 + 0.2);
}

TEST(Config, EndsWithANewline) {
  EXPECT_EQ(
      config_json(RunOptions(), {.engine = EngineChoice::kAutograd, .device = "cpu"}, std::nullopt)
          .back(),
      '\n');
}

TEST(Config, AFilesNameNeedNotBeUtf8) {
  RunOptions options;
  options.data = "s\xE9rie.csv";  // Latin-1
  EXPECT_NO_THROW(config(options, std::nullopt));
}

}  // namespace
}  // namespace unroll
