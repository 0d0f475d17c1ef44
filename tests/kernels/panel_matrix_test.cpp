// The kernels' memory.

#include <unroll/kernels/panel_matrix.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace unroll::kernels {
namespace {

std::uintptr_t remainder_of(const void* address, std::size_t alignment) {
  return reinterpret_cast<std::uintptr_t>(address) % alignment;
}

// Twice, since the second array may get the memory that the first has left.
TEST(AlignedArray, IsAlignedAndZeroedWhateverItsSize) {
  for (const std::int64_t size : {1, 15, 17, 1000, 524'287, 524'288, 700'001}) {
    for (int i = 0; i < 2; ++i) {
      AlignedArray<float> array(size);
      const bool is_large =
          static_cast<std::size_t>(size) * sizeof(float) >= AlignedArray<float>::kLargePage;
      EXPECT_EQ(remainder_of(array.data(), is_large ? AlignedArray<float>::kLargePage
                                                    : AlignedArray<float>::kAlignment),
                0U)
          << size;
      EXPECT_EQ(std::count(array.data(), array.data() + size, 0.0F), size);
      std::fill_n(array.data(), size, 1.0F);
    }
  }
}

TEST(AlignedArray, MayBeEmpty) {
  const AlignedArray<double> array(0);
  EXPECT_NE(array.data(), nullptr);
  EXPECT_EQ(remainder_of(array.data(), AlignedArray<double>::kAlignment), 0U);
}

TEST(PanelMatrix, ClearsItsPaddingAndNothingElse) {
  PanelMatrix<float> matrix(3, 7, 4);
  std::fill_n(matrix.panel(0), 3 * 4 * 2, std::numeric_limits<float>::quiet_NaN());
  for (std::int64_t row = 0; row < 3; ++row) {
    for (std::int64_t column = 0; column < 7; ++column) {
      matrix.at(row, column) = static_cast<float>(10 * row + column + 1);
    }
  }
  matrix.clear_padding();
  for (std::int64_t row = 0; row < 3; ++row) {
    for (std::int64_t column = 0; column < 7; ++column) {
      EXPECT_EQ(matrix.at(row, column), static_cast<float>(10 * row + column + 1));
    }
    EXPECT_EQ(matrix.panel(1, row)[3], 0.0F);
  }
}

}  // namespace
}  // namespace unroll::kernels
