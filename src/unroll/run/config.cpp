#include <unroll/run/config.h>

#include <torch/version.h>

#include <filesystem>

#include <unroll/run/json.h>
#include <unroll/version.h>

namespace unroll {
namespace {

/// A path that still names the file when the run is repeated from another folder; null for none.
Json absolute(const std::string& path) {
  return path.empty() ? Json() : Json(std::filesystem::absolute(path).lexically_normal().string());
}

Json to_json(const std::optional<LaggedProcess>& process) {
  if (!process) {
    return nullptr;
  }
  Json effects = Json::array();
  for (const auto& [lag, effect] : process->effects()) {
    effects.push_back({{"lag", lag}, {"effect", effect}});
  }
  return {{"base", process->base()}, {"effects", effects}};
}

}  // namespace

std::string config_json(const RunOptions& options, const ResolvedRun& resolved,
                        const std::optional<LaggedProcess>& process) {
  Json json = {
      {"model", name_of(options.model.model)},
      {"engine", name_of(resolved.engine)},
      {"device", resolved.device},
      {"epochs", options.trainer.epochs},
      {"series_length", options.series.series_length},
      {"batch_size", options.windows.batch_size},
      {"num_steps", options.windows.num_steps},
      {"num_classes", options.model.num_classes},
      {"hidden_size", options.model.hidden_size},
      {"learning_rate", options.optimizer.learning_rate},
      {"optimizer", name_of(options.optimizer.optimizer)},
      {"dtype", name_of(options.dtype)},
      {"seed", options.seed},
      {"threads", options.threads},
      {"log_every", options.trainer.log_every},
      {"data", absolute(options.data)},
      {"init", absolute(options.init)},
      {"process", to_json(process)},
      {"versions", {{"unroll", kVersion}, {"libtorch", TORCH_VERSION}, {"compiler", __VERSION__}}}};
  if (!resolved.fault.empty()) {
    json["fault"] = resolved.fault;
  }
  return to_text(json);
}

}  // namespace unroll
