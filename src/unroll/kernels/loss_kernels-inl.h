// Readout and softmax cross-entropy of a window. Included once for each instruction set.

#if defined(UNROLL_KERNELS_LOSS_KERNELS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_KERNELS_LOSS_KERNELS_INL_H_
#undef UNROLL_KERNELS_LOSS_KERNELS_INL_H_
#else
#define UNROLL_KERNELS_LOSS_KERNELS_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#include <unroll/kernels/math-inl.h>
#include <unroll/kernels/tile-inl.h>
#include <unroll/kernels/workspace.h>

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// The sum of ln(x) over vectors of x from 1 to 2, by one logarithm for many of them: products of
/// up to 2^64 have room.
template <class D>
class SumOfLogs {
 public:
  using Vector = hn::Vec<D>;

  HWY_INLINE explicit SumOfLogs(D d = D())
      : sum_(hn::Zero(d)), product_(hn::Set(d, hn::TFromD<D>(1))) {}

  HWY_INLINE void add(D d, Vector x) {
    product_ = hn::Mul(product_, x);
    if (++factors_ == 64) {
      sum_ = total(d);
      product_ = hn::Set(d, hn::TFromD<D>(1));
      factors_ = 0;
    }
  }

  [[nodiscard]] HWY_INLINE Vector total(D d) const { return hn::Add(sum_, log(d, product_)); }

 private:
  Vector sum_;
  Vector product_;
  int factors_ = 0;
};

/// Two classes' cross-entropy ln(1 + exp(-margin)) of the margin, the logit of the right class less
/// the other's: as twice_linear / 2 + ln(factor), with a factor from 1 to 2.
template <class V>
struct MarginLoss {
  V twice_linear;
  V factor;
  V chance_of_wrong;  // the negative of the loss's gradient by the margin
};

template <class D, class V = hn::Vec<D>>
HWY_INLINE MarginLoss<V> margin_loss(D d, V margin) {
  const V one = hn::Set(d, hn::TFromD<D>(1));
  const V magnitude = hn::Abs(margin);
  const V e = exp_of_negative(d, hn::Neg(magnitude));
  const V factor = hn::Add(one, e);
  const V numerator = hn::IfThenElse(hn::Gt(margin, hn::Zero(d)), e, one);
  return {.twice_linear = hn::Sub(magnitude, margin),  // not by Max, which may drop a NaN
          .factor = factor,
          .chance_of_wrong = hn::Div(numerator, factor)};
}

/// Which lanes of a vector are among the next `count`.
template <class Row>
HWY_INLINE auto first_lanes(std::int64_t count) {
  return hn::FirstN(typename Row::Tag(),
                    static_cast<std::size_t>(std::min<std::int64_t>(Row::kLanes, count)));
}

/// Runs a loss over a thread's blocks of positions.
template <class Loss, class Real>
void run_loss(Workspace<Real>& w, Share share) {
  const Range blocks = share.of(w.blocks());
  for (std::int64_t block = blocks.first; block < blocks.end; ++block) {
    Loss::run(w, block,
              {.first = block * kLossBlock, .end = std::min((block + 1) * kLossBlock, w.P())});
  }
}

/// Two classes. Their softmax is a sigmoid of the difference of the logits, so one product with the
/// difference of the readout rows is all that is needed of the logits. Row is a panel's row of
/// hidden units.
template <class Row>
struct BinaryLoss {
  using Real = typename Row::Real;
  using Tag = typename Row::Tag;
  using Vector = typename Row::Vector;
  static constexpr std::size_t kGroup = 16 / sizeof(Real);  // positions that are summed together
  static_assert(Row::kLanes <= Workspace<Real>::kSlack);
  using GroupTag = hn::CappedTag<Real, kGroup>;

  /// A vector folded to 128 bits, by adding its halves.
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE hn::Vec<GroupTag> fold(D /*d*/, V vector) {
    if constexpr (hn::MaxLanes(D()) > kGroup) {
      const hn::Half<D> half;
      return fold(half, hn::Add(hn::LowerHalf(half, vector), hn::UpperHalf(half, vector)));
    } else {
      return vector;
    }
  }

  /// hidden . readout_difference at `position`, in partial sums.
  static HWY_INLINE hn::Vec<GroupTag> product(const Workspace<Real>& w, std::int64_t position) {
    const Tag d;
    Vector sum = hn::Zero(d);
    for (std::int64_t panel = 0; panel < w.hidden.panels(); ++panel) {
      const Real* hidden = w.hidden.panel(panel, w.B() + std::min(position, w.P() - 1));
      const Real* difference = w.readout_difference.panel(panel);
#pragma GCC unroll 2
      for (int v = 0; v < Row::kVectors; ++v) {
        sum = hn::MulAdd(hn::Load(d, hidden + v * Row::kLanes),
                         hn::Load(d, difference + v * Row::kLanes), sum);
      }
    }
    return fold(d, sum);
  }

  /// scratch[p] = the second logit - the first.
  static void differences(Workspace<Real>& w, Range positions) {
    const GroupTag d;
    const auto bias =
        hn::Set(d, w.parameters.readout_bias.at(0, 1) - w.parameters.readout_bias.at(0, 0));
    for (std::int64_t p = positions.first; p < positions.end;
         p += static_cast<std::int64_t>(kGroup)) {
      const auto p0 = product(w, p);
      const auto p1 = product(w, p + 1);
      const auto sum01 = hn::Add(hn::InterleaveLower(d, p0, p1), hn::InterleaveUpper(d, p0, p1));
      if constexpr (kGroup == 4) {
        const auto p2 = product(w, p + 2);
        const auto p3 = product(w, p + 3);
        const auto sum23 = hn::Add(hn::InterleaveLower(d, p2, p3), hn::InterleaveUpper(d, p2, p3));
        const auto sum =
            hn::Add(hn::ConcatLowerLower(d, sum23, sum01), hn::ConcatUpperUpper(d, sum23, sum01));
        hn::Store(hn::Add(sum, bias), d, w.scratch.data() + p);
      } else {
        hn::Store(hn::Add(sum01, bias), d, w.scratch.data() + p);
      }
    }
  }

  /// A block of positions.
  static void run(Workspace<Real>& w, std::int64_t block, Range positions) {
    differences(w, positions);
    const Tag d;
    const hn::Rebind<std::int32_t, Tag> integers;
    const Vector one = hn::Set(d, Real(1));
    const Vector mean = hn::Set(d, Real(1) / static_cast<Real>(w.P()));
    Vector linear = hn::Zero(d);
    Vector gradient_sum = hn::Zero(d);
    SumOfLogs<Tag> logs(d);
    for (std::int64_t p = positions.first; p < positions.end; p += Row::kLanes) {
      const auto is_position = first_lanes<Row>(positions.end - p);
      const auto targets = hn::LoadU(integers, w.targets.data() + p);
      Vector target;
      if constexpr (sizeof(Real) == 4) {
        target = hn::ConvertTo(d, targets);
      } else {
        target = hn::PromoteTo(d, targets);
      }
      const Vector sign = hn::Sub(hn::Add(target, target), one);
      const auto loss = margin_loss(d, hn::Mul(hn::LoadU(d, w.scratch.data() + p), sign));
      linear = hn::Add(linear, hn::IfThenElseZero(is_position, loss.twice_linear));
      logs.add(d, hn::IfThenElse(is_position, loss.factor, one));
      const Vector second = hn::Neg(
          hn::Mul(hn::Mul(sign, mean), hn::IfThenElseZero(is_position, loss.chance_of_wrong)));
      gradient_sum = hn::Add(gradient_sum, second);
      hn::StoreInterleaved2(hn::Neg(second), second, d, w.logits.panel(0, p));
    }
    const Real second = hn::GetLane(hn::SumOfLanes(d, gradient_sum));
    w.readout_bias_gradient.at(block, 0) = -second;
    w.readout_bias_gradient.at(block, 1) = second;
    const Vector total = hn::MulAdd(linear, hn::Set(d, Real(0.5)), logs.total(d));
    w.block_losses[block] = static_cast<double>(hn::GetLane(hn::SumOfLanes(d, total)));
  }
};

/// Any number of classes, up to what Real tells apart: 2^24 in single precision. Row is a panel's
/// row of classes.
template <class Row>
struct SoftmaxLoss {
  using Real = typename Row::Real;
  using Tag = typename Row::Tag;
  using Vector = typename Row::Vector;
  static constexpr int kMaxRowsOfTile = Row::kMaxRows;
  static_assert(Row::kLanes <= Workspace<Real>::kSlack);

  /// logits = hidden readout_transposed + readout_bias, a tile of positions.
  struct Logits {
    static constexpr int kMaxRows = kMaxRowsOfTile;
    template <int kRows>
    static void run(Workspace<Real>& w, std::int64_t panel, std::int64_t position) {
      const Tag d;
      Tile<Row, kRows> tile;
#pragma GCC unroll 32
      for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
        for (int v = 0; v < Row::kVectors; ++v) {
          tile.sum[r][v] = hn::Load(d, w.parameters.readout_bias.panel(panel) + v * Row::kLanes);
        }
      }
      tile.template add_product<0>(w.hidden, w.B() + position, w.readout_transposed.panel(panel));
      Real* logits = w.logits.panel(panel, position);
#pragma GCC unroll 32
      for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
        for (int v = 0; v < Row::kVectors; ++v) {
          hn::Store(tile.sum[r][v], d, logits + r * Row::kWidth + v * Row::kLanes);
        }
      }
    }
  };

  /// Calls work(logits, which of them are classes, panel, first column in the panel) for every
  /// vector of a position's logits.
  template <class Work>
  static HWY_INLINE void for_each_vector(Workspace<Real>& w, std::int64_t position, Work&& work) {
    const Tag d;
    for (std::int64_t panel = 0; panel < w.logits.panels(); ++panel) {
#pragma GCC unroll 2
      for (std::int64_t v = 0; v < Row::kVectors; ++v) {
        const std::int64_t lane = v * Row::kLanes;
        const std::int64_t classes =
            std::clamp<std::int64_t>(w.logits.columns_in(panel) - lane, 0, Row::kLanes);
        work(w.logits.panel(panel, position) + lane,
             hn::FirstN(d, static_cast<std::size_t>(classes)), panel, lane);
      }
    }
  }

  /// A block of positions.
  static void run(Workspace<Real>& w, std::int64_t block, Range positions) {
    const TileRows rows(positions.size(), Row::kMaxRows);
    for (std::int64_t panel = 0; panel < w.logits.panels(); ++panel) {
      for (std::int64_t tile = 0; tile < rows.tiles(); ++tile) {
        ForRows<Logits, Workspace<Real>&, std::int64_t, std::int64_t>::call(
            rows.count(tile), w, panel, positions.first + rows.first(tile));
      }
    }

    const Tag d;
    const Vector lowest = hn::Set(d, -std::numeric_limits<Real>::infinity());
    const Real mean = Real(1) / static_cast<Real>(w.P());
    const hn::Vec<Tag> step = hn::Set(d, mean);
    for (std::int64_t panel = 0; panel < w.readout_bias_gradient.panels(); ++panel) {
      std::fill_n(w.readout_bias_gradient.panel(panel, block), Row::kWidth, Real(0));
    }
    double linear = 0.0;
    for (std::int64_t p = positions.first; p < positions.end; ++p) {
      Vector largest = lowest;
      for_each_vector(
          w, p,
          [&](const Real* logits, auto is_class, std::int64_t /*panel*/, std::int64_t /*lane*/)
              HWY_ATTR {
                largest = hn::Max(largest, hn::IfThenElse(is_class, hn::Load(d, logits), lowest));
              });
      largest = hn::MaxOfLanes(d, largest);
      const Real target_logit = w.logits.at(p, w.targets[p]);

      Vector sum = hn::Zero(d);
      for_each_vector(
          w, p,
          [&](Real* logits, auto is_class, std::int64_t /*panel*/, std::int64_t /*lane*/) HWY_ATTR {
            const Vector e = hn::IfThenElseZero(
                is_class, exp_of_negative(d, hn::Sub(hn::Load(d, logits), largest)));
            hn::Store(e, d, logits);
            sum = hn::Add(sum, e);
          });
      sum = hn::SumOfLanes(d, sum);
      linear += static_cast<double>(hn::GetLane(largest) - target_logit);
      w.scratch[p] = hn::GetLane(sum);

      const Vector factor = hn::Div(step, sum);
      for_each_vector(
          w, p,
          [&](Real* logits, auto /*is_class*/, std::int64_t panel, std::int64_t lane) HWY_ATTR {
            const Vector classes = hn::Iota(d, static_cast<Real>(panel * Row::kWidth + lane));
            const auto hit = hn::Eq(classes, hn::Set(d, static_cast<Real>(w.targets[p])));
            const Vector gradient =
                hn::Sub(hn::Mul(hn::Load(d, logits), factor), hn::IfThenElseZero(hit, step));
            hn::Store(gradient, d, logits);
            Real* total = w.readout_bias_gradient.panel(panel, block) + lane;
            hn::Store(hn::Add(hn::Load(d, total), gradient), d, total);
          });
    }
    Vector logs = hn::Zero(d);
    for (std::int64_t p = positions.first; p < positions.end; p += Row::kLanes) {
      const auto is_position = first_lanes<Row>(positions.end - p);
      const Vector sums = hn::LoadU(d, w.scratch.data() + p);
      logs = hn::Add(logs, log(d, hn::IfThenElse(is_position, sums, hn::Set(d, Real(1)))));
    }
    w.block_losses[block] = linear + static_cast<double>(hn::GetLane(hn::SumOfLanes(d, logs)));
  }
};

}  // namespace unroll::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
