// Trains a few windows with the installed library, as another project would.
#include <iostream>

#include <unroll/data/series_source.h>
#include <unroll/model/model.h>
#include <unroll/train/autograd_engine.h>
#include <unroll/train/trainer.h>
#include <unroll/version.h>

int main() {
  const unroll::ModelOptions model_options = {.model = unroll::ModelKind::kBuiltin};
  const auto model = unroll::make_model(model_options, torch::kFloat32, torch::kCPU);
  model->set_weights(unroll::glorot_weights(model_options, 0, torch::kFloat32));

  unroll::AutogradEngine engine(model, {.learning_rate = 0.2});
  unroll::SampledSource source(unroll::LaggedProcess::tutorial(), 3'000, 0);
  const unroll::TrainingResult result =
      unroll::train(engine, source, {.batch_size = 3, .num_steps = 10}, {.epochs = 1}, torch::kCPU,
                    [](const unroll::LogRow&) {});

  std::cout << "Unroll " << unroll::kVersion << ": " << result.progress.windows
            << " windows, mean loss " << result.progress.final_loss << '\n';
  return result.progress.windows == 100 ? 0 : 1;
}
