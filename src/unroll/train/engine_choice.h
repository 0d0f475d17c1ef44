// Which engine trains a run: the one place where that is decided.
#pragma once

#include <torch/types.h>

#include <memory>
#include <vector>

#include <unroll/cuda/plugin.h>
#include <unroll/kernels/shape.h>
#include <unroll/model/model.h>
#include <unroll/train/engine.h>
#include <unroll/train/options.h>

namespace unroll {

/// Where a step is executed; on a GPU, also on what sizes and by whose help.
struct EngineSite {
  torch::Device device = torch::kCPU;
  kernels::StepShape shape = {};
  Precision precision = Precision::kFloat32;
  cuda::FoundPlugin cuda = {};
  bool in_ranks = false;  ///< one of several that train together
};

/// The plugin for a device: what find_plugin() finds for a GPU.
cuda::FoundPlugin plugin_for(torch::Device device);

/// The engine that a choice means there with this optimizer: auto is the fused one wherever it
/// applies.
/// @throws InvalidOption if the fused engine is asked for where it does not apply
EngineChoice resolve_engine(EngineChoice choice, const EngineSite& site,
                            const OptimizerOptions& optimizer);

/// Where these engines are to train: auto is the CPU for the fused one, which trains any size
/// there.
DeviceChoice device_for(DeviceChoice device, const std::vector<EngineChoice>& engines);

/// Makes the engine that a resolved choice names, on the model's device. On a GPU autograd's step
/// is recorded where there is a plugin.
/// @throws InvalidOption if the learning rate is not a finite positive number
std::unique_ptr<Engine> make_engine(EngineChoice resolved, std::shared_ptr<RecurrentModel> model,
                                    const OptimizerOptions& optimizer,
                                    const cuda::FoundPlugin& cuda = {});

}  // namespace unroll
