// Cuts one long series into the windows of stateful truncated back-propagation through time.
//
// Axes, here and everywhere in Unroll: B batch, T steps of a window, C classes, H hidden units.
#pragma once

#include <torch/data/datasets/base.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <optional>

#include <unroll/data/options.h>
#include <unroll/data/series.h>

namespace unroll {

/// T consecutive symbols of each of B rows.
struct Window {
  torch::Tensor inputs;   ///< int64 [B, T]
  torch::Tensor targets;  ///< int64 [B, T]
};

/// The series as B contiguous rows of N / B symbols, each row cut into windows of T; both
/// remainders are dropped:
///
///     row 0   x_0    x_1  .. x_{T-1} | x_T .. x_{2T-1}     | ..
///     row 1   x_R    ..              |                     | ..       R = N / B
///             window 0               | window 1            | ..
///
/// A row of window k + 1 goes on where the same row of window k ended, which is what makes it right
/// to carry the hidden state from one to the next. Windows are views: on the CPU of the series' own
/// memory, on another device of the one copy made there. Nobody may write to them.
///
/// Of a series in a file, windows are views of a block of windows, which is read when the first of
/// them is asked for; who keeps one keeps its block, else on the CPU the next takes its
/// memory. A dataset shares its block with its copies and selections of rows: they are for one
/// thread.
class WindowDataset : public torch::data::datasets::Dataset<WindowDataset, Window> {
 public:
  /// @throws InvalidOption if the series holds no window of these sizes; std::invalid_argument if
  /// it has not as many targets as inputs, or a symbol outside its classes
  WindowDataset(const std::shared_ptr<const Series>& series, const WindowOptions& options,
                torch::Device device);

  /// Window `index`, from 0.
  /// @throws std::out_of_range
  [[nodiscard]] Window window(std::int64_t index) const;

  /// `count` windows from `first` on, one behind the other: [B, count * T].
  /// @throws std::out_of_range; of a series in a file, what SeriesFile::read throws
  [[nodiscard]] Window windows(std::int64_t first, std::int64_t count) const;

  /// The same windows of the rows from `first` on, `count` of them.
  /// @throws std::out_of_range
  [[nodiscard]] WindowDataset select_rows(std::int64_t first, std::int64_t count) const;

  /// How many windows from `first` on are best asked for at once: to the end of a block, which for
  /// a series in memory is the end of all.
  [[nodiscard]] std::int64_t left_in_block(std::int64_t first) const;

  /// The number of windows.
  [[nodiscard]] std::int64_t window_count() const { return window_count_; }

  /// The number of rows, B.
  [[nodiscard]] std::int64_t batch_size() const { return batch_size_; }

  /// The steps of a window, T.
  [[nodiscard]] std::int64_t num_steps() const { return num_steps_; }

  /// Every symbol lies in [0, num_classes).
  [[nodiscard]] std::int64_t num_classes() const { return num_classes_; }

  /// window() and window_count() in LibTorch's words, for a DataLoader.
  Window get(std::size_t index) override { return window(static_cast<std::int64_t>(index)); }
  [[nodiscard]] std::optional<std::size_t> size() const override {
    return static_cast<std::size_t>(window_count_);
  }

 private:
  /// Windows that are in tensors, one behind the other.
  struct Block {
    std::int64_t first_row = 0;
    std::int64_t first = 0;
    std::int64_t count = 0;
    Window windows = {};  // [B, count * T]
  };

  [[nodiscard]] bool is_in_block(std::int64_t first, std::int64_t count) const;
  void read_block(std::int64_t first, std::int64_t count) const;

  std::shared_ptr<const SeriesFile> file_;  // none of a series in memory
  torch::Device device_;
  std::int64_t first_row_ = 0;  // of the series' rows
  std::int64_t batch_size_;
  std::int64_t num_steps_;
  std::int64_t num_classes_;
  std::int64_t row_length_;
  std::int64_t window_count_;
  std::int64_t block_windows_;
  std::shared_ptr<Block> block_;  // of a series in memory, all windows
};

}  // namespace unroll
