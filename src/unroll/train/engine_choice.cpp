#include <unroll/train/engine_choice.h>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <unroll/base/error.h>
#include <unroll/train/autograd_engine.h>
#include <unroll/train/fused_engine.h>

namespace unroll {

EngineChoice resolve_engine(EngineChoice choice, torch::Device device,
                            const OptimizerOptions& optimizer) {
  const bool is_sgd = optimizer.optimizer == OptimizerKind::kSgd;
  if (choice == EngineChoice::kFused && !is_sgd) {
    throw InvalidOption("engine", fmt::format("fused trains with the optimizer sgd only, got {}",
                                              name_of(optimizer.optimizer)));
  }
  if (choice == EngineChoice::kFused && !device.is_cpu()) {
    throw InvalidOption("engine",
                        fmt::format("fused trains on the CPU only, got {}", device.str()));
  }
  if (choice == EngineChoice::kAuto) {
    return is_sgd && device.is_cpu() ? EngineChoice::kFused : EngineChoice::kAutograd;
  }
  return choice;
}

DeviceChoice device_for(DeviceChoice device, const std::vector<EngineChoice>& engines) {
  const bool is_for_cpu =
      std::find(engines.begin(), engines.end(), EngineChoice::kFused) != engines.end();
  return device == DeviceChoice::kAuto && is_for_cpu ? DeviceChoice::kCpu : device;
}

std::unique_ptr<Engine> make_engine(EngineChoice resolved, std::shared_ptr<RecurrentModel> model,
                                    const OptimizerOptions& optimizer) {
  if (resolved == EngineChoice::kFused) {
    return std::make_unique<FusedEngine>(std::move(model), optimizer);
  }
  return std::make_unique<AutogradEngine>(std::move(model), optimizer);
}

}  // namespace unroll
