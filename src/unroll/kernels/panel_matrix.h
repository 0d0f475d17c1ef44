// The one memory layout that the kernels read and write.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace unroll::kernels {

/// Zeroed memory on a cache line's boundary, which is a vector's of every instruction set. Where it
/// fills large pages, it asks for those: fewer address translations.
template <class Real>
class AlignedArray {
 public:
  static constexpr std::size_t kAlignment = 64;
  static constexpr std::size_t kLargePage = std::size_t{1} << 21;

  AlignedArray() = default;
  /// Throws std::bad_alloc.
  explicit AlignedArray(std::int64_t size)
      : data_(static_cast<Real*>(allocate(static_cast<std::size_t>(size) * sizeof(Real)))) {
    std::uninitialized_value_construct_n(data_.get(), size);
  }

  [[nodiscard]] Real* data() { return data_.get(); }
  [[nodiscard]] const Real* data() const { return data_.get(); }
  Real& operator[](std::int64_t i) { return data_[static_cast<std::size_t>(i)]; }
  const Real& operator[](std::int64_t i) const { return data_[static_cast<std::size_t>(i)]; }

 private:
  static void* allocate(std::size_t bytes) {
    const std::size_t alignment = bytes < kLargePage ? kAlignment : kLargePage;
    const std::size_t whole =
        (std::max<std::size_t>(bytes, 1) + alignment - 1) / alignment * alignment;
    void* memory = std::aligned_alloc(alignment, whole);
    if (memory == nullptr) {
      throw std::bad_alloc();
    }
#ifdef MADV_HUGEPAGE
    if (alignment == kLargePage) {
      madvise(memory, whole, MADV_HUGEPAGE);  // A wish: without it, only slower.
    }
#endif
    return memory;
  }

  struct Delete {
    void operator()(Real* data) const { std::free(data); }
  };
  std::unique_ptr<Real[], Delete> data_;
};

/// A matrix cut into panels of `width` columns, each of them row-major and contiguous:
///
///              width          width
///     row 0    x x x x        x x x 0
///     row 1    x x x x        x x x 0        7 columns in panels of 4; the padding is zero
///     row 2    x x x x        x x x 0
///              panel 0        panel 1
///
/// A panel's row is one or two vectors, or 2 numbers where the columns are two classes, and a
/// product's inner loop walks down a panel without a gap. The padding starts as zero, and products
/// of numbers with zero keep it so; a NaN or an infinity does not, and after one it must be
/// cleared.
template <class Real>
class PanelMatrix {
 public:
  PanelMatrix() = default;
  PanelMatrix(std::int64_t rows, std::int64_t columns, std::int64_t width)
      : rows_(rows),
        columns_(columns),
        width_(width),
        panels_((columns + width - 1) / width),
        elements_(rows * width * panels_) {}

  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] std::int64_t columns() const { return columns_; }
  [[nodiscard]] std::int64_t width() const { return width_; }
  [[nodiscard]] std::int64_t panels() const { return panels_; }

  /// How many columns of a panel are no padding.
  [[nodiscard]] std::int64_t columns_in(std::int64_t panel) const {
    return std::min(width_, columns_ - panel * width_);
  }

  /// The start of a panel, or of a row in it.
  [[nodiscard]] Real* panel(std::int64_t panel, std::int64_t row = 0) {
    return elements_.data() + (panel * rows_ + row) * width_;
  }
  [[nodiscard]] const Real* panel(std::int64_t panel, std::int64_t row = 0) const {
    return elements_.data() + (panel * rows_ + row) * width_;
  }

  void clear() { std::fill_n(panel(0), rows_ * width_ * panels_, Real(0)); }

  void clear_padding() {
    const std::int64_t last = panels_ - 1;
    for (std::int64_t row = 0; row < rows_; ++row) {
      std::fill(panel(last, row) + columns_in(last), panel(last, row) + width_, Real(0));
    }
  }

  [[nodiscard]] Real& at(std::int64_t row, std::int64_t column) {
    return panel(column / width_, row)[column % width_];
  }
  [[nodiscard]] Real at(std::int64_t row, std::int64_t column) const {
    return panel(column / width_, row)[column % width_];
  }

 private:
  std::int64_t rows_ = 0;
  std::int64_t columns_ = 0;
  std::int64_t width_ = 1;
  std::int64_t panels_ = 0;
  AlignedArray<Real> elements_;
};

}  // namespace unroll::kernels
