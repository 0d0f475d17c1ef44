#include <unroll/train/graph_engine.h>

#include <torch/nn/functional/loss.h>

#include <algorithm>
#include <utility>

#include <unroll/train/optimizer.h>

namespace unroll {
namespace {

/// Windows that are trained on operation by operation first; each is one of the run's.
constexpr std::int64_t kRehearsals = 3;

/// Symbols of each kind that are on the GPU at a time.
constexpr std::int64_t kSymbols = 1 << 20;

}  // namespace

GraphEngine::GraphEngine(std::shared_ptr<RecurrentModel> model, const OptimizerOptions& options,
                         std::unique_ptr<cuda::Graph> graph)
    : model_(std::move(model)),
      kind_(options.optimizer),
      optimizer_(make_optimizer(model_->parameters(), options)),
      device_optimizer_(*optimizer_, kind_),
      graph_(std::move(graph)) {}

torch::Tensor GraphEngine::initial_state(std::int64_t batch_size) const {
  return model_->initial_state(batch_size);
}

void GraphEngine::make_buffers(const WindowDataset& windows, const torch::Tensor& state) {
  const std::int64_t B = windows.batch_size();
  const std::int64_t T = windows.num_steps();
  const bool fits = buffers_.state.defined() && buffers_.state.sizes() == state.sizes() &&
                    buffers_.columns.numel() == T;
  if (fits) {
    return;
  }
  const std::int64_t count = std::max<std::int64_t>(kSymbols / (B * T), 1);
  const torch::TensorOptions integers = state.options().dtype(torch::kInt64);
  buffers_ = {.symbols = {.inputs = torch::zeros({B, count * T}, integers),
                          .targets = torch::zeros({B, count * T}, integers)},
              .columns = torch::zeros({T}, integers),
              .place = torch::zeros({1}, integers),
              .state = torch::zeros_like(state, torch::MemoryFormat::Contiguous),
              .losses = torch::zeros({count}, state.options())};
  rehearsed_ = 0;
  is_recorded_ = false;
}

Advance GraphEngine::advance(const WindowDataset& windows, WindowRange range, torch::Tensor state) {
  make_buffers(windows, state);
  const std::int64_t T = windows.num_steps();
  const torch::Tensor losses = torch::empty({range.count}, state.options());
  buffers_.state.copy_(state);
  for (std::int64_t done = 0; done < range.count;) {
    const std::int64_t count = std::min(range.count - done, buffers_.losses.numel());
    const Window span = windows.windows(range.first + done, count);
    buffers_.symbols.inputs.narrow(1, 0, count * T).copy_(span.inputs);
    buffers_.symbols.targets.narrow(1, 0, count * T).copy_(span.targets);
    run(count);
    losses.narrow(0, done, count).copy_(buffers_.losses.narrow(0, 0, count));
    done += count;
  }
  device_optimizer_.count(range.count);
  return {.losses = losses, .state = buffers_.state.clone()};
}

void GraphEngine::run(std::int64_t count) {
  const std::int64_t T = buffers_.columns.numel();
  torch::arange_out(buffers_.columns, T);
  buffers_.place.zero_();
  for (std::int64_t i = 0; i < count; ++i) {
    if (rehearsed_ < kRehearsals) {
      graph_->rehearse([this] { train_window(); });
      ++rehearsed_;
      continue;
    }
    if (!is_recorded_) {
      graph_->record([this] { train_window(); });
      is_recorded_ = true;
    }
    graph_->replay();
  }
}

void GraphEngine::train_window() {
  const torch::Tensor inputs = buffers_.symbols.inputs.index_select(1, buffers_.columns);
  const torch::Tensor targets = buffers_.symbols.targets.index_select(1, buffers_.columns);
  const ModelOutput output = model_->forward(inputs, buffers_.state);
  const torch::Tensor loss =
      torch::nn::functional::cross_entropy(output.logits.flatten(0, 1), targets.flatten());

  optimizer_->zero_grad();
  loss.backward();
  device_optimizer_.step();

  buffers_.state.copy_(output.state.detach());
  buffers_.losses.index_copy_(0, buffers_.place, loss.detach().view({1}));
  buffers_.columns.add_(buffers_.columns.numel());
  buffers_.place.add_(1);
}

OptimizerState GraphEngine::optimizer_state() const {
  return state_of(*optimizer_, kind_, trained_parameters(*model_));
}

void GraphEngine::set_optimizer_state(const OptimizerState& state) {
  set_state(*optimizer_, kind_, trained_parameters(*model_), state);
  device_optimizer_.load();
  is_recorded_ = false;  // it has other tensors now
}

}  // namespace unroll
