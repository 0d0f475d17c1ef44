// Both models against an implementation in plain NumPy float64, over more shapes and optimizers.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include <unroll/model/model.h>
#include <unroll/train/autograd_engine.h>
#include <unroll/train/trainer.h>

#include "../support/tensors.h"
#include "golden_file.h"

namespace unroll {
namespace {

class NumpyGoldenTest : public ::testing::TestWithParam<std::tuple<const char*, ModelKind>> {};

INSTANTIATE_TEST_SUITE_P(Runs, NumpyGoldenTest,
                         ::testing::Combine(::testing::Values("sgd_b8_h16_t5", "adagrad_b8_h16_t5",
                                                              "sgd_b3_h4_t10", "sgd_b1_h5_t1"),
                                            ::testing::Values(ModelKind::kManual,
                                                              ModelKind::kBuiltin)),
                         [](const auto& run) {
                           return std::string(std::get<0>(run.param)) + "_" +
                                  std::string(name_of(std::get<1>(run.param)));
                         });

TEST_P(NumpyGoldenTest, EveryWindowsLossAndTheFinalWeightsAreNumpys) {
  const auto [name, kind] = GetParam();
  const testing::GoldenFile golden(std::string("numpy_") + name, {"W", "b", "V", "c"});
  const auto model = make_model(golden.model(kind), torch::kFloat64, torch::kCPU);
  model->set_weights(golden.initial_weights());
  AutogradEngine engine(model, golden.optimizer());
  SampledSource source = golden.source();
  std::vector<double> losses;
  train(engine, source, golden.windows(), {.epochs = golden.epochs(), .log_every = 1}, torch::kCPU,
        [&](const LogRow& row) { losses.push_back(row.mean_loss); });
  ASSERT_EQ(losses.size(), 1000U);
  testing::expect_near(losses, golden.numbers("window_losses"), 1e-10);
  const auto expected = named_tensors(golden.final_weights());
  const auto actual = named_tensors(model->weights());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    SCOPED_TRACE(expected[i].name);
    testing::expect_near(testing::numbers(actual[i].tensor), testing::numbers(expected[i].tensor),
                         1e-9);
  }
}

}  // namespace
}  // namespace unroll
