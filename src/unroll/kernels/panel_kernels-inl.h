// The passes of a training step for any sizes, over panel matrices. Included once for each
// instruction set. docs/gradients.md derives what they compute.

#if defined(UNROLL_KERNELS_PANEL_KERNELS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_KERNELS_PANEL_KERNELS_INL_H_
#undef UNROLL_KERNELS_PANEL_KERNELS_INL_H_
#else
#define UNROLL_KERNELS_PANEL_KERNELS_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>

#include <unroll/kernels/math-inl.h>
#include <unroll/kernels/tile-inl.h>
#include <unroll/kernels/workspace.h>

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// These panels' columns go to the rows of `to`, which may have other panels. In blocks of 4 x 4
/// (float) or 2 x 2 (double) by shuffles of 128 bits, the rest one by one.
template <class Real>
void transpose(const PanelMatrix<Real>& from, Range panels, PanelMatrix<Real>& to) {
  constexpr std::size_t kBlock = 16 / sizeof(Real);
  const hn::CappedTag<Real, kBlock> d;
  const auto block = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t first_column = panels.first * from.width();
  const std::int64_t end_column = std::min(panels.end * from.width(), from.columns());
  const std::int64_t whole_rows = from.rows() / block * block;
  const std::int64_t whole_columns = end_column / block * block;
  const std::int64_t from_width = from.width();
  const std::int64_t to_width = to.width();
  for (std::int64_t column = first_column; column < whole_columns; column += block) {
    for (std::int64_t row = 0; row < whole_rows; row += block) {
      const Real* HWY_RESTRICT source = &from.panel(column / from_width, row)[column % from_width];
      Real* HWY_RESTRICT target = &to.panel(row / to_width, column)[row % to_width];
      if constexpr (sizeof(Real) == 4) {
        const hn::Repartition<double, decltype(d)> pairs;
        const auto r0 = hn::Load(d, source);
        const auto r1 = hn::Load(d, source + from_width);
        const auto r2 = hn::Load(d, source + 2 * from_width);
        const auto r3 = hn::Load(d, source + 3 * from_width);
        const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, r0, r1));
        const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, r2, r3));
        const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, r0, r1));
        const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, r2, r3));
        hn::Store(hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23)), d, target);
        hn::Store(hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23)), d, target + to_width);
        hn::Store(hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23)), d,
                  target + 2 * to_width);
        hn::Store(hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23)), d,
                  target + 3 * to_width);
      } else {
        const auto r0 = hn::Load(d, source);
        const auto r1 = hn::Load(d, source + from_width);
        hn::Store(hn::InterleaveLower(d, r0, r1), d, target);
        hn::Store(hn::InterleaveUpper(d, r0, r1), d, target + to_width);
      }
    }
  }
  for (std::int64_t row = 0; row < from.rows(); ++row) {
    const std::int64_t first = row < whole_rows ? whole_columns : first_column;
    for (std::int64_t column = first; column < end_column; ++column) {
      to.at(column, row) = from.at(row, column);
    }
  }
}

/// The passes whose panels are of hidden units. Row is a panel's row.
template <class Row>
struct HiddenPasses {
  using Real = typename Row::Real;
  using Tag = typename Row::Tag;
  using Vector = typename Row::Vector;
  static constexpr int kVectors = Row::kVectors;
  static constexpr std::int64_t kWidth = Row::kWidth;
  static constexpr int kMaxRowsOfTile = Row::kMaxRows;

  static void prepare(Workspace<Real>& w, Share share) {
    const Tag d;
    const Range panels = share.of(w.hidden.panels());
    for (std::int64_t panel = panels.first; panel < panels.end; ++panel) {
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        const std::int64_t lane = v * Row::kLanes;
        const Vector bias = hn::Load(d, w.parameters.bias.panel(panel) + lane);
        for (std::int64_t c = 0; c < w.C(); ++c) {
          const Vector row = hn::Load(d, w.parameters.input_weight.panel(panel, c) + lane);
          hn::Store(hn::Add(row, bias), d, w.input_terms.panel(panel, c) + lane);
        }
        if (w.C() == 2) {
          const Vector first = hn::Load(d, w.parameters.readout_weight.panel(panel, 0) + lane);
          const Vector second = hn::Load(d, w.parameters.readout_weight.panel(panel, 1) + lane);
          hn::Store(hn::Sub(second, first), d, w.readout_difference.panel(panel) + lane);
        }
      }
    }
    transpose(w.parameters.recurrent_weight, panels, w.recurrent_transposed);
    if (w.C() != 2) {
      transpose(w.parameters.readout_weight, panels, w.readout_transposed);
    }
  }

  /// Runs a pass over all tiles of some rows of a step.
  template <class Pass>
  static void run_step(Workspace<Real>& w, std::int64_t t, Range batch_rows) {
    const TileRows rows(batch_rows.size(), Row::kMaxRows);
    for (std::int64_t panel = 0; panel < w.hidden.panels(); ++panel) {
      for (std::int64_t tile = 0; tile < rows.tiles(); ++tile) {
        ForRows<Pass, Workspace<Real>&, std::int64_t, std::int64_t>::call(
            rows.count(tile), w, panel, t * w.B() + batch_rows.first + rows.first(tile));
      }
    }
  }

  /// h_t = tanh(input_terms[x_t] + h_{t-1} recurrent_weight), a tile of rows of one step.
  struct Forward {
    static constexpr int kMaxRows = kMaxRowsOfTile;
    template <int kRows>
    static void run(Workspace<Real>& w, std::int64_t panel, std::int64_t position) {
      const Tag d;
      Tile<Row, kRows> tile;
#pragma GCC unroll 32
      for (int r = 0; r < kRows; ++r) {
        const Real* terms = w.input_terms.panel(panel, w.inputs[position + r]);
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) {
          tile.sum[r][v] = hn::Load(d, terms + v * Row::kLanes);
        }
      }
      tile.template add_product<kWidth>(w.hidden, position,
                                        w.parameters.recurrent_weight.panel(panel));
      Real* hidden = w.hidden.panel(panel, position + w.B());
#pragma GCC unroll 32
      for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) {
          hn::Store(tanh(d, tile.sum[r][v]), d, hidden + r * kWidth + v * Row::kLanes);
        }
      }
    }
  };

  static void forward(Workspace<Real>& w, Share share) {
    for (std::int64_t t = 0; t < w.shape.num_steps; ++t) {
      run_step<Forward>(w, t, share.of(w.B()));
    }
  }

  /// d_t = (dlogits_t readout_weight + d_{t+1} recurrent_weight^T) (1 - h_t^2), a tile of rows of
  /// one step.
  struct Backward {
    static constexpr int kMaxRows = kMaxRowsOfTile;
    template <int kRows>
    static void run(Workspace<Real>& w, std::int64_t panel, std::int64_t position) {
      const Tag d;
      Tile<Row, kRows> tile;
      tile.clear();
      tile.template add_product<0>(w.logits, position, w.parameters.readout_weight.panel(panel));
      if (position + w.B() < w.P()) {
        tile.template add_product<kWidth>(w.sum_gradient, position + w.B(),
                                          w.recurrent_transposed.panel(panel));
      }
      const Real* hidden = w.hidden.panel(panel, position + w.B());
      Real* gradient = w.sum_gradient.panel(panel, position);
#pragma GCC unroll 32
      for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) {
          const std::int64_t lane = r * kWidth + v * Row::kLanes;
          const Vector h = hn::Load(d, hidden + lane);
          const Vector slope = hn::NegMulAdd(h, h, hn::Set(d, Real(1)));
          hn::Store(hn::Mul(tile.sum[r][v], slope), d, gradient + lane);
        }
      }
    }
  };

  static void backward(Workspace<Real>& w, Share share) {
    for (std::int64_t t = w.shape.num_steps - 1; t >= 0; --t) {
      run_step<Backward>(w, t, share.of(w.B()));
    }
  }

  /// result -= rate * left^T right over positions [first, last): `left` and `result` start at the
  /// tile's first column and row, `right` at its panel.
  struct Descend {
    static constexpr int kMaxRows = kMaxRowsOfTile;
    template <int kRows>
    static void run(const Real* HWY_RESTRICT left, std::int64_t left_width,
                    const Real* HWY_RESTRICT right, std::int64_t positions, Real rate,
                    Real* HWY_RESTRICT result) {
      const Tag d;
      Tile<Row, kRows> tile;
      tile.clear();
      for (std::int64_t p = 0; p < positions; ++p) {
        tile.add_outer(left + p * left_width, 1, right + p * kWidth);
      }
      const Vector factor = hn::Set(d, rate);
#pragma GCC unroll 32
      for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) {
          Real* element = result + r * kWidth + v * Row::kLanes;
          hn::Store(hn::NegMulAdd(factor, tile.sum[r][v], hn::Load(d, element)), d, element);
        }
      }
    }
  };

  /// Positions of a block: so many rows of two panels stay in the first-level cache.
  static constexpr std::int64_t kBlock = 8192 / (kWidth * static_cast<std::int64_t>(sizeof(Real)));
  /// Bytes of sums that stay in the second-level cache, beside a block of `left`. Measured with 2
  /// MiB of it: at H 1024 the update makes 189 GFLOP/s, and 158 by single panels.
  static constexpr std::int64_t kSumBytes = 1 << 19;

  /// sums = left^T right of some of right's panels, where the rows of `right` begin `offset` rows
  /// down. `sums` is of as many panels with a row for each column of `left`. All of the panels go
  /// over a block of positions before the next block is read.
  static void sum_products(const PanelMatrix<Real>& left, const PanelMatrix<Real>& right,
                           std::int64_t offset, std::int64_t positions, Range panels, Real* sums) {
    const std::int64_t panel_size = left.columns() * kWidth;
    std::fill_n(sums, panels.size() * panel_size, Real(0));
    for (std::int64_t first = 0; first < positions; first += kBlock) {
      const std::int64_t count = std::min(kBlock, positions - first);
      for (std::int64_t panel = panels.first; panel < panels.end; ++panel) {
        descend_block(left, first, right.panel(panel, first + offset), count, Real(-1),
                      sums + (panel - panels.first) * panel_size);
      }
    }
  }

  /// result [columns of left, H] -= rate * left^T right, of some of right's panels, where the rows
  /// of `right` begin `offset` rows down. Every element is rounded once: the part of a block of
  /// positions may be too small to move a weight that the whole gradient moves. So more than a
  /// block is summed first, in these panels of `sums`, of result's sizes; as many panels at a time
  /// as stay in the cache, for which `left` comes from memory once.
  static void descend(const PanelMatrix<Real>& left, const PanelMatrix<Real>& right,
                      std::int64_t offset, std::int64_t positions, Range panels, Real rate,
                      PanelMatrix<Real>& sums, PanelMatrix<Real>& result) {
    if (positions <= kBlock) {
      for (std::int64_t panel = panels.first; panel < panels.end; ++panel) {
        descend_block(left, 0, right.panel(panel, offset), positions, rate, result.panel(panel));
      }
      return;
    }
    const Tag d;
    const Vector factor = hn::Set(d, rate);
    const std::int64_t panel_size = result.rows() * kWidth;
    const std::int64_t panel_bytes = panel_size * std::int64_t{sizeof(Real)};
    const std::int64_t group = std::max<std::int64_t>(kSumBytes / panel_bytes, 1);
    Real* sum = sums.panel(panels.first);
    for (std::int64_t first = panels.first; first < panels.end; first += group) {
      const Range summed = {.first = first, .end = std::min(first + group, panels.end)};
      sum_products(left, right, offset, positions, summed, sum);
      Real* target = result.panel(first);
      for (std::int64_t i = 0; i < summed.size() * panel_size; i += Row::kLanes) {
        hn::Store(hn::NegMulAdd(factor, hn::Load(d, sum + i), hn::Load(d, target + i)), d,
                  target + i);
      }
    }
  }

  /// The same of one panel and of `count` positions from `first`.
  static void descend_block(const PanelMatrix<Real>& left, std::int64_t first, const Real* right,
                            std::int64_t count, Real rate, Real* result) {
    for (std::int64_t left_panel = 0; left_panel < left.panels(); ++left_panel) {
      const TileRows rows(left.columns_in(left_panel), Row::kMaxRows);
      for (std::int64_t tile = 0; tile < rows.tiles(); ++tile) {
        const std::int64_t column = rows.first(tile);
        ForRows<Descend, const Real*, std::int64_t, const Real*, std::int64_t, Real, Real*>::call(
            rows.count(tile), left.panel(left_panel, first) + column, left.width(), right, count,
            rate, result + (left_panel * left.width() + column) * kWidth);
      }
    }
  }

  /// input_gradient[c] = the sum of sum_gradient over the positions whose input is c.
  static void add_up_by_class(Workspace<Real>& w, Range panels) {
    const Tag d;
    for (std::int64_t panel = panels.first; panel < panels.end; ++panel) {
      Real* sums = w.input_gradient.panel(panel);
      std::fill_n(sums, w.C() * kWidth, Real(0));
      for (std::int64_t p = 0; p < w.P(); ++p) {
        Real* sum = sums + w.inputs[p] * kWidth;
        const Real* gradient = w.sum_gradient.panel(panel, p);
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) {
          const std::int64_t lane = v * Row::kLanes;
          hn::Store(hn::Add(hn::Load(d, sum + lane), hn::Load(d, gradient + lane)), d, sum + lane);
        }
      }
    }
  }

  static void update(Workspace<Real>& w, Parameters<Real>& target, Real rate, Share share) {
    const Tag d;
    const Range panels = share.of(w.hidden.panels());
    if (w.C() <= kMaxOneHotClasses) {
      sum_products(w.one_hot, w.sum_gradient, 0, w.P(), panels,
                   w.input_gradient.panel(panels.first));
    } else {
      add_up_by_class(w, panels);
    }
    const Vector factor = hn::Set(d, rate);
    for (std::int64_t panel = panels.first; panel < panels.end; ++panel) {
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        const std::int64_t lane = v * Row::kLanes;
        Vector total = hn::Zero(d);
        for (std::int64_t c = 0; c < w.C(); ++c) {
          const Vector gradient = hn::Load(d, w.input_gradient.panel(panel, c) + lane);
          Real* weight = target.input_weight.panel(panel, c) + lane;
          hn::Store(hn::NegMulAdd(factor, gradient, hn::Load(d, weight)), d, weight);
          total = hn::Add(total, gradient);
        }
        Real* bias = target.bias.panel(panel) + lane;
        hn::Store(hn::NegMulAdd(factor, total, hn::Load(d, bias)), d, bias);
      }
    }
    // Two matrices that have served take the sums.
    descend(w.hidden, w.sum_gradient, 0, w.P(), panels, rate, w.recurrent_transposed,
            target.recurrent_weight);
    descend(w.logits, w.hidden, w.B(), w.P(), panels, rate, w.input_gradient,
            target.readout_weight);
    if (share.index == 0) {
      for (std::int64_t c = 0; c < w.C(); ++c) {
        Real gradient = w.readout_bias_gradient.at(0, c);
        for (std::int64_t block = 1; block < w.blocks(); ++block) {
          gradient += w.readout_bias_gradient.at(block, c);
        }
        target.readout_bias.at(0, c) -= rate * gradient;
      }
    }
  }
};

}  // namespace unroll::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
