#include <unroll/data/window_dataset.h>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

namespace unroll {
namespace {

/// The first B * R of `values` as [B, R] on the device: on the CPU a view that keeps the series
/// alive.
torch::Tensor rows(const std::shared_ptr<const Series>& series,
                   const std::vector<std::int64_t>& values, std::int64_t batch_size,
                   torch::Device device) {
  const std::int64_t row_length = series->length() / batch_size;
  // from_blob wants a mutable pointer; the dataset hands the memory out to be read only.
  auto* memory =
      const_cast<std::int64_t*>(values.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  const auto keep_alive = [series](void* /*memory*/) {};
  return torch::from_blob(memory, {batch_size, row_length}, keep_alive, torch::kInt64).to(device);
}

/// So many windows that the place for their symbols fits into a processor's nearer caches; of many
/// rows more, since each row is a call to the system, but not without a limit.
std::int64_t windows_of_a_block(const WindowOptions& options) {
  constexpr std::int64_t kBlockSymbols = 32'768;  // 512 KB, inputs and targets
  constexpr std::int64_t kRowSymbols = 512;
  constexpr std::int64_t kMostSymbols = 8 * kBlockSymbols;
  const std::int64_t width = std::min(std::max(kBlockSymbols / options.batch_size, kRowSymbols),
                                      kMostSymbols / options.batch_size);
  return std::max<std::int64_t>(width / options.num_steps, 1);
}

/// int64 [rows, width] for symbols to be read into: on the CPU in the memory of `old`, if that is
/// large enough but not above `most` symbols, and nobody else looks at it. Memory that is freed at
/// every block would be given back to the system and come back page by page.
torch::Tensor place_for_symbols(const torch::Tensor& old, std::int64_t rows, std::int64_t width,
                                std::int64_t most) {
  if (old.defined() && old.is_cpu() && old.storage().use_count() == 1) {
    const auto held = static_cast<std::int64_t>(old.storage().nbytes()) / old.element_size();
    if (rows * width <= held && held <= most) {
      return old.resize_({rows, width});
    }
  }
  return torch::empty({rows, width}, torch::kInt64);
}

/// Whoever indexes by a symbol need not check it.
void check_symbols(const std::vector<std::int64_t>& symbols, std::int64_t num_classes) {
  const auto is_outside = [num_classes](std::int64_t symbol) {
    return symbol < 0 || symbol >= num_classes;
  };
  if (const auto outside = std::find_if(symbols.begin(), symbols.end(), is_outside);
      outside != symbols.end()) {
    throw std::invalid_argument(fmt::format("the symbol {} at {} of a series of {} classes",
                                            *outside, outside - symbols.begin(), num_classes));
  }
}

}  // namespace

WindowDataset::WindowDataset(const std::shared_ptr<const Series>& series,
                             const WindowOptions& options, torch::Device device)
    : file_(series->file),
      device_(device),
      batch_size_(options.batch_size),
      num_steps_(options.num_steps),
      num_classes_(series->num_classes),
      block_(std::make_shared<Block>()) {
  if (series->targets.size() != series->inputs.size()) {
    throw std::invalid_argument(fmt::format("a series of {} inputs and {} targets",
                                            series->inputs.size(), series->targets.size()));
  }
  check_symbols(series->inputs, num_classes_);
  check_symbols(series->targets, num_classes_);
  options.validate_for(series->length());
  row_length_ = series->length() / batch_size_;
  window_count_ = options.window_count(series->length());
  block_windows_ = file_ ? windows_of_a_block(options) : window_count_;
  if (!file_) {
    *block_ = {.count = window_count_,
               .windows = {.inputs = rows(series, series->inputs, batch_size_, device),
                           .targets = rows(series, series->targets, batch_size_, device)}};
  }
}

Window WindowDataset::window(std::int64_t index) const {
  if (index < 0 || index >= window_count_) {
    throw std::out_of_range(
        fmt::format("window {} of a dataset of {} windows", index, window_count_));
  }
  return windows(index, 1);
}

Window WindowDataset::windows(std::int64_t first, std::int64_t count) const {
  if (first < 0 || count < 0 || first > window_count_ - count) {
    throw std::out_of_range(fmt::format("{} windows from window {} on of a dataset of {} windows",
                                        count, first, window_count_));
  }
  if (!is_in_block(first, count)) {
    const std::int64_t begin = first - first % block_windows_;
    const std::int64_t block = std::min(block_windows_, window_count_ - begin);
    read_block(begin, std::max(block, first + count - begin));
  }
  const Window& block = block_->windows;
  const std::int64_t begin = (first - block_->first) * num_steps_;
  return {.inputs = block.inputs.narrow(1, begin, count * num_steps_),
          .targets = block.targets.narrow(1, begin, count * num_steps_)};
}

std::int64_t WindowDataset::left_in_block(std::int64_t first) const {
  return std::min(block_windows_ - first % block_windows_, window_count_ - first);
}

bool WindowDataset::is_in_block(std::int64_t first, std::int64_t count) const {
  const torch::Tensor& inputs = block_->windows.inputs;
  return inputs.defined() && first_row_ == block_->first_row && batch_size_ == inputs.size(0) &&
         first >= block_->first && first + count <= block_->first + block_->count;
}

void WindowDataset::read_block(std::int64_t first, std::int64_t count) const {
  const Window old = std::exchange(*block_, {}).windows;
  const std::int64_t width = count * num_steps_;
  const std::int64_t most = batch_size_ * block_windows_ * num_steps_;
  const torch::Tensor inputs = place_for_symbols(old.inputs, batch_size_, width, most);
  const torch::Tensor targets = place_for_symbols(old.targets, batch_size_, width, most);
  for (std::int64_t row = 0; row < batch_size_; ++row) {
    file_->read((first_row_ + row) * row_length_ + first * num_steps_, width,
                inputs.mutable_data_ptr<std::int64_t>() + row * width,
                targets.mutable_data_ptr<std::int64_t>() + row * width);
  }
  *block_ = {.first_row = first_row_,
             .first = first,
             .count = count,
             .windows = {.inputs = inputs.to(device_), .targets = targets.to(device_)}};
}

WindowDataset WindowDataset::select_rows(std::int64_t first, std::int64_t count) const {
  if (first < 0 || count < 1 || first > batch_size() - count) {
    throw std::out_of_range(
        fmt::format("{} rows from row {} on of a dataset of {} rows", count, first, batch_size()));
  }
  WindowDataset some = *this;
  some.first_row_ += first;
  some.batch_size_ = count;
  if (!file_) {
    some.block_ = std::make_shared<Block>(*block_);
    some.block_->first_row = some.first_row_;
    some.block_->windows = {.inputs = block_->windows.inputs.narrow(0, first, count),
                            .targets = block_->windows.targets.narrow(0, first, count)};
  }
  return some;
}

}  // namespace unroll
