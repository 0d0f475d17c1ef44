#include <unroll/train/fused_engine.h>

#include <ATen/Parallel.h>
#include <ATen/core/LegacyTypeDispatch.h>

#include <stdexcept>
#include <utility>

#include <unroll/train/kernel_views.h>

namespace unroll {
namespace {

/// The parts of `flat`, [elements of the weights and more], that lie like these weights.
Weights parts_of(const torch::Tensor& flat, const Weights& weights) {
  std::int64_t begin = 0;
  const auto next = [&](const torch::Tensor& like) {
    torch::Tensor part = flat.narrow(0, begin, like.numel()).view(like.sizes());
    begin += like.numel();
    return part;
  };
  return {.input_weight = next(weights.input_weight),
          .recurrent_weight = next(weights.recurrent_weight),
          .bias = next(weights.bias),
          .readout_weight = next(weights.readout_weight),
          .readout_bias = next(weights.readout_bias)};
}

std::int64_t element_count(const Weights& weights) {
  std::int64_t count = 0;
  for (const NamedTensor& named : named_tensors(weights)) {
    count += named.tensor.numel();
  }
  return count;
}

}  // namespace

FusedEngine::FusedEngine(std::shared_ptr<RecurrentModel> model, const OptimizerOptions& options)
    : model_(std::move(model)), learning_rate_(options.learning_rate) {
  options.validate();
  const torch::Tensor weight = model_->weight_views().recurrent_weight;
  if (options.optimizer != OptimizerKind::kSgd || !weight.is_cpu()) {
    throw std::invalid_argument("the fused engine trains on the CPU, with SGD");
  }
  if (weight.scalar_type() == torch::kFloat64) {
    step_.emplace<StepOf<double>>();
  }
}

FusedEngine::FusedEngine(std::shared_ptr<RecurrentModel> model, const OptimizerOptions& options,
                         GradientAverager averager)
    : FusedEngine(std::move(model), options) {
  averager_.emplace(std::move(averager));
}

torch::Tensor FusedEngine::initial_state(std::int64_t batch_size) const {
  return model_->initial_state(batch_size);
}

Advance FusedEngine::advance(const WindowDataset& windows, WindowRange range, torch::Tensor state) {
  // Nothing here is differentiated. Else LibTorch looks whether it must, call by call: 2 us in all.
  const at::AutoDispatchBelowADInplaceOrView no_autograd;
  const Window span = windows.windows(range.first, range.count);
  const Weights weights = model_->weight_views();
  const kernels::StepShape shape = step_shape(weights, windows, span, state);
  const std::int64_t threads = at::get_num_threads();
  const torch::Tensor losses = torch::empty({range.count}, state.options());
  state = state.clone(torch::MemoryFormat::Contiguous);

  std::visit(
      [&]<class Real>(StepOf<Real>& step) {
        if (!step || step->shape() != shape || threads != threads_) {
          step = std::make_unique<kernels::Step<Real>>(shape, threads);
          threads_ = threads;
        }
        step->load_parameters(view_of<Real>(weights));
        step->load_state(state.const_data_ptr<Real>());
        if (averager_) {
          run_averaged(*step, weights, windows, range, losses);
        } else {
          step->run(symbols_of(span), range.count, static_cast<Real>(learning_rate_),
                    losses.mutable_data_ptr<Real>());
        }
        step->store_parameters(view_of<Real>(weights));
        step->store_state(state.mutable_data_ptr<Real>());
      },
      step_);
  return {.losses = losses, .state = state};
}

template <class Real>
void FusedEngine::run_averaged(kernels::Step<Real>& step, const Weights& weights,
                               const WindowDataset& windows, WindowRange range,
                               const torch::Tensor& losses) {
  const std::int64_t elements = element_count(weights);
  torch::Tensor flat = torch::empty({elements + 1}, losses.options());  // the loss is the last
  const kernels::ParameterViews<Real> gradient = view_of<Real>(parts_of(flat, weights));
  Real* const loss = flat.mutable_data_ptr<Real>() + elements;
  for (std::int64_t i = 0; i < range.count; ++i) {
    *loss = step.find_gradient(symbols_of(windows.window(range.first + i)), gradient);
    averager_->average(flat);
    losses.mutable_data_ptr<Real>()[i] = *loss;
    step.descend(gradient, static_cast<Real>(learning_rate_));
  }
}

}  // namespace unroll
