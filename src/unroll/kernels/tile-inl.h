// The register tile: the one inner loop of every matrix product. Included once for each
// instruction set.

#if defined(UNROLL_KERNELS_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_KERNELS_TILE_INL_H_
#undef UNROLL_KERNELS_TILE_INL_H_
#else
#define UNROLL_KERNELS_TILE_INL_H_
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include <unroll/kernels/panel_matrix.h>

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// A panel's row as vectors: kVectors of kLanes.
template <class RealType, int kLanesOfVector, int kVectorsOfPanel>
struct PanelRow {
  using Real = RealType;
  using Tag = hn::CappedTag<Real, static_cast<std::size_t>(kLanesOfVector)>;
  using Vector = hn::Vec<Tag>;
  static constexpr int kLanes = kLanesOfVector;
  static constexpr int kVectors = kVectorsOfPanel;
  static constexpr std::int64_t kWidth = std::int64_t{kLanes} * kVectors;
  /// Rows of the largest tile: as many sums as registers can hold beside their operands.
  static constexpr int kRegisters = HWY_TARGET <= HWY_AVX3 ? 32 : 16;
  static constexpr int kMaxRows = (kRegisters - (kRegisters == 32 ? 6 : 4)) / kVectors;
};

/// kRows rows of a panel, in registers:
///
///               vector 0   vector 1
///     row 0     sum[0][0]  sum[0][1]
///     row 1     sum[1][0]  sum[1][1]
///     ..
template <class Row, int kRows>
struct Tile {
  using Real = typename Row::Real;
  using Vector = typename Row::Vector;
  static constexpr int kVectors = Row::kVectors;

  /// How far ahead a product asks for a wide panel's rows.
  static constexpr std::int64_t kRowsAhead = 16;

  Vector sum[std::size_t{kRows}][std::size_t{kVectors}];

  HWY_INLINE void clear() {
    const typename Row::Tag d;
#pragma GCC unroll 32
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        sum[r][v] = hn::Zero(d);
      }
    }
  }

  /// sum[r] += left[r * left_stride] * (the row at `right`), for every r.
  HWY_INLINE void add_outer(const Real* HWY_RESTRICT left, std::int64_t left_stride,
                            const Real* HWY_RESTRICT right) {
    const typename Row::Tag d;
    Vector row[std::size_t{kVectors}];
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      row[v] = hn::Load(d, right + v * Row::kLanes);
    }
#pragma GCC unroll 32
    for (int r = 0; r < kRows; ++r) {
      const Vector factor = hn::Set(d, left[r * left_stride]);
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        sum[r][v] = hn::MulAdd(factor, row[v], sum[r][v]);
      }
    }
  }

  HWY_INLINE void add(const Tile& other) {
#pragma GCC unroll 32
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        sum[r][v] = hn::Add(sum[r][v], other.sum[r][v]);
      }
    }
  }

  /// sum += left right: rows first_row.. of `left`, all of its columns, by a panel with as many
  /// rows. Few rows are few sums, each a chain of additions: those go by two chains side by side.
  template <std::int64_t kLeftWidth>
  HWY_INLINE void add_product(const PanelMatrix<Real>& left, std::int64_t first_row,
                              const Real* HWY_RESTRICT right) {
    constexpr bool kTwoChains = kRows * kVectors < 8;
    const std::int64_t width = kLeftWidth == 0 ? left.width() : kLeftWidth;
    Tile second;
    if constexpr (kTwoChains) {
      second.clear();
    }
    for (std::int64_t panel = 0; panel < left.panels(); ++panel) {
      const Real* HWY_RESTRICT rows = left.panel(panel, first_row);
      const std::int64_t count = left.columns_in(panel);
      std::int64_t k = 0;
      if constexpr (kTwoChains) {
        for (; k + 2 <= count; k += 2) {
          add_outer(rows + k, width, right);
          second.add_outer(rows + k + 1, width, right + Row::kWidth);
          right += 2 * Row::kWidth;
        }
      }
      for (; k < count; ++k) {
        if constexpr (kVectors == 2 && !kTwoChains) {
          // The first tile of a wide panel reads it from memory, the others from the cache. The
          // last rows ask beyond the panel's end, where a prefetch does nothing or no harm.
          hwy::Prefetch(right + kRowsAhead * Row::kWidth);
          hwy::Prefetch(right + kRowsAhead * Row::kWidth + Row::kLanes);
        }
        add_outer(rows + k, width, right);
        right += Row::kWidth;
      }
    }
    if constexpr (kTwoChains) {
      add(second);
    }
  }
};

/// Calls Pass::run<kRows>(arguments) for a number of rows that is known at run time only.
template <class Pass, class... Arguments>
class ForRows {
 public:
  static HWY_INLINE void call(std::int64_t rows, Arguments... arguments) {
    kTable[static_cast<std::size_t>(rows - 1)](arguments...);
  }

 private:
  using Function = void (*)(Arguments...);
  template <std::size_t... kIndices>
  static constexpr std::array<Function, sizeof...(kIndices)> make_table(
      std::index_sequence<kIndices...> /*indices*/) {
    return {&Pass::template run<static_cast<int>(kIndices) + 1>...};
  }
  static constexpr auto kTable =
      make_table(std::make_index_sequence<static_cast<std::size_t>(Pass::kMaxRows)>());
};

/// Cuts `rows` into tiles of at most `largest` rows and of nearly the same height.
class TileRows {
 public:
  TileRows(std::int64_t rows, std::int64_t largest)
      : rows_(rows), tiles_((rows + largest - 1) / largest) {}

  [[nodiscard]] std::int64_t tiles() const { return tiles_; }
  [[nodiscard]] std::int64_t first(std::int64_t tile) const { return rows_ * tile / tiles_; }
  [[nodiscard]] std::int64_t count(std::int64_t tile) const {
    return first(tile + 1) - first(tile);
  }

 private:
  std::int64_t rows_;
  std::int64_t tiles_;
};

}  // namespace unroll::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
