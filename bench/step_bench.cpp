// Google Benchmark of the training step as the trainer runs it, Engine::advance() over a chunk of
// windows: both engines, both models, at the sizes of the table in docs/speed.md. Beside them the
// most that one core can do. Counters: `window` is the time of one window, `flop` the
// floating-point operations a second, `loss` the mean loss of the first chunk.

#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <unroll/base/named_enum.h>
#include <unroll/data/numpy_random.h>
#include <unroll/data/series_source.h>
#include <unroll/data/window_dataset.h>
#include <unroll/model/model.h>
#include <unroll/train/engine_choice.h>
#include <unroll/train/options.h>

#include "fma_peak.h"

namespace unroll::bench {
namespace {

struct Size {
  std::int64_t B, H, T, C;
  std::int64_t chunk;  ///< windows a call of advance(), and the windows of the counter `loss`
};

/// The tutorial's first. peers.py has the same, chunks included.
constexpr Size kSizes[] = {
    {.B = 3, .H = 4, .T = 10, .C = 2, .chunk = 1000},
    {.B = 3, .H = 16, .T = 10, .C = 2, .chunk = 1000},
    {.B = 200, .H = 16, .T = 5, .C = 2, .chunk = 100},
    {.B = 32, .H = 32, .T = 25, .C = 2, .chunk = 100},
    {.B = 32, .H = 64, .T = 20, .C = 16, .chunk = 100},
    {.B = 64, .H = 256, .T = 64, .C = 2, .chunk = 10},
    {.B = 64, .H = 1024, .T = 32, .C = 2, .chunk = 3},
};

/// Units over all rows, from which on several threads are measured too.
constexpr std::int64_t kLarge = 1024;

/// Different chunks in the data: too much for the nearest caches and for branch prediction.
constexpr std::int64_t kChunks = 10;

/// Inputs drawn from all classes; each target is the input three steps back. numpy.random's stream.
std::shared_ptr<const Series> copying_series(std::int64_t length, std::int64_t num_classes) {
  NumpyRandom random(0);
  const auto series = std::make_shared<Series>();
  series->num_classes = num_classes;
  for (std::int64_t t = 0; t < length; ++t) {
    series->inputs.push_back(
        static_cast<std::int64_t>(random.uniform() * static_cast<double>(num_classes)));
  }
  for (std::int64_t t = 0; t < length; ++t) {
    series->targets.push_back(series->inputs[static_cast<std::size_t>((t + length - 3) % length)]);
  }
  return series;
}

const WindowDataset& windows_of(const Size& size) {
  static std::map<const Size*, WindowDataset> made;
  const auto known = made.find(&size);
  if (known != made.end()) {
    return known->second;
  }
  const std::int64_t length = size.B * size.T * size.chunk * kChunks;
  const auto series = size.C == 2 ? SampledSource(LaggedProcess::tutorial(), length, 0).next()
                                  : copying_series(length, size.C);
  WindowDataset windows(series, {.batch_size = size.B, .num_steps = size.T}, torch::kCPU);
  return made.emplace(&size, std::move(windows)).first->second;
}

void training_step(benchmark::State& state, EngineChoice engine_choice, ModelKind kind,
                   torch::Dtype dtype, const Size& size, int threads) {
  at::set_num_threads(threads);
  const WindowDataset& windows = windows_of(size);
  const ModelOptions options = {.model = kind, .num_classes = size.C, .hidden_size = size.H};
  const auto model = make_model(options, dtype, torch::kCPU);
  model->set_weights(glorot_weights(options, 0, dtype));
  const auto engine = make_engine(engine_choice, model, OptimizerOptions{});

  // The first chunk, untimed, warms up and tells what is computed.
  Advance last =
      engine->advance(windows, {.first = 0, .count = size.chunk}, engine->initial_state(size.B));
  state.counters["loss"] = last.losses.mean().item<double>();

  std::int64_t first = size.chunk;
  for (auto _ : state) {
    last = engine->advance(windows, {.first = first, .count = size.chunk}, std::move(last.state));
    benchmark::DoNotOptimize(last.losses.const_data_ptr());
    first = (first + size.chunk) % windows.window_count();
  }

  const std::int64_t trained = state.iterations() * size.chunk;
  // Of the three products with a matrix [H, H] and the three with one [H, C], at every step.
  const std::int64_t operations = 6 * size.B * size.T * size.H * (size.H + size.C);
  state.counters["window"] = {static_cast<double>(trained),
                              benchmark::Counter::kIsRate | benchmark::Counter::kInvert};
  state.counters["flop"] = {static_cast<double>(trained * operations), benchmark::Counter::kIsRate};
}

void fma_peak(benchmark::State& state, double (*multiply_add)(long rounds)) {
  double operations = 0.0;
  for (auto _ : state) {
    operations += multiply_add(1'000'000);
  }
  state.counters["flop"] = {operations, benchmark::Counter::kIsRate};
}

void register_step(EngineChoice engine, ModelKind model, torch::Dtype dtype, const Size& size,
                   int threads = 1) {
  const std::string name =
      fmt::format("{}/{}/B{}_H{}_T{}_C{}/{}{}", name_of(engine), name_of(model), size.B, size.H,
                  size.T, size.C, dtype == torch::kFloat64 ? "float64" : "float32",
                  threads == 1 ? "" : fmt::format("/{}_threads", threads));
  benchmark::RegisterBenchmark(name.c_str(), [=, &size](benchmark::State& state) {
    training_step(state, engine, model, dtype, size, threads);
  })->UseRealTime();
}

void register_all() {
  benchmark::RegisterBenchmark("fma_peak/float32", fma_peak, multiply_add_single);
  benchmark::RegisterBenchmark("fma_peak/float64", fma_peak, multiply_add_double);
  for (const EngineChoice engine : {EngineChoice::kFused, EngineChoice::kAutograd}) {
    for (const ModelKind model : {ModelKind::kManual, ModelKind::kBuiltin}) {
      for (const Size& size : kSizes) {
        register_step(engine, model, torch::kFloat32, size);
      }
      register_step(engine, model, torch::kFloat64, kSizes[0]);
    }
  }
  const auto cores = static_cast<int>(std::thread::hardware_concurrency());
  for (const Size& size : kSizes) {
    for (int threads = 2; threads <= cores && size.B * size.H >= kLarge; threads *= 2) {
      register_step(EngineChoice::kFused, ModelKind::kManual, torch::kFloat32, size, threads);
      register_step(EngineChoice::kFused, ModelKind::kManual, torch::kFloat64, size, threads);
    }
  }
}

}  // namespace
}  // namespace unroll::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 2;
  }
  benchmark::AddCustomContext("instruction_set", unroll::bench::instruction_set());
  unroll::bench::register_all();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
