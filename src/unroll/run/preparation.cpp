#include <unroll/run/preparation.h>

#include <ATen/Parallel.h>

#include <algorithm>
#include <utility>

#include <unroll/base/file.h>
#include <unroll/base/sha256.h>
#include <unroll/data/class_set.h>
#include <unroll/data/csv.h>
#include <unroll/run/weights_file.h>
#include <unroll/train/data_parallel.h>
#include <unroll/train/device.h>
#include <unroll/train/engine_choice.h>
#include <unroll/train/memory.h>

namespace unroll {
namespace {

/// The user's own series: a CSV file's in memory, that of a series file left there.
Series read_series(const std::string& path, PreparedRun& run) {
  if (is_series_file(path)) {
    auto file = std::make_shared<const SeriesFile>(path);
    run.digests.data = file->digest();
    return series_in(std::move(file));
  }
  const std::string text = read_file(path);
  run.digests.data = sha256_hex(text);
  Series series = parse_csv(text, path);
  run.class_gaps = ClassSet(series).describe_gaps();
  return series;
}

/// The user's series if there is one, else a sampled one; sets what a file decides in `options`
/// and in `run`.
std::unique_ptr<SeriesSource> make_source(RunOptions& options, PreparedRun& run) {
  if (run.process) {
    return std::make_unique<BackgroundSource>(
        std::make_unique<SampledSource>(*run.process, options.series.series_length,
                                        static_cast<std::uint32_t>(options.seed)),
        options.trainer.epochs);
  }
  Series series = read_series(options.data, run);
  options.series.series_length = series.length();
  options.model.num_classes = series.num_classes;
  return std::make_unique<FixedSource>(std::move(series));
}

/// Where a model of a run is trained.
EngineSite site_of(const RunOptions& options, torch::Device device, bool in_ranks) {
  return {.device = device,
          .shape = {.batch_size = options.windows.batch_size,
                    .num_steps = options.windows.num_steps,
                    .num_classes = options.model.num_classes,
                    .hidden_size = options.model.hidden_size},
          .precision = options.dtype,
          .cuda = plugin_for(device),
          .in_ranks = in_ranks};
}

/// Of one of so many ranks, with its rows of a window.
MemoryDemand memory_demand(const RunOptions& options, torch::Device device,
                           std::vector<EngineChoice> engines, std::int64_t ranks) {
  for (EngineChoice& engine : engines) {
    if (engine == EngineChoice::kAuto) {
      engine = resolve_engine(engine, site_of(options, device, ranks > 1), options.optimizer);
    }
  }
  // A user's own series is in memory by now, or stays in its file, and the evaluation takes a part
  // of it; of the sampled ones the next is made in time.
  const bool is_own = !options.data.empty();
  WindowOptions windows = options.windows;
  windows.batch_size = (windows.batch_size - 1) / ranks + 1;
  const std::int64_t eval_length = options.evaluation.eval_length;
  return {.series_length = is_own ? 0 : options.series.series_length,
          .series_held = options.trainer.epochs > 1 ? 2 : 1,
          .eval_length = is_own ? std::min(eval_length, options.series.series_length) : eval_length,
          .series_in_file = is_own && is_series_file(options.data),
          .windows = windows,
          .model = options.model,
          .optimizer = options.optimizer,
          .precision = options.dtype,
          .engines = std::move(engines),
          .in_ranks = ranks > 1};
}

}  // namespace

PreparedRun prepare_run(RunOptions options, std::vector<EngineChoice> engines, const Ranks* ranks) {
  options.validate();
  PreparedRun run;
  run.device = resolve_device(device_for(options.device, engines),
                              ranks == nullptr ? std::nullopt : std::optional(ranks->local_rank()));
  if (ranks != nullptr) {
    check_data_parallel(*ranks, options.windows.batch_size, run.device, plugin_for(run.device));
  }
  at::set_num_threads(static_cast<int>(options.threads));
  if (options.data.empty()) {
    run.process = LaggedProcess::tutorial();
  }
  run.source = make_source(options, run);
  options.windows.validate_for(options.series.series_length);
  check_memory(
      memory_demand(options, run.device, std::move(engines), ranks == nullptr ? 1 : ranks->size()),
      available_memory());
  run.options = std::move(options);
  return run;
}

std::string data_digest(const std::string& path) {
  return is_series_file(path) ? SeriesFile(path).digest() : sha256_of_file(path);
}

torch::Dtype to_torch(Precision precision) {
  return precision == Precision::kFloat64 ? torch::kFloat64 : torch::kFloat32;
}

Weights initial_weights(PreparedRun& run) {
  const RunOptions& options = run.options;
  const torch::Dtype dtype = to_torch(options.dtype);
  if (options.init.empty()) {
    return glorot_weights(options.model, static_cast<std::uint32_t>(options.seed), dtype);
  }
  const std::string bytes = read_file(options.init);
  run.digests.init = sha256_hex(bytes);
  return parse_weights(bytes, options.init, options.model, dtype);
}

Trainee make_trainee(const PreparedRun& run, const Weights& weights, ModelKind model,
                     EngineChoice engine, Ranks* ranks) {
  ModelOptions model_options = run.options.model;
  model_options.model = model;
  const EngineSite site = site_of(run.options, run.device, ranks != nullptr);
  Trainee trainee = {.model = make_model(model_options, to_torch(run.options.dtype), run.device),
                     .engine_choice = resolve_engine(engine, site, run.options.optimizer),
                     .engine = nullptr};
  trainee.model->set_weights(weights);
  trainee.engine =
      ranks == nullptr
          ? make_engine(trainee.engine_choice, trainee.model, run.options.optimizer, site.cuda)
          : make_parallel_engine(trainee.engine_choice, trainee.model, run.options.optimizer,
                                 *ranks, run.options.windows.batch_size);
  return trainee;
}

}  // namespace unroll
