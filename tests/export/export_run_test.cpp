// A whole export as a library call: the modules that it leaves, loaded again.

#include <unroll/export/export_run.h>

#include <gtest/gtest.h>
#include <torch/script.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

#include <unroll/base/error.h>
#include <unroll/export/torchscript.h>
#include <unroll/run/training_run.h>
#include <unroll/run/weights_file.h>

#include "../support/temp_dir.h"
#include "../support/tensors.h"

namespace unroll {
namespace {

using testing::TempDir;
using Json = nlohmann::json;

class Silent final : public RunObserver {
 public:
  void on_start(const RunStart& /*start*/) override {}
  void on_row(const LogRow& /*row*/) override {}
  void on_warning(const std::string& /*warning*/) override {}
};

class ExportRunTest : public ::testing::Test {
 protected:
  /// Trains a small model into a folder of this name.
  void train(const std::string& name, ModelKind model, const std::string& init = "",
             double learning_rate = 0.2) const {
    RunOptions options;
    options.model = {.model = model, .hidden_size = 5};
    options.series.series_length = 600;
    options.trainer.epochs = 1;
    options.optimizer.learning_rate = learning_rate;
    options.device = DeviceChoice::kCpu;
    options.init = init;
    options.out = folder / name;
    Silent observer;
    run_training(options, observer);
  }

  void run(const std::string& source, const std::string& output) const {
    run_export({.source = folder / source, .output = folder / output, .weights = ""});
  }

  [[nodiscard]] torch::Tensor logits_of(const std::string& file) const {
    torch::jit::Module module = torch::jit::load(folder / file);
    const torch::Tensor inputs = testing::int64({0, 1, 1, 0, 1, 0, 0, 1, 1, 1}, {2, 5});
    const auto state = module.run_method("initial_state", 2);
    return module.forward({inputs, state}).toTuple()->elements()[0].toTensor();
  }

  /// What an export is refused with.
  [[nodiscard]] static std::string refusal(const ExportOptions& options) {
    try {
      run_export(options);
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  }

  TempDir folder;
};

TEST_F(ExportRunTest, AModuleCarriesItsRunsConfigAndSummary) {
  train("run", ModelKind::kManual);
  run("run", "model.pt");
  torch::jit::ExtraFilesMap files = {{kProvenanceFile, ""}};
  torch::jit::load(folder / "model.pt", torch::kCPU, files);
  const Json provenance = Json::parse(files.at(kProvenanceFile));
  EXPECT_EQ(provenance["source"], folder / "run");
  EXPECT_EQ(provenance["config"], Json::parse(testing::read_bytes(folder / "run/config.json")));
  EXPECT_EQ(provenance["summary"], Json::parse(testing::read_bytes(folder / "run/summary.json")));
}

TEST_F(ExportRunTest, AModuleOfAWeightsFileHasNoConfig) {
  train("run", ModelKind::kManual);
  run("run/weights.safetensors", "model.pt");
  torch::jit::ExtraFilesMap files = {{kProvenanceFile, ""}};
  torch::jit::load(folder / "model.pt", torch::kCPU, files);
  const Json provenance = Json::parse(files.at(kProvenanceFile));
  EXPECT_EQ(provenance["source"], folder / "run/weights.safetensors");
  EXPECT_EQ(provenance["config"], nullptr);
  EXPECT_EQ(provenance["summary"], nullptr);
}

TEST_F(ExportRunTest, BothModelsOfTheSameWeightsGiveTheSameModule) {
  train("manual", ModelKind::kManual);
  train("builtin", ModelKind::kBuiltin, folder / "manual/weights.safetensors", 1e-30);
  run("manual", "a.pt");
  run("builtin", "b.pt");
  EXPECT_TRUE(logits_of("a.pt").equal(logits_of("b.pt")));
  EXPECT_GT(logits_of("a.pt").abs().max().item<double>(), 0.0);
}

TEST_F(ExportRunTest, ARunThatDoesNotFitTogetherIsRefused) {
  train("run", ModelKind::kManual);
  const std::string config = folder / "run/config.json";
  const Json right = Json::parse(testing::read_bytes(config));
  const std::pair<const char*, Json> wrong[] = {
      {"hidden_size", 8}, {"num_classes", "2"}, {"dtype", "float64"}};
  for (const auto& [key, value] : wrong) {
    Json changed = right;
    changed[key] = value;
    testing::write_bytes(config, changed.dump());
    EXPECT_EQ(refusal({.source = folder / "run", .output = folder / "model.pt", .weights = ""}),
              folder / "run" + ": config.json has " + key + " " + value.dump() +
                  ", weights.safetensors has " + right[key].dump());
  }
  EXPECT_EQ(testing::names_in(folder.path()), std::set<std::string>{"run"});
}

TEST_F(ExportRunTest, NeitherFileAppearsWhereOneCannotBeWritten) {
  const std::string source = folder / "source";
  save_weights(source, testing::spread_weights({.hidden_size = 5}, torch::kFloat32));
  const std::string output = folder / "model.pt";
  const std::string weights = folder / "none/weights";
  EXPECT_EQ(refusal({.source = source, .output = output, .weights = weights}),
            weights + ": cannot be written: No such file or directory");
  EXPECT_EQ(testing::names_in(folder.path()), std::set<std::string>{"source"});
}

}  // namespace
}  // namespace unroll
