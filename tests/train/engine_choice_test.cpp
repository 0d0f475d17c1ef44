#include <unroll/train/engine_choice.h>

#include <gtest/gtest.h>
#include <torch/types.h>

#include <string>

#include <unroll/base/error.h>
#include <unroll/train/autograd_engine.h>
#include <unroll/train/block_engine.h>
#include <unroll/train/fused_engine.h>
#include <unroll/train/graph_engine.h>

#include "../support/cpu_plugin.h"

namespace unroll {
namespace {

constexpr kernels::StepShape kTutorial = {
    .batch_size = 3, .num_steps = 10, .num_classes = 2, .hidden_size = 4};
constexpr kernels::StepShape kWide = {
    .batch_size = 64, .num_steps = 64, .num_classes = 2, .hidden_size = 256};

class ResolveEngine : public ::testing::Test {
 protected:
  [[nodiscard]] EngineSite gpu(const kernels::StepShape& shape) const {
    return {.device = torch::kCUDA, .shape = shape, .cuda = {.plugin = &plugin}};
  }

  [[nodiscard]] static EngineSite in_ranks(EngineSite site) {
    site.in_ranks = true;
    return site;
  }

  testing::CpuPlugin plugin;
  EngineSite cpu;
  EngineSite bare_gpu = {
      .device = torch::kCUDA, .shape = kTutorial, .cuda = {.problem = "it was not found"}};
};

TEST_F(ResolveEngine, AutoIsFusedWhereItAppliesAndElseAutograd) {
  EXPECT_EQ(resolve_engine(EngineChoice::kAuto, cpu, {}), EngineChoice::kFused);
  EXPECT_EQ(resolve_engine(EngineChoice::kAuto, bare_gpu, {}), EngineChoice::kAutograd);
  EXPECT_EQ(resolve_engine(EngineChoice::kAuto, gpu(kTutorial), {}), EngineChoice::kFused);
  EXPECT_EQ(resolve_engine(EngineChoice::kAuto, gpu(kWide), {}), EngineChoice::kAutograd);
  EXPECT_EQ(resolve_engine(EngineChoice::kAuto, in_ranks(gpu(kTutorial)), {}),
            EngineChoice::kAutograd);
  EXPECT_EQ(resolve_engine(EngineChoice::kAuto, in_ranks(cpu), {}), EngineChoice::kFused);
  for (const OptimizerKind optimizer : {OptimizerKind::kAdagrad, OptimizerKind::kAdam}) {
    for (const EngineSite& site : {cpu, gpu(kTutorial)}) {
      EXPECT_EQ(resolve_engine(EngineChoice::kAuto, site, {.optimizer = optimizer}),
                EngineChoice::kAutograd);
    }
  }
}

TEST_F(ResolveEngine, KeepsWhatWasNamed) {
  for (const EngineSite& site : {cpu, gpu(kTutorial)}) {
    EXPECT_EQ(resolve_engine(EngineChoice::kAutograd, site, {}), EngineChoice::kAutograd);
    EXPECT_EQ(resolve_engine(EngineChoice::kFused, site, {}), EngineChoice::kFused);
  }
}

std::string refusal(const EngineSite& site, OptimizerKind optimizer) {
  try {
    resolve_engine(EngineChoice::kFused, site, {.optimizer = optimizer});
  } catch (const InvalidOption& error) {
    EXPECT_EQ(error.option(), "engine");
    return error.problem();
  }
  return "none";
}

TEST_F(ResolveEngine, RefusesFusedWhereItDoesNotApply) {
  EXPECT_EQ(refusal(cpu, OptimizerKind::kAdam),
            "fused trains with the optimizer sgd only, got adam");
  EXPECT_EQ(refusal(bare_gpu, OptimizerKind::kSgd),
            "fused needs Unroll's CUDA library on cuda: it was not found");
  EXPECT_EQ(refusal(gpu(kWide), OptimizerKind::kSgd),
            "fused trains on cuda only what fits in 227 KiB of its memory, network and window "
            "together; autograd trains any size");
  EXPECT_EQ(refusal(in_ranks(gpu(kTutorial)), OptimizerKind::kSgd),
            "fused trains on cuda in one process only; several take autograd");
  const testing::CpuPlugin unknown_gpu(0);
  EXPECT_EQ(
      refusal({.device = torch::kCUDA, .cuda = {.plugin = &unknown_gpu}}, OptimizerKind::kSgd),
      "fused was not compiled for the GPU that cuda is here");
}

TEST(DeviceFor, AutoIsTheCpuWhereTheFusedEngineIsAskedFor) {
  using enum DeviceChoice;
  EXPECT_EQ(device_for(kAuto, {EngineChoice::kFused}), kCpu);
  EXPECT_EQ(device_for(kAuto, {EngineChoice::kAutograd, EngineChoice::kFused}), kCpu);
  EXPECT_EQ(device_for(kAuto, {EngineChoice::kAuto, EngineChoice::kAutograd}), kAuto);
  EXPECT_EQ(device_for(kCuda, {EngineChoice::kFused}), kCuda);
}

TEST(MakeEngine, MakesWhatTheChoiceNames) {
  const auto model = make_model({}, torch::kFloat32, torch::kCPU);
  const auto fused = make_engine(EngineChoice::kFused, model, {});
  const auto autograd = make_engine(EngineChoice::kAutograd, model, {});
  EXPECT_NE(dynamic_cast<const FusedEngine*>(fused.get()), nullptr);
  EXPECT_NE(dynamic_cast<const AutogradEngine*>(autograd.get()), nullptr);

  const testing::CpuPlugin plugin;
  const auto block = make_engine(EngineChoice::kFused, model, {}, {.plugin = &plugin});
  const auto graph = make_engine(EngineChoice::kAutograd, model, {}, {.plugin = &plugin});
  EXPECT_NE(dynamic_cast<const BlockEngine*>(block.get()), nullptr);
  EXPECT_NE(dynamic_cast<const GraphEngine*>(graph.get()), nullptr);
}

}  // namespace
}  // namespace unroll
