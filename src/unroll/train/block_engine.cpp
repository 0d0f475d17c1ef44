#include <unroll/train/block_engine.h>

#include <optional>
#include <stdexcept>
#include <utility>

#include <unroll/train/kernel_views.h>

namespace unroll {
namespace {

template <class Real>
cuda::BlockStepPlan make_plan(const kernels::StepShape& shape, std::size_t shared_bytes) {
  const auto plan = cuda::plan_block_step<Real>(shape, shared_bytes);
  if (!plan) {
    throw std::invalid_argument("the network and a window do not fit in a block of the GPU");
  }
  return *plan;
}

}  // namespace

BlockEngine::BlockEngine(std::shared_ptr<RecurrentModel> model, const OptimizerOptions& options,
                         const cuda::Plugin& plugin)
    : model_(std::move(model)),
      learning_rate_(options.learning_rate),
      plugin_(plugin),
      shared_bytes_(plugin.shared_bytes()) {
  options.validate();
  if (options.optimizer != OptimizerKind::kSgd) {
    throw std::invalid_argument("the fused engine trains with SGD");
  }
}

torch::Tensor BlockEngine::initial_state(std::int64_t batch_size) const {
  return model_->initial_state(batch_size);
}

Advance BlockEngine::advance(const WindowDataset& windows, WindowRange range, torch::Tensor state) {
  const Window span = windows.windows(range.first, range.count);
  const Weights weights = model_->weight_views();
  const kernels::StepShape shape = step_shape(weights, windows, span, state);
  const torch::Tensor losses = torch::empty({range.count}, state.options());
  state = state.clone(torch::MemoryFormat::Contiguous);
  const auto run = [&]<class Real>(Real learning_rate) {
    const cuda::BlockStepCall<Real> call = {.parameters = view_of<Real>(weights),
                                            .symbols = symbols_of(span),
                                            .state = state.mutable_data_ptr<Real>(),
                                            .losses = losses.mutable_data_ptr<Real>(),
                                            .count = range.count,
                                            .learning_rate = learning_rate};
    plugin_.run(call, make_plan<Real>(shape, shared_bytes_));
  };
  if (state.scalar_type() == torch::kFloat64) {
    run(learning_rate_);
  } else {
    run(static_cast<float>(learning_rate_));
  }
  return {.losses = losses, .state = state};
}

bool fits_in_block(const kernels::StepShape& shape, Precision precision, std::size_t shared_bytes) {
  return precision == Precision::kFloat64
             ? cuda::plan_block_step<double>(shape, shared_bytes).has_value()
             : cuda::plan_block_step<float>(shape, shared_bytes).has_value();
}

}  // namespace unroll
