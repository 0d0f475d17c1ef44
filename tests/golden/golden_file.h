// The golden runs in this folder, as the tests want them.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <unroll/data/lagged_process.h>
#include <unroll/data/options.h>
#include <unroll/data/series_source.h>
#include <unroll/model/options.h>
#include <unroll/model/weights.h>
#include <unroll/train/options.h>

namespace unroll::testing {

/// A golden run. README.md says what its files hold.
class GoldenFile {
 public:
  /// What a file calls its variables.
  struct Variables {
    const char* W;
    const char* b;
    const char* V;
    const char* c;
  };

  GoldenFile(const std::string& name, const Variables& variables)
      : json_(nlohmann::json::parse(std::ifstream(UNROLL_GOLDEN_DIR "/" + name + ".json"))),
        variables_(variables) {}

  [[nodiscard]] WindowOptions windows() const {
    return {.batch_size = json_["batch_size"], .num_steps = json_["num_steps"]};
  }
  [[nodiscard]] ModelOptions model(ModelKind kind) const {
    return {.model = kind, .num_classes = 2, .hidden_size = json_["hidden_size"]};
  }
  [[nodiscard]] OptimizerOptions optimizer() const {
    const std::string name = json_.value("optimizer", "sgd");
    return {.optimizer = from_name<OptimizerKind>(name).value(),
            .learning_rate = json_["learning_rate"]};
  }
  [[nodiscard]] std::int64_t epochs() const { return json_["epochs"]; }
  [[nodiscard]] SampledSource source() const {
    return {LaggedProcess::tutorial(), json_["series_length"], json_["numpy_seed"]};
  }
  [[nodiscard]] Weights initial_weights() const { return weights(json_["initial_parameters"]); }
  [[nodiscard]] Weights final_weights() const { return weights(json_["final_parameters"]); }
  [[nodiscard]] torch::Tensor final_state() const { return matrix(json_["final_state"]); }
  [[nodiscard]] std::vector<double> numbers(const char* key) const { return json_[key]; }

 private:
  static torch::Tensor vector(const nlohmann::json& json) {
    return torch::tensor(json.get<std::vector<double>>(), torch::kFloat64);
  }
  static torch::Tensor matrix(const nlohmann::json& json) {
    std::vector<torch::Tensor> rows;
    for (const auto& row : json) {
      rows.push_back(vector(row));
    }
    return torch::stack(rows);
  }
  [[nodiscard]] Weights weights(const nlohmann::json& json) const {
    const torch::Tensor cell = matrix(json[variables_.W]);  // [2 + H, H]
    return {.input_weight = cell.narrow(0, 0, 2).t(),
            .recurrent_weight = cell.narrow(0, 2, cell.size(1)).t(),
            .bias = vector(json[variables_.b]),
            .readout_weight = matrix(json[variables_.V]).t(),
            .readout_bias = vector(json[variables_.c])};
  }

  nlohmann::json json_;
  Variables variables_;
};

}  // namespace unroll::testing
