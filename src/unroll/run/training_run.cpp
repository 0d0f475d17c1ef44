#include <unroll/run/training_run.h>

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <utility>

#include <unroll/base/error.h>
#include <unroll/base/file.h>
#include <unroll/run/config.h>
#include <unroll/run/metrics.h>
#include <unroll/run/preparation.h>
#include <unroll/run/run_directory.h>
#include <unroll/run/weights_file.h>
#include <unroll/train/trainer.h>

namespace unroll {

namespace {

/// A window's loss is of the weights before its update: the last update's come to light here.
void check_finite(const Weights& weights) {
  for (const auto& [name, tensor] : named_tensors(weights)) {
    const auto [least, most] = torch::aminmax(tensor);  // both NaN if any is; needs no memory
    if (!std::isfinite(least.item<double>()) || !std::isfinite(most.item<double>())) {
      throw DivergenceError(fmt::format(
          "the last window's update left {} not finite; try a smaller learning rate", name));
    }
  }
}

}  // namespace

Summary run_training(RunOptions requested, RunObserver& observer) {
  const auto begin = std::chrono::steady_clock::now();
  const EngineChoice engine = requested.engine;
  PreparedRun run = prepare_run(std::move(requested), {engine});
  const RunOptions& options = run.options;
  const Trainee trainee = make_trainee(run, options.model.model, engine);
  run.initial_weights = {};  // the model has its own by now
  const ResolvedRun resolved = {.engine = trainee.engine_choice, .device = run.device.str()};
  const auto floors =
      run.process ? std::optional(run.process->floors(options.windows.num_steps)) : std::nullopt;

  const std::string directory =
      make_run_directory(options.out, std::string(name_of(options.model.model)));
  write_file(directory + "/config.json", config_json(options, resolved, run.process));
  MetricsFile metrics(directory + "/metrics.csv");
  observer.on_start(
      {.options = options,
       .engine = std::string(name_of(resolved.engine)),
       .device = resolved.device,
       .process = run.process,
       .floors = floors,
       .windows_per_epoch = options.windows.window_count(options.series.series_length),
       .run_directory = directory});

  const TrainingResult result = train(*trainee.engine, *run.source, options.windows,
                                      options.trainer, run.device, [&](const LogRow& row) {
                                        metrics.append(row);
                                        observer.on_row(row);
                                      });
  metrics.sync();
  const Weights weights = trainee.model->weights();
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
