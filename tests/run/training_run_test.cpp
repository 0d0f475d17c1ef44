// A whole run as a library call, and the folder it leaves.

#include <unroll/run/training_run.h>

#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <unroll/base/error.h>
#include <unroll/data/lagged_process.h>
#include <unroll/data/series_source.h>
#include <unroll/evaluation/evaluator.h>
#include <unroll/model/model.h>
#include <unroll/model/weights.h>
#include <unroll/run/weights_file.h>
#include <unroll/train/autograd_engine.h>
#include <unroll/train/trainer.h>

#include "../support/temp_dir.h"
#include "../support/tensors.h"

namespace unroll {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using testing::TempDir;

/// Keeps what it is told.
class RowRecorder final : public RunObserver {
 public:
  void on_start(const RunStart& started) override {
    start = started;
    files_at_start = testing::names_in(started.run_directory);
  }
  void on_row(const LogRow& row) override {
    rows.push_back(row);
    metrics_at_row.push_back(testing::read_bytes(start->run_directory + "/metrics.csv"));
  }
  void on_warning(const std::string& warning) override { warnings.push_back(warning); }

  std::optional<RunStart> start;
  std::set<std::string> files_at_start;
  std::vector<LogRow> rows;
  std::vector<std::string> metrics_at_row;
  std::vector<std::string> warnings;
};

class TrainingRunTest : public ::testing::Test {
 protected:
  /// A run of 2 epochs of 20 windows, with a row every 8.
  [[nodiscard]] RunOptions small() const {
    RunOptions options;
    options.series.series_length = 607;
    options.trainer = {.epochs = 2, .log_every = 8};
    options.device = DeviceChoice::kCpu;
    options.seed = 5;
    options.evaluation.eval_length = 500;
    options.out = out();
    return options;
  }

  [[nodiscard]] std::string out() const { return directory / "runs/one"; }

  [[nodiscard]] std::string text(const std::string& name) const {
    return testing::read_bytes(out() + "/" + name);
  }

  [[nodiscard]] Json json(const std::string& name) const { return Json::parse(text(name)); }

  /// Expects the run to be refused for this option, before its folder is made.
  void expect_option_refused(const RunOptions& options, const std::string& option) {
    try {
      run_training(options, recorder);
      ADD_FAILURE() << option << " was taken";
    } catch (const InvalidOption& error) {
      EXPECT_EQ(error.option(), option) << error.what();
    }
    expect_no_trace();
  }

  void expect_no_trace() {
    EXPECT_FALSE(fs::exists(directory / "runs"));
    EXPECT_FALSE(recorder.start.has_value());
  }

  TempDir directory;
  RowRecorder recorder;
};

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    result.push_back(line);
  }
  return result;
}

std::vector<std::string> fields(const std::string& line) {
  std::vector<std::string> result;
  std::istringstream stream(line);
  for (std::string field; std::getline(stream, field, ',');) {
    result.push_back(field);
  }
  return result;
}

TEST_F(TrainingRunTest, EvaluatesTheTrainedModelOnAnotherSeries) {
  RunOptions options = small();
  options.evaluation.eval_length = 2'000;
  run_training(options, recorder);
  const Json evaluation = json("summary.json")["evaluation"];
  EXPECT_EQ(evaluation["series"], "held out");
  EXPECT_EQ(evaluation["symbols"], 2'000);
  const auto model = make_model(options.model, torch::kFloat32, torch::kCPU);
  model->set_weights(load_weights(out() + "/weights.safetensors", options.model, torch::kFloat32));
  const LaggedProcess process = LaggedProcess::tutorial();
  const Evaluation expected = evaluate(*model, held_out_series(process, 2'000, 5), process);
  EXPECT_EQ(evaluation["loss"].get<double>(), expected.loss.value);
  EXPECT_EQ(evaluation["combinations"].size(), 4U);
  EXPECT_EQ(evaluation["profile"].size(), 21U);
}

TEST_F(TrainingRunTest, EvaluatesOnlyIfAskedTo) {
  RunOptions options = small();
  options.evaluation.eval_length = 0;
  run_training(options, recorder);
  EXPECT_TRUE(json("summary.json")["evaluation"].is_null());
}

TEST_F(TrainingRunTest, EvaluatesAUsersSeriesOnItself) {
  testing::write_bytes(directory / "my.csv", testing::csv_of(*testing::scrambled_series(700, 3)));
  RunOptions options = small();
  options.data = directory / "my.csv";
  run_training(options, recorder);
  const Json evaluation = json("summary.json")["evaluation"];
  EXPECT_EQ(evaluation["series"], "training");
  EXPECT_EQ(evaluation["symbols"], 240) << "half of 500 warm the state up, then 12 rows of 20";
  EXPECT_TRUE(evaluation["combinations"].empty());
  EXPECT_EQ(evaluation["profile"].size(), 21U);
}

TEST_F(TrainingRunTest, LeavesItsFilesAndNothingElse) {
  const Summary summary = run_training(small(), recorder).summary.value();
  EXPECT_EQ(summary.run_directory, out());
  EXPECT_EQ(testing::names_in(out()),
            (std::set<std::string>{"SHA256SUMS", "checkpoints", "config.json", "metrics.csv",
                                   "summary.json", "weights.safetensors"}));
}

TEST_F(TrainingRunTest, TrainsWhatItsPartsTrain) {
  for (const ModelKind kind : {ModelKind::kManual, ModelKind::kBuiltin}) {
    SCOPED_TRACE(name_of(kind));
    RunOptions options = small();
    options.out = directory / name_of(kind);
    options.model.model = kind;
    options.optimizer = {.optimizer = OptimizerKind::kAdam, .learning_rate = 0.05};
    options.dtype = Precision::kFloat64;
    const Summary summary = run_training(options, recorder).summary.value();

    const auto model = make_model(options.model, torch::kFloat64, torch::kCPU);
    model->set_weights(glorot_weights(options.model, 5, torch::kFloat64));
    AutogradEngine engine(model, options.optimizer);
    SampledSource source(LaggedProcess::tutorial(), 607, 5);
    const TrainingResult result = train(engine, source, options.windows, options.trainer,
                                        torch::kCPU, [](const LogRow& /*row*/) {});
    EXPECT_EQ(summary.windows, 40);
    EXPECT_EQ(summary.final_loss, result.progress.final_loss);
    EXPECT_EQ(summary.last_epoch_loss, result.progress.last_epoch_loss);
    EXPECT_TRUE(testing::same(
        load_weights(options.out + "/weights.safetensors", options.model, torch::kFloat64),
        model->weights()));
  }
}

TEST_F(TrainingRunTest, WritesARowForEveryRowItReports) {
  run_training(small(), recorder);
  const std::vector<std::string> rows = lines(text("metrics.csv"));
  ASSERT_EQ(rows.size(), 7U);
  EXPECT_TRUE(rows[0].starts_with("epoch,window,mean_loss,")) << rows[0];
  const std::vector<std::string> expected = {"1,8", "1,16", "1,20", "2,8", "2,16", "2,20"};
  ASSERT_EQ(recorder.rows.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const std::vector<std::string> columns = fields(rows[i + 1]);
    ASSERT_EQ(columns.size(), fields(rows[0]).size());
    EXPECT_EQ(columns[0] + "," + columns[1], expected[i]);
    EXPECT_EQ(recorder.rows[i].windows_per_epoch, 20);
    // 9 significant digits are at most half a unit of the ninth away.
    EXPECT_NEAR(std::stod(columns[2]), recorder.rows[i].mean_loss, 1e-9);
  }
  EXPECT_EQ(text("metrics.csv").back(), '\n');
}

TEST_F(TrainingRunTest, WritesTheMetricsAsItGoes) {
  run_training(small(), recorder);
  ASSERT_EQ(recorder.metrics_at_row.size(), 6U);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(lines(recorder.metrics_at_row[i]).size(), i + 2) << "at row " << i;
  }
}

TEST_F(TrainingRunTest, HasItsConfigurationFromTheStart) {
  run_training(small(), recorder);
  EXPECT_TRUE(recorder.files_at_start.contains("config.json"));
  EXPECT_FALSE(recorder.files_at_start.contains("summary.json"));
  EXPECT_FALSE(recorder.files_at_start.contains("weights.safetensors"));
}

TEST_F(TrainingRunTest, ItsConfigurationRepeatsTheRun) {
  run_training(small(), recorder);
  const Json config = json("config.json");
  EXPECT_EQ(config["model"], "manual");
  EXPECT_EQ(config["engine"], "fused");
  EXPECT_EQ(config["device"], "cpu");
  EXPECT_EQ(config["dtype"], "float32");
  EXPECT_EQ(config["optimizer"], "sgd");
  EXPECT_EQ(config["learning_rate"], 0.2);
  EXPECT_EQ(config["epochs"], 2);
  EXPECT_EQ(config["series_length"], 607);
  EXPECT_EQ(config["batch_size"], 3);
  EXPECT_EQ(config["num_steps"], 10);
  EXPECT_EQ(config["num_classes"], 2);
  EXPECT_EQ(config["hidden_size"], 4);
  EXPECT_EQ(config["seed"], 5);
  EXPECT_EQ(config["threads"], 1);
  EXPECT_EQ(config["log_every"], 8);
}

TEST_F(TrainingRunTest, TellsItsObserverWhatItDecided) {
  RunOptions options = small();
  options.engine = EngineChoice::kAuto;
  run_training(options, recorder);
  ASSERT_TRUE(recorder.start.has_value());
  EXPECT_EQ(recorder.start->engine, "fused");
  EXPECT_EQ(recorder.start->device, "cpu");
  EXPECT_EQ(recorder.start->windows_per_epoch, 20);
  EXPECT_EQ(recorder.start->run_directory, out());
  ASSERT_TRUE(recorder.start->process.has_value());
  ASSERT_TRUE(recorder.start->floors.has_value());
  EXPECT_NEAR(recorder.start->floors->none, 0.6615632, 1e-7);
  EXPECT_NEAR(recorder.start->floors->all, 0.4544544, 1e-7);
  EXPECT_NEAR(recorder.start->floors->no_carry, 0.5489, 5e-5);
}

TEST_F(TrainingRunTest, ItsSummaryIsWhatItReturns) {
  const Summary summary = run_training(small(), recorder).summary.value();
  const Json json = this->json("summary.json");
  EXPECT_EQ(json["model"], "manual");
  EXPECT_EQ(json["engine"], "fused");
  EXPECT_EQ(json["device"], "cpu");
  EXPECT_EQ(json["dtype"], "float32");
  EXPECT_EQ(json["seed"], 5);
  EXPECT_EQ(json["epochs"], 2);
  EXPECT_EQ(json["windows"], 40);
  EXPECT_NEAR(json["final_loss"].get<double>(), summary.final_loss, 1e-9);
  EXPECT_EQ(summary.final_loss, recorder.rows.back().mean_loss);
  EXPECT_EQ(json["run_directory"], out());
  EXPECT_NEAR(json["floors"]["per_lag"]["3"].get<double>(), 0.5191667, 1e-7);
  EXPECT_NEAR(json["floors"]["per_lag"]["8"].get<double>(), 0.6277412, 1e-7);
  EXPECT_GT(summary.train_seconds, 0.0);
  EXPECT_GT(summary.data_seconds, 0.0);
  EXPECT_GE(summary.seconds, summary.train_seconds + summary.data_seconds);
  EXPECT_NEAR(json["microseconds_per_window"].get<double>(), summary.train_seconds * 1e6 / 40,
              1e-6 * summary.train_seconds * 1e6);
}

TEST_F(TrainingRunTest, GivesTheSameBytesAgain) {
  RunOptions options = small();
  run_training(options, recorder);
  RowRecorder again;
  options.out = directory / "runs/two";
  run_training(options, again);
  EXPECT_EQ(text("weights.safetensors"), testing::read_bytes(options.out + "/weights.safetensors"));
  EXPECT_EQ(text("config.json"), testing::read_bytes(options.out + "/config.json"));
  ASSERT_EQ(again.rows.size(), recorder.rows.size());
  for (std::size_t i = 0; i < again.rows.size(); ++i) {
    EXPECT_EQ(again.rows[i].mean_loss, recorder.rows[i].mean_loss);
  }
}

TEST_F(TrainingRunTest, AnotherSeedIsAnotherRun) {
  RunOptions options = small();
  const Summary one = run_training(options, recorder).summary.value();
  options.out = directory / "runs/two";
  options.seed = 6;
  EXPECT_NE(run_training(options, recorder).summary.value().final_loss, one.final_loss);
}

TEST_F(TrainingRunTest, SetsLibTorchsThreads) {
  RunOptions options = small();
  options.series.series_length = 30;
  options.trainer.epochs = 1;
  options.threads = 2;
  run_training(options, recorder);
  EXPECT_EQ(at::get_num_threads(), 2);
  at::set_num_threads(1);
}

TEST_F(TrainingRunTest, TakesAnEmptyFolder) {
  fs::create_directories(out());
  run_training(small(), recorder);
  EXPECT_TRUE(fs::exists(out() + "/summary.json"));
}

TEST_F(TrainingRunTest, NeverTouchesAFolderThatHoldsSomething) {
  fs::create_directories(out());
  testing::write_bytes(out() + "/config.json", "mine");
  EXPECT_THROW(run_training(small(), recorder), FileError);
  EXPECT_EQ(text("config.json"), "mine");
  EXPECT_EQ(testing::names_in(out()), (std::set<std::string>{"config.json"}));
  EXPECT_FALSE(recorder.start.has_value());
}

// --- The user's own series -------------------------------------------------------------------

/// A CSV of 120 rows with 3 input and 4 target classes.
std::string csv() {
  std::string text = "input,target\n";
  for (int t = 0; t < 120; ++t) {
    text += std::to_string(t * t % 3) + "," + std::to_string(t % 4) + "\n";
  }
  return text;
}

TEST_F(TrainingRunTest, TrainsOnTheUsersSeriesAndFillsInWhatTheFileDecides) {
  const std::string data = directory / "series.csv";
  testing::write_bytes(data, csv());
  RunOptions options = small();
  options.data = data;
  const Summary summary = run_training(options, recorder).summary.value();

  EXPECT_EQ(recorder.start->options.series.series_length, 120);
  EXPECT_EQ(recorder.start->options.model.num_classes, 4);
  EXPECT_EQ(recorder.start->windows_per_epoch, 4);  // 120 / 3 / 10
  EXPECT_FALSE(recorder.start->process.has_value());
  EXPECT_FALSE(recorder.start->floors.has_value());
  EXPECT_FALSE(summary.floors.has_value());
  EXPECT_EQ(summary.windows, 8);
  const Json config = json("config.json");
  EXPECT_EQ(config["series_length"], 120);
  EXPECT_EQ(config["num_classes"], 4);
  EXPECT_EQ(config["data"], fs::absolute(data).string());
  EXPECT_TRUE(config["process"].is_null());
  EXPECT_TRUE(json("summary.json")["floors"].is_null());
  const Weights weights =
      load_weights(out() + "/weights.safetensors", {.num_classes = 4}, torch::kFloat32);
  EXPECT_EQ(weights.input_weight.sizes().vec(), (std::vector<std::int64_t>{4, 4}));
}

TEST_F(TrainingRunTest, GivesTheUsersSeriesAnewEveryEpoch) {
  // At a learning rate too small to move a float32 weight, the epochs cannot differ otherwise.
  testing::write_bytes(directory / "series.csv", csv());
  RunOptions options = small();
  options.data = directory / "series.csv";
  options.optimizer.learning_rate = 1e-30;
  options.trainer = {.epochs = 3, .log_every = 100};
  run_training(options, recorder);
  ASSERT_EQ(recorder.rows.size(), 3U);
  EXPECT_EQ(recorder.rows[1].mean_loss, recorder.rows[0].mean_loss);
  EXPECT_EQ(recorder.rows[2].mean_loss, recorder.rows[0].mean_loss);
}

TEST_F(TrainingRunTest, ChecksTheSizesAgainstTheUsersSeries) {
  testing::write_bytes(directory / "series.csv", "input,target\n0,1\n1,0\n");
  RunOptions options = small();  // its own series_length would be long enough
  options.data = directory / "series.csv";
  expect_option_refused(options, "batch_size");
  options.windows.batch_size = 2;
  expect_option_refused(options, "num_steps");
}

TEST_F(TrainingRunTest, RefusesABrokenSeriesBeforeTheFolderIsMade) {
  RunOptions options = small();
  options.data = directory / "series.csv";
  EXPECT_THROW(run_training(options, recorder), FileError);
  expect_no_trace();
  testing::write_bytes(options.data, "input,target\n0,1\nx,1\n");
  try {
    run_training(options, recorder);
    FAIL() << "was taken";
  } catch (const FileError& error) {
    EXPECT_EQ(std::string(error.what()),
              options.data + ":3: input must be an integer class, got 'x'");
  }
  expect_no_trace();
}

// --- Initial weights -------------------------------------------------------------------------

TEST_F(TrainingRunTest, StartsFromTheWeightsItIsGiven) {
  const std::string init = directory / "init.safetensors";
  RunOptions options = small();
  const Weights weights = testing::spread_weights(options.model, torch::kFloat32);
  save_weights(init, weights);
  options.init = init;
  options.optimizer.learning_rate = 1e-30;  // moves nothing
  run_training(options, recorder);
  EXPECT_TRUE(testing::same(
      load_weights(out() + "/weights.safetensors", options.model, torch::kFloat32), weights));
  EXPECT_EQ(json("config.json")["init"], fs::absolute(init).string());
}

TEST_F(TrainingRunTest, RefusesWeightsThatDoNotFitBeforeTheFolderIsMade) {
  const std::string init = directory / "init.safetensors";
  save_weights(init, testing::spread_weights({.hidden_size = 5}, torch::kFloat32));
  RunOptions options = small();
  options.init = init;
  try {
    run_training(options, recorder);
    FAIL() << "was taken";
  } catch (const FileError& error) {
    EXPECT_EQ(std::string(error.what()),
              init + ": rnn.weight_ih_l0 must have shape [4, 2], got [5, 2]");
  }
  expect_no_trace();
}

// --- What is refused, and what goes wrong on the way -------------------------------------------

TEST_F(TrainingRunTest, RefusesBadOptionsBeforeTheFolderIsMade) {
  const auto refused = [&](const std::string& option, auto&& change) {
    RunOptions options = small();
    change(options);
    expect_option_refused(options, option);
  };
  refused("batch_size", [](RunOptions& options) { options.windows.batch_size = 0; });
  refused("batch_size", [](RunOptions& options) { options.windows.batch_size = 608; });
  refused("num_steps", [](RunOptions& options) { options.windows.num_steps = 203; });
  refused("hidden_size", [](RunOptions& options) { options.model.hidden_size = -1; });
  refused("series_length", [](RunOptions& options) { options.series.series_length = 0; });
  refused("learning_rate", [](RunOptions& options) { options.optimizer.learning_rate = 0.0; });
  refused("epochs", [](RunOptions& options) { options.trainer.epochs = 0; });
  refused("log_every", [](RunOptions& options) { options.trainer.log_every = 0; });
  refused("seed", [](RunOptions& options) { options.seed = -1; });
  refused("threads", [](RunOptions& options) { options.threads = 0; });
}

TEST_F(TrainingRunTest, RefusesSizesWhoseMemoryCannotBeHad) {
  const auto refused = [&](const std::string& option, auto&& change) {
    RunOptions options = small();
    change(options);
    expect_option_refused(options, option);
  };
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  refused("series_length", [](RunOptions& options) { options.series.series_length = kMost; });
  refused("hidden_size", [](RunOptions& options) { options.model.hidden_size = kMost; });
  refused("hidden_size", [](RunOptions& options) { options.model.hidden_size = 100'000'000; });
}

TEST_F(TrainingRunTest, RefusesCudaWithoutADriverBeforeTheFolderIsMade) {
  if (::dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL) != nullptr) {
    GTEST_SKIP() << "this machine has an NVIDIA driver";
  }
  RunOptions options = small();
  options.device = DeviceChoice::kCuda;
  expect_option_refused(options, "device");
}

TEST_F(TrainingRunTest, KeepsTheRowsOfARunThatDiverges) {
  RunOptions options = small();
  options.optimizer.learning_rate = 1e38;
  options.trainer.log_every = 1;
  EXPECT_THROW(run_training(options, recorder), DivergenceError);
  EXPECT_EQ(testing::names_in(out()),
            (std::set<std::string>{"checkpoints", "config.json", "metrics.csv"}));
  EXPECT_EQ(lines(text("metrics.csv")).size(), recorder.rows.size() + 1);
  EXPECT_GE(recorder.rows.size(), 1U);
}

TEST_F(TrainingRunTest, SaysHowMuchOfTheSeriesFillsNoWindow) {
  RunOptions options = small();
  options.windows = {.batch_size = 64, .num_steps = 9};  // 576 of 607 symbols
  run_training(options, recorder);
  EXPECT_EQ(recorder.warnings,
            std::vector<std::string>{
                "31 of 607 symbols (5.1 %) fill no window of 64 x 9 and are never trained on"});
  EXPECT_EQ(json("config.json")["unused_symbols"], 31);
  EXPECT_EQ(json("summary.json")["unused_symbols"], 31);
}

TEST_F(TrainingRunTest, IsSilentOnAnUnusedRestOfOnePercent) {
  RunOptions options = small();
  options.series.series_length = 606;  // of which 600 are used
  run_training(options, recorder);
  EXPECT_EQ(recorder.warnings, std::vector<std::string>{});
}

class ThrowingObserver final : public RunObserver {
 public:
  explicit ThrowingObserver(bool at_start) : at_start_(at_start) {}
  void on_start(const RunStart& /*start*/) override {
    if (at_start_) {
      throw std::runtime_error("at the start");
    }
  }
  void on_row(const LogRow& row) override {
    if (row.epoch == 2) {
      throw std::runtime_error("at a row");
    }
  }
  void on_warning(const std::string& /*warning*/) override {}

 private:
  bool at_start_;
};

TEST_F(TrainingRunTest, LetsItsObserversExceptionsThrough) {
  for (const auto& [at_start, message] :
       std::vector<std::pair<bool, std::string>>{{true, "at the start"}, {false, "at a row"}}) {
    RunOptions options = small();
    options.out = directory / message;
    ThrowingObserver observer(at_start);
    try {
      run_training(options, observer);
      FAIL() << "the exception was swallowed";
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(std::string(error.what()), message);
    }
    EXPECT_FALSE(fs::exists(options.out + "/summary.json"));
    // The row was in the file before the observer heard of it.
    EXPECT_EQ(lines(testing::read_bytes(options.out + "/metrics.csv")).size(),
              at_start ? 1U : 1U + 4U);
  }
}

}  // namespace
}  // namespace unroll
