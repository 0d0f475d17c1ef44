// Trains a small network on a process of its own, with the installed library.
#include <ATen/Parallel.h>
#include <unroll/data/series_source.h>
#include <unroll/model/model.h>
#include <unroll/train/autograd_engine.h>
#include <unroll/train/trainer.h>
#include <iostream>

using namespace unroll;

int main() {
  at::set_num_threads(1);  // More threads slow such a small network down.
  const ModelOptions sizes = {.hidden_size = 16};
  const auto model = make_model(sizes, torch::kFloat32, torch::kCPU);
  model->set_weights(glorot_weights(sizes, /*seed=*/0, torch::kFloat32));
  AutogradEngine engine(model, {.learning_rate = 0.2});

  const LaggedProcess process(/*base=*/0.2, {{.lag = 2, .effect = 0.6}});
  SampledSource source(process, /*length=*/30'000, /*seed=*/0);
  train(engine, source, {.batch_size = 3, .num_steps = 10}, {.epochs = 3, .log_every = 1'000},
        torch::kCPU,
        [](const LogRow& row) { std::cout << row.epoch << ": " << row.mean_loss << '\n'; });
  std::cout << "floor: " << process.floor(0b1) << '\n';
}
