#include <unroll/train/engine_choice.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include <unroll/base/error.h>
#include <unroll/train/autograd_engine.h>
#include <unroll/train/block_engine.h>
#include <unroll/train/fused_engine.h>
#include <unroll/train/graph_engine.h>

namespace unroll {
namespace {

/// Why the fused engine does not apply; empty if it does.
std::string fused_problem(const EngineSite& site, const OptimizerOptions& optimizer) {
  if (optimizer.optimizer != OptimizerKind::kSgd) {
    return fmt::format("fused trains with the optimizer sgd only, got {}",
                       name_of(optimizer.optimizer));
  }
  if (site.device.is_cpu()) {
    return {};
  }
  if (site.in_ranks) {
    return fmt::format("fused trains on {} in one process only; several take autograd",
                       site.device.str());
  }
  if (site.cuda.plugin == nullptr) {
    return fmt::format("fused needs Unroll's CUDA library on {}: {}", site.device.str(),
                       site.cuda.problem);
  }
  const std::size_t shared_bytes = site.cuda.plugin->shared_bytes();
  if (shared_bytes == 0) {
    return fmt::format("fused was not compiled for the GPU that {} is here", site.device.str());
  }
  if (!fits_in_block(site.shape, site.precision, shared_bytes)) {
    return fmt::format(
        "fused trains on {} only what fits in {} KiB of its memory, network and window together; "
        "autograd trains any size",
        site.device.str(), shared_bytes / 1024);
  }
  return {};
}

}  // namespace

cuda::FoundPlugin plugin_for(torch::Device device) {
  return device.is_cuda() ? cuda::find_plugin() : cuda::FoundPlugin{};
}

EngineChoice resolve_engine(EngineChoice choice, const EngineSite& site,
                            const OptimizerOptions& optimizer) {
  if (choice == EngineChoice::kAutograd) {
    return choice;
  }
  const std::string problem = fused_problem(site, optimizer);
  if (problem.empty()) {
    return EngineChoice::kFused;
  }
  if (choice == EngineChoice::kFused) {
    throw InvalidOption("engine", problem);
  }
  return EngineChoice::kAutograd;
}

DeviceChoice device_for(DeviceChoice device, const std::vector<EngineChoice>& engines) {
  const bool is_for_cpu =
      std::find(engines.begin(), engines.end(), EngineChoice::kFused) != engines.end();
  return device == DeviceChoice::kAuto && is_for_cpu ? DeviceChoice::kCpu : device;
}

std::unique_ptr<Engine> make_engine(EngineChoice resolved, std::shared_ptr<RecurrentModel> model,
                                    const OptimizerOptions& optimizer,
                                    const cuda::FoundPlugin& cuda) {
  const bool is_fused = resolved == EngineChoice::kFused;
  if (cuda.plugin != nullptr) {
    if (is_fused) {
      return std::make_unique<BlockEngine>(std::move(model), optimizer, *cuda.plugin);
    }
    return std::make_unique<GraphEngine>(std::move(model), optimizer, cuda.plugin->make_graph());
  }
  if (is_fused) {
    return std::make_unique<FusedEngine>(std::move(model), optimizer);
  }
  return std::make_unique<AutogradEngine>(std::move(model), optimizer);
}

}  // namespace unroll
