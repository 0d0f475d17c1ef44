#include <unroll/run/training_run.h>

#include <ATen/Parallel.h>

#include <chrono>
#include <memory>
#include <utility>

#include <unroll/base/error.h>
#include <unroll/base/file.h>
#include <unroll/data/csv.h>
#include <unroll/data/series_source.h>
#include <unroll/model/model.h>
#include <unroll/run/config.h>
#include <unroll/run/metrics.h>
#include <unroll/run/run_directory.h>
#include <unroll/run/weights_file.h>
#include <unroll/train/autograd_engine.h>
#include <unroll/train/device.h>
#include <unroll/train/memory.h>
#include <unroll/train/trainer.h>

namespace unroll {
namespace {

torch::Dtype to_torch(Precision precision) {
  return precision == Precision::kFloat64 ? torch::kFloat64 : torch::kFloat32;
}

/// The user's series if there is one, else a sampled one; sets what a file decides in `options`.
std::unique_ptr<SeriesSource> make_source(RunOptions& options,
                                          const std::optional<LaggedProcess>& process) {
  if (process) {
    return std::make_unique<SampledSource>(*process, options.series.series_length,
                                           static_cast<std::uint32_t>(options.seed));
  }
  Series series = read_csv(options.data);
  options.series.series_length = series.length();
  options.model.num_classes = series.num_classes;
  return std::make_unique<FixedSource>(std::move(series));
}

Weights initial_weights(const RunOptions& options) {
  const torch::Dtype dtype = to_torch(options.dtype);
  return options.init.empty()
             ? glorot_weights(options.model, static_cast<std::uint64_t>(options.seed), dtype)
             : load_weights(options.init, options.model, dtype);
}

/// A window's loss is of the weights before its update: the last update's come to light here.
void check_finite(const Weights& weights) {
  for (const torch::Tensor& tensor : {weights.input_weight, weights.recurrent_weight, weights.bias,
                                      weights.readout_weight, weights.readout_bias}) {
    if (!torch::isfinite(tensor).all().item<bool>()) {
      throw DivergenceError(
          "the last window's update left weights that are not finite; try a smaller learning rate");
    }
  }
}

}  // namespace

Summary run_training(RunOptions options, RunObserver& observer) {
  const auto begin = std::chrono::steady_clock::now();
  options.validate();
  const torch::Device device = resolve_device(options.device);
  const ResolvedRun resolved = {.engine = EngineChoice::kAutograd, .device = device.str()};
  at::set_num_threads(static_cast<int>(options.threads));

  std::optional<LaggedProcess> process;
  std::optional<Floors> floors;
  if (options.data.empty()) {
    process = LaggedProcess::tutorial();
    floors = process->floors(options.windows.num_steps);
  }
  const std::unique_ptr<SeriesSource> source = make_source(options, process);
  options.windows.validate_for(options.series.series_length);
  check_memory(options.series.series_length, options.windows, options.model, options.optimizer,
               options.dtype, available_memory());

  const std::shared_ptr<RecurrentModel> model =
      make_model(options.model, to_torch(options.dtype), device);
  model->set_weights(initial_weights(options));
  AutogradEngine engine(model, options.optimizer);

  const std::string directory =
      make_run_directory(options.out, std::string(name_of(options.model.model)));
  write_file(directory + "/config.json", config_json(options, resolved, process));
  MetricsFile metrics(directory + "/metrics.csv");
  observer.on_start(
      {.options = options,
       .engine = std::string(name_of(resolved.engine)),
       .device = resolved.device,
       .process = process,
       .floors = floors,
       .windows_per_epoch = options.windows.window_count(options.series.series_length),
       .run_directory = directory});

  const TrainingResult result =
      train(engine, *source, options.windows, options.trainer, device, [&](const LogRow& row) {
        metrics.append(row);
        observer.on_row(row);
      });
  metrics.sync();
  const Weights weights = model->weights();
  check_finite(weights);
  save_weights(directory + "/weights.safetensors", weights);

  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  Summary summary = {.model = std::string(name_of(options.model.model)),
                     .engine = std::string(name_of(resolved.engine)),
                     .device = resolved.device,
                     .dtype = std::string(name_of(options.dtype)),
                     .seed = options.seed,
                     .epochs = options.trainer.epochs,
                     .windows = result.windows,
                     .final_loss = result.final_loss,
                     .last_epoch_loss = result.last_epoch_loss,
                     .seconds = elapsed.count(),
                     .data_seconds = result.data_seconds,
                     .train_seconds = result.train_seconds,
                     .floors = floors,
                     .num_steps = options.windows.num_steps,
                     .run_directory = directory};
  write_file(directory + "/summary.json", summary.to_json());
  return summary;
}

}  // namespace unroll
