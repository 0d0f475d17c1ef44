#include <unroll/train/gradient_averager.h>

namespace unroll {

GradientAverager::GradientAverager(Ranks& ranks, std::int64_t batch_size)
    : ranks_(ranks),
      weight_(static_cast<double>(share_of(ranks, batch_size).count) /
              static_cast<double>(batch_size)) {}

void GradientAverager::average(torch::Tensor& flat) {
  flat.mul_(weight_);
  ranks_.sum(flat);
}

void GradientAverager::average(const std::vector<torch::Tensor>& tensors) {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> rows;
  rows.reserve(tensors.size());
  for (const torch::Tensor& tensor : tensors) {
    rows.push_back(tensor.flatten());
  }
  if (!flat_.defined()) {
    flat_ = torch::empty({0}, rows.front().options());
  }
  torch::cat_out(flat_, rows);
  average(flat_);
  std::int64_t begin = 0;
  for (const torch::Tensor& tensor : tensors) {
    tensor.copy_(flat_.narrow(0, begin, tensor.numel()).view_as(tensor));
    begin += tensor.numel();
  }
}

}  // namespace unroll
