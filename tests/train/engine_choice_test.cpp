#include <unroll/train/engine_choice.h>

#include <gtest/gtest.h>
#include <torch/types.h>

#include <string>

#include <unroll/base/error.h>
#include <unroll/train/autograd_engine.h>
#include <unroll/train/fused_engine.h>

namespace unroll {
namespace {

TEST(ResolveEngine, AutoIsFusedOnTheCpuWithSgdAndElseAutograd) {
  EXPECT_EQ(resolve_engine(EngineChoice::kAuto, torch::kCPU, {}), EngineChoice::kFused);
  EXPECT_EQ(resolve_engine(EngineChoice::kAuto, torch::kCUDA, {}), EngineChoice::kAutograd);
  for (const OptimizerKind optimizer : {OptimizerKind::kAdagrad, OptimizerKind::kAdam}) {
    EXPECT_EQ(resolve_engine(EngineChoice::kAuto, torch::kCPU, {.optimizer = optimizer}),
              EngineChoice::kAutograd);
  }
}

TEST(ResolveEngine, KeepsWhatWasNamed) {
  EXPECT_EQ(resolve_engine(EngineChoice::kAutograd, torch::kCPU, {}), EngineChoice::kAutograd);
  EXPECT_EQ(resolve_engine(EngineChoice::kFused, torch::kCPU, {}), EngineChoice::kFused);
}

std::string refusal(torch::Device device, OptimizerKind optimizer) {
  try {
    resolve_engine(EngineChoice::kFused, device, {.optimizer = optimizer});
  } catch (const InvalidOption& error) {
    EXPECT_EQ(error.option(), "engine");
    return error.problem();
  }
  return "none";
}

TEST(ResolveEngine, RefusesFusedWhereItDoesNotApply) {
  EXPECT_EQ(refusal(torch::kCPU, OptimizerKind::kAdam),
            "fused trains with the optimizer sgd only, got adam");
  EXPECT_EQ(refusal(torch::kCUDA, OptimizerKind::kSgd), "fused trains on the CPU only, got cuda");
}

TEST(DeviceFor, AutoIsTheCpuWhereTheFusedEngineIsAskedFor) {
  using enum DeviceChoice;
  EXPECT_EQ(device_for(kAuto, {EngineChoice::kFused}), kCpu);
  EXPECT_EQ(device_for(kAuto, {EngineChoice::kAutograd, EngineChoice::kFused}), kCpu);
  EXPECT_EQ(device_for(kAuto, {EngineChoice::kAuto, EngineChoice::kAutograd}), kAuto);
  EXPECT_EQ(device_for(kCuda, {EngineChoice::kFused}), kCuda) << "which is refused later";
}

TEST(MakeEngine, MakesWhatTheChoiceNames) {
  const auto model = make_model({}, torch::kFloat32, torch::kCPU);
  const auto fused = make_engine(EngineChoice::kFused, model, {});
  const auto autograd = make_engine(EngineChoice::kAutograd, model, {});
  EXPECT_NE(dynamic_cast<const FusedEngine*>(fused.get()), nullptr);
  EXPECT_NE(dynamic_cast<const AutogradEngine*>(autograd.get()), nullptr);
}

}  // namespace
}  // namespace unroll
