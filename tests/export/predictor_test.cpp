// What a predictor says is what the model says, however the stream is cut.

#include <unroll/export/predictor.h>

#include <gtest/gtest.h>
#include <torch/script.h>

#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include <unroll/base/error.h>
#include <unroll/export/torchscript.h>
#include <unroll/model/model.h>
#include <unroll/run/weights_file.h>

#include "../support/temp_dir.h"
#include "../support/tensors.h"

namespace unroll {
namespace {

using testing::TempDir;

constexpr ModelOptions kNetworkSizes = {.num_classes = 5, .hidden_size = 7};

Weights some_weights(torch::Dtype dtype) {
  Weights weights = testing::spread_weights(kNetworkSizes, dtype);
  weights.recurrent_weight *= 0.3;  // no chaos: rounding errors fade, as in a trained network
  return weights;
}

/// What the model says of all symbols at once: [symbols * C].
std::vector<double> said_by_model(const Weights& weights,
                                  const std::vector<std::int64_t>& symbols) {
  const torch::NoGradGuard no_grad;
  const auto model = make_model(kNetworkSizes, weights.bias.scalar_type(), torch::kCPU);
  model->set_weights(weights);
  const auto count = static_cast<std::int64_t>(symbols.size());
  const torch::Tensor logits =
      model->forward(testing::int64(symbols, {1, count}), model->initial_state(1)).logits;
  return testing::numbers(logits.to(torch::kFloat64).softmax(2));
}

TEST(Predictor, SaysWhatTheModelSays) {
  const std::vector<std::int64_t> symbols = testing::scrambled_series(3'000, 5)->inputs;
  for (const auto& [dtype, tolerance] :
       {std::pair(torch::kFloat64, 1e-14), {torch::kFloat32, 1e-6}}) {
    const Weights weights = some_weights(dtype);
    testing::expect_near(Predictor(weights).advance(symbols), said_by_model(weights, symbols),
                         tolerance);
  }
}

TEST(Predictor, CarriesItsStateHoweverTheStreamIsCut) {
  const Weights weights = some_weights(torch::kFloat32);
  const std::vector<std::int64_t> symbols = testing::scrambled_series(1'000, 5)->inputs;
  Predictor predictor(weights);
  std::vector<double> said;
  for (std::size_t first = 0, count = 0; first < symbols.size(); first += count, ++count) {
    const auto begin = symbols.begin() + static_cast<std::ptrdiff_t>(first);
    const auto length = static_cast<std::ptrdiff_t>(std::min(count, symbols.size() - first));
    const std::vector<double> next = predictor.advance({begin, begin + length});
    said.insert(said.end(), next.begin(), next.end());
  }
  EXPECT_EQ(said, Predictor(weights).advance(symbols));
}

TEST(Predictor, LargeLogitsAreNoTrouble) {
  Weights weights = some_weights(torch::kFloat64);
  weights.readout_bias = testing::float64({0.0, 2'000.0, 0.0, -2'000.0, 0.0}, {5});
  EXPECT_EQ(Predictor(weights).advance({4}), (std::vector<double>{0.0, 1.0, 0.0, 0.0, 0.0}));
}

TEST(Predictor, RefusesASymbolThatIsNoClass) {
  Predictor predictor(some_weights(torch::kFloat32));
  EXPECT_THROW(predictor.advance({5}), std::invalid_argument);
  EXPECT_THROW(predictor.advance({-1}), std::invalid_argument);
  EXPECT_TRUE(predictor.advance({}).empty());
}

TEST(Predictor, OpensAModuleAndAWeightsFile) {
  const TempDir folder;
  const std::vector<std::int64_t> symbols = {0, 4, 2, 2, 1, 3, 0, 0};
  for (const torch::Dtype dtype : {torch::kFloat32, torch::kFloat64}) {
    const Weights weights = some_weights(dtype);
    save_torchscript(folder / "model.pt", weights, "{}");
    save_weights(folder / "weights.safetensors", weights);
    const std::vector<double> expected = Predictor(weights).advance(symbols);
    EXPECT_EQ(Predictor::open(folder / "model.pt").advance(symbols), expected);
    EXPECT_EQ(Predictor::open(folder / "weights.safetensors").advance(symbols), expected);
  }
}

// What is no module of ours.

class ForeignModule : public ::testing::Test {
 protected:
  ForeignModule() {
    save_torchscript(file(), some_weights(torch::kFloat32), "{}");
    module = torch::jit::load(file());
  }

  [[nodiscard]] std::string file() const { return folder / "model.pt"; }

  void expect_refused(const std::string& part) const {
    try {
      (void)load_torchscript(file());
      FAIL() << "taken, where expected: " << part;
    } catch (const FileError& error) {
      const std::string message = error.what();
      EXPECT_TRUE(message.starts_with(file() + ": ")) << message;
      EXPECT_NE(message.find(part), std::string::npos) << message;
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    }
  }

  TempDir folder;
  torch::jit::Module module;
};

TEST_F(ForeignModule, ThatComputesSomethingElseIsRefused) {
  torch::jit::Module other("Other");
  other.register_module("rnn", module.attr("rnn").toModule());
  other.register_module("readout", module.attr("readout").toModule());
  other.define(R"(
def forward(self, inputs: Tensor, state: Tensor) -> Tuple[Tensor, Tensor]:
    return torch.zeros([inputs.size(0), inputs.size(1), 5], dtype=state.dtype), state

def initial_state(self, batch_size: int) -> Tensor:
    return torch.zeros([batch_size, 7], dtype=self.rnn.bias_ih_l0.dtype)
)");
  other.save(file());
  expect_refused("is no module of unroll-export's: its logits differ");
}

TEST_F(ForeignModule, ThatCannotBeRunIsRefused) {
  torch::jit::Module other("Other");
  other.register_module("rnn", module.attr("rnn").toModule());
  other.register_module("readout", module.attr("readout").toModule());
  other.save(file());
  expect_refused("is no module of unroll-export's: it cannot be run as one");
}

TEST_F(ForeignModule, OfOtherParametersIsRefused) {
  module.register_parameter("gain", torch::ones({3}), false);
  module.save(file());
  expect_refused("has a tensor gain that the model does not know");
}

TEST_F(ForeignModule, OfAnotherDtypeIsRefused) {
  module.to(torch::kHalf);
  module.save(file());
  expect_refused("must be float32 or float64");
}

TEST_F(ForeignModule, WithAWeightThatIsNoNumberIsRefused) {
  const torch::NoGradGuard no_grad;
  module.attr("readout").toModule().attr("bias").toTensor().fill_(
      std::numeric_limits<float>::quiet_NaN());
  module.save(file());
  expect_refused("readout.bias has a value that is not finite");
}

TEST_F(ForeignModule, WithoutANetworkIsRefused) {
  torch::jit::Module("Empty").save(file());
  expect_refused("holds no network of Unroll's");
}

TEST_F(ForeignModule, OfWhichAPartIsMissingIsRefused) {
  const std::string bytes = testing::read_bytes(file());
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{4}, bytes.size() / 2, bytes.size() - 1}) {
    testing::write_bytes(file(), bytes.substr(0, size));
    expect_refused("is no TorchScript module, or a damaged one");
  }
}

}  // namespace
}  // namespace unroll
