#include <unroll/train/data_parallel.h>

#include <fmt/format.h>

#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unroll/base/error.h>
#include <unroll/base/sha256.h>
#include <unroll/train/autograd_engine.h>
#include <unroll/train/fused_engine.h>
#include <unroll/train/gradient_averager.h>

namespace unroll {
namespace {

std::string_view bytes_of(const torch::Tensor& tensor) {
  return {static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()};
}

std::string bytes_of(const Weights& weights) {
  std::string bytes;
  for (const NamedTensor& named : named_tensors(weights)) {
    bytes.append(bytes_of(named.tensor));
  }
  return bytes;
}

void copy_bytes(const std::string& bytes, const Weights& weights) {
  const char* next = bytes.data();
  for (const NamedTensor& named : named_tensors(weights)) {
    std::memcpy(named.tensor.mutable_data_ptr(), next, named.tensor.nbytes());
    next += named.tensor.nbytes();
  }
}

/// The first 63 bits of the weights' SHA-256.
std::int64_t digest_of(const Weights& weights) {
  Sha256 sha256;
  for (const NamedTensor& named : named_tensors(weights)) {
    sha256.add(bytes_of(named.tensor));
  }
  const Sha256::Digest digest = sha256.finish();
  std::int64_t number = 0;
  std::memcpy(&number, digest.data(), sizeof(number));
  return number & std::numeric_limits<std::int64_t>::max();
}

std::int64_t largest(Ranks& ranks, std::int64_t value) {
  torch::Tensor values = torch::full({1}, value, torch::kInt64);
  ranks.maximum(values);
  return values.item<std::int64_t>();
}

}  // namespace

DataParallelEngine::DataParallelEngine(std::unique_ptr<Engine> inner, Ranks& ranks)
    : inner_(std::move(inner)), ranks_(ranks) {}

torch::Tensor DataParallelEngine::initial_state(std::int64_t batch_size) const {
  return inner_->initial_state(batch_size);
}

Advance DataParallelEngine::advance(const WindowDataset& windows, WindowRange range,
                                    torch::Tensor state) {
  const RowShare share = share_of(ranks_, windows.batch_size());
  Advance own = inner_->advance(windows.select_rows(share.first, share.count), range,
                                state.narrow(0, share.first, share.count));
  state = torch::full_like(state, std::numeric_limits<double>::quiet_NaN());
  state.narrow(0, share.first, share.count).copy_(own.state);
  return {.losses = std::move(own.losses), .state = std::move(state)};
}

torch::Tensor DataParallelEngine::whole_state(const torch::Tensor& state) {
  // Each row is one rank's and zero on the others. The sum of the bits keeps the sign of a zero.
  const torch::Dtype bits = state.element_size() == sizeof(float) ? torch::kInt32 : torch::kInt64;
  const RowShare share = share_of(ranks_, state.size(0));
  torch::Tensor whole = torch::zeros_like(state, torch::MemoryFormat::Contiguous);
  whole.narrow(0, share.first, share.count).copy_(state.narrow(0, share.first, share.count));
  torch::Tensor whole_bits = whole.view(bits);
  ranks_.sum(whole_bits);
  return whole;
}

OptimizerState DataParallelEngine::optimizer_state() const { return inner_->optimizer_state(); }

void DataParallelEngine::set_optimizer_state(const OptimizerState& state) {
  inner_->set_optimizer_state(state);
}

void check_data_parallel(const Ranks& ranks, std::int64_t batch_size, torch::Device device,
                         const cuda::FoundPlugin& cuda) {
  if (batch_size < ranks.size()) {
    throw InvalidOption("batch_size",
                        fmt::format("must be at least {}, a row for each of the ranks, got {}",
                                    ranks.size(), batch_size));
  }
  if (device.is_cpu()) {
    return;
  }
  const std::string problem =
      cuda.plugin == nullptr ? cuda.problem : cuda.plugin->communicator_problem();
  if (!problem.empty()) {
    throw InvalidOption(
        "device", fmt::format("{} needs Unroll's CUDA library where {} ranks train together: {}",
                              device.str(), ranks.size(), problem));
  }
}

std::unique_ptr<Engine> make_parallel_engine(EngineChoice resolved,
                                             std::shared_ptr<RecurrentModel> model,
                                             const OptimizerOptions& optimizer, Ranks& ranks,
                                             std::int64_t batch_size) {
  GradientAverager averager(ranks, batch_size);
  std::unique_ptr<Engine> engine;
  if (resolved == EngineChoice::kFused) {
    engine = std::make_unique<FusedEngine>(std::move(model), optimizer, std::move(averager));
  } else {
    engine = std::make_unique<AutogradEngine>(std::move(model), optimizer, std::move(averager));
  }
  return std::make_unique<DataParallelEngine>(std::move(engine), ranks);
}

void share_weights(Ranks& ranks, RecurrentModel& model) {
  const Weights weights = model.weights();
  copy_bytes(ranks.broadcast(bytes_of(weights)), weights);
  model.set_weights(weights);
}

void check_same_weights(Ranks& ranks, const RecurrentModel& model) {
  const std::int64_t digest = digest_of(model.weights());
  const bool differs = largest(ranks, ranks.rank() == 0 ? digest : 0) != digest;
  if (const std::int64_t rank = largest(ranks, differs ? ranks.rank() : 0); rank != 0) {
    throw RankError(fmt::format(
        "rank {} holds other weights than rank 0: do all ranks run on processors of one kind?",
        rank));
  }
}

}  // namespace unroll
