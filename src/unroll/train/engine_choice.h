// Which engine trains a run: the one place where that is decided.
#pragma once

#include <torch/types.h>

#include <memory>
#include <vector>

#include <unroll/model/model.h>
#include <unroll/train/engine.h>
#include <unroll/train/options.h>

namespace unroll {

/// The engine that a choice means on this device with this optimizer: auto is the fused one
/// wherever it applies.
/// @throws InvalidOption if the fused engine is asked for where it does not apply
EngineChoice resolve_engine(EngineChoice choice, torch::Device device,
                            const OptimizerOptions& optimizer);

/// Where these engines are to train: one that trains on the CPU alone decides where auto is.
DeviceChoice device_for(DeviceChoice device, const std::vector<EngineChoice>& engines);

/// Makes the engine that a resolved choice names.
/// @throws InvalidOption if the learning rate is not a finite positive number
std::unique_ptr<Engine> make_engine(EngineChoice resolved, std::shared_ptr<RecurrentModel> model,
                                    const OptimizerOptions& optimizer);

}  // namespace unroll
