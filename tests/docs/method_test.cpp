// The function that README.md shows as the whole method: it gives the tutorial's losses.

#include <gtest/gtest.h>
#include <torch/nn/functional/loss.h>
#include <torch/optim/optimizer.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <numeric>
#include <vector>

#include <unroll/data/window_dataset.h>
#include <unroll/model/model.h>
#include <unroll/train/optimizer.h>

#include "../golden/golden_file.h"

namespace unroll {
namespace {

using torch::nn::functional::cross_entropy;

// README.md shows the lines between the marks.
// [method]
// One epoch. Gives the mean loss of its windows, in nats.
double train_epoch(RecurrentModel& model, torch::optim::Optimizer& optimizer,
                   const WindowDataset& windows) {
  torch::Tensor state = model.initial_state(windows.batch_size());  // zeros [B, H]
  double sum = 0.0;
  for (std::int64_t k = 0; k < windows.window_count(); ++k) {
    const Window window = windows.window(k);                         // classes [B, T]
    const ModelOutput output = model.forward(window.inputs, state);  // logits [B, T, C]
    const torch::Tensor loss = cross_entropy(output.logits.flatten(0, 1), window.targets.flatten());

    optimizer.zero_grad();
    loss.backward();   // through the T steps of this window
    optimizer.step();  // one update a window

    state = output.state.detach();  // The value goes on to the next window, the gradient ends.
    sum += loss.item<double>();
  }
  return sum / static_cast<double>(windows.window_count());
}
// [method]

/// Means of the golden run's losses over its epochs.
std::vector<double> mean_losses(const testing::GoldenFile& golden) {
  const std::vector<double> losses = golden.numbers("window_losses");
  const auto half = static_cast<std::ptrdiff_t>(losses.size() / 2);
  const auto mean = [&](auto first) {
    return std::accumulate(first, first + half, 0.0) / static_cast<double>(half);
  };
  return {mean(losses.begin()), mean(losses.begin() + half)};
}

TEST(MethodOnAPage, GivesTheTutorialsMeanLossOfEachEpoch) {
  const testing::GoldenFile golden("tutorial_seed7",
                                   {"rnn_cell/W", "rnn_cell/b", "softmax/W", "softmax/b"});
  const auto model = make_model(golden.model(ModelKind::kManual), torch::kFloat32, torch::kCPU);
  model->set_weights(golden.initial_weights());
  const auto optimizer = make_optimizer(model->parameters(), golden.optimizer());
  SampledSource source = golden.source();
  for (const double expected : mean_losses(golden)) {
    const WindowDataset windows(source.next(), golden.windows(), torch::kCPU);
    EXPECT_NEAR(train_epoch(*model, *optimizer, windows), expected, 1e-6);
  }
}

}  // namespace
}  // namespace unroll
