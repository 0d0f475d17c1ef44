// The whole training step of a small network of two classes, in registers. Included once for each
// instruction set.

#if defined(UNROLL_KERNELS_SMALL_STEP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_KERNELS_SMALL_STEP_INL_H_
#undef UNROLL_KERNELS_SMALL_STEP_INL_H_
#else
#define UNROLL_KERNELS_SMALL_STEP_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <type_traits>

#include <unroll/kernels/loss_kernels-inl.h>
#include <unroll/kernels/math-inl.h>
#include <unroll/kernels/workspace.h>

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr int kSmallHidden = 4;  // hidden units, and the lanes of a row

/// Up to four hidden units. A row of the batch is four lanes, and all rows of the batch are side by
/// side, here with vectors of eight lanes:
///
///     vector 0   h_0 h_1 h_2 h_3 of row 0 | h_0 h_1 h_2 h_3 of row 1
///     vector 1   h_0 h_1 h_2 h_3 of row 2 | padding
///
/// A parameter vector holds the same four numbers for every row, so a step of a row is four
/// broadcasts and products, and only h_t leaves the registers. The logits have one number a row, so
/// four steps share a vector:
///
///     vector 0   z_t z_t+1 z_t+2 z_t+3 of row 0 | z_t z_t+1 z_t+2 z_t+3 of row 1
///
/// A window at this size is one chain of some 2 T dependent steps; what is beside the chain runs in
/// its shadow.
template <class Tag, int kVectors>
class SmallStep {
 public:
  using Real = hn::TFromD<Tag>;
  using Vector = hn::Vec<Tag>;
  static constexpr int kLanes = static_cast<int>(hn::MaxLanes(Tag()));
  static constexpr int kMaxRows = kVectors * kLanes / kSmallHidden;

  /// Of `trace`: the states of T + 1 steps, and the gradients by z of T steps, rounded up to four.
  static std::int64_t trace_size(std::int64_t num_steps) {
    return (num_steps + 1 + (num_steps + 3) / 4) * kVectors * kLanes;
  }

  static void run(Workspace<Real>& w, const SymbolRows& symbols, std::int64_t count, Real rate,
                  Real* losses) {
    SmallStep step(w, rate);
    const std::int64_t T = w.shape.num_steps;
    for (std::int64_t k = 0; k < count; ++k) {
      pack(symbols, k * T, w);
      const std::int64_t* codes = w.inputs.data();
      losses[k] = step.forward(codes);
      step.backward(codes);
      step.carry_state();
    }
    step.save(w);
  }

 private:
  using Bit = std::conditional_t<sizeof(Real) == 4, std::int32_t, std::int64_t>;
  using Bits = hn::Rebind<Bit, Tag>;
  using Four = std::array<Vector, 4>;
  static constexpr int kTargetBit = 16;  // a code's bit of row b's target is kTargetBit + b
  static_assert(kMaxRows < kTargetBit);

  SmallStep(Workspace<Real>& w, Real rate)
      : rate_(hn::Set(d_, rate)), T_(w.shape.num_steps), states_(w.trace.data()) {
    gradients_ = states_ + (T_ + 1) * kVectors * kLanes;
    for (std::int64_t k = 0; k < 4; ++k) {
      recurrent_[static_cast<std::size_t>(k)] = replicate(w, [&](std::int64_t h) {
        return k < w.H() ? w.parameters.recurrent_weight.panel(0, k)[h] : Real(0);
      });
    }
    transposed_ = transpose(recurrent_);
    for (int c = 0; c < 2; ++c) {
      input_[c] =
          replicate(w, [&](std::int64_t h) { return w.parameters.input_weight.panel(0, c)[h]; });
      readout_[c] =
          replicate(w, [&](std::int64_t h) { return w.parameters.readout_weight.panel(0, c)[h]; });
      readout_bias_[c] = hn::Set(d_, w.parameters.readout_bias.panel(0)[c]);
    }
    bias_ = replicate(w, [&](std::int64_t h) { return w.parameters.bias.panel(0)[h]; });

    for (int v = 0; v < kVectors; ++v) {
      Real state[std::size_t{kLanes}] = {};
      Real mean[std::size_t{kLanes}] = {};
      Bit input_bit[std::size_t{kLanes}];
      Bit target_bit[std::size_t{kLanes}];
      for (int lane = 0; lane < kLanes; ++lane) {
        const int b = (v * kLanes + lane) / kSmallHidden;
        const int h = lane % kSmallHidden;
        input_bit[lane] = Bit{1} << b;
        target_bit[lane] = Bit{1} << (kTargetBit + b);
        if (b < w.B()) {
          mean[lane] = Real(1) / static_cast<Real>(w.P());
          state[lane] = h < w.H() ? w.hidden.panel(0, b)[h] : Real(0);
        }
      }
      hn::Store(hn::LoadU(d_, state), d_, states_ + v * kLanes);
      mean_[v] = hn::LoadU(d_, mean);
      input_bit_[v] = hn::LoadU(bits_, input_bit);
      target_bit_[v] = hn::LoadU(bits_, target_bit);
    }
  }

  /// element(h) in lane h of every row, and zero where there is no such unit.
  template <class Element>
  Vector replicate(const Workspace<Real>& w, Element&& element) const {
    Real lanes[std::size_t{kLanes}];
    for (int lane = 0; lane < kLanes; ++lane) {
      const int h = lane % kSmallHidden;
      lanes[lane] = h < w.H() ? element(h) : Real(0);
    }
    return hn::LoadU(d_, lanes);
  }

  /// codes[t], in w.inputs: bit b is the input of row b, bit kTargetBit + b its target. The steps
  /// that round T up to four have codes too, of no meaning.
  static void pack(const SymbolRows& symbols, std::int64_t first, Workspace<Real>& w) {
    const hn::ScalableTag<std::int64_t> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    const std::int64_t T = w.shape.num_steps;
    std::int64_t t = 0;
    for (; t + lanes <= T; t += lanes) {
      auto code = hn::Zero(d);
      for (std::int64_t b = 0; b < w.B(); ++b) {
        const std::int64_t offset = b * symbols.stride + first + t;
        const auto shift = static_cast<int>(b);
        code = hn::Or(code, hn::ShiftLeftSame(hn::LoadU(d, symbols.inputs + offset), shift));
        code = hn::Or(
            code, hn::ShiftLeftSame(hn::LoadU(d, symbols.targets + offset), kTargetBit + shift));
      }
      hn::StoreU(code, d, w.inputs.data() + t);
    }
    for (; t < T; ++t) {
      std::int64_t code = 0;
      for (std::int64_t b = 0; b < w.B(); ++b) {
        const std::int64_t offset = b * symbols.stride + first + t;
        code |= symbols.inputs[offset] << b | symbols.targets[offset] << (kTargetBit + b);
      }
      w.inputs[t] = code;
    }
  }

  /// Lane k of every row, in all lanes of the row.
  template <int kLane>
  HWY_INLINE Vector broadcast(Vector v) const {
    if constexpr (sizeof(Real) == 4) {
      return hn::Broadcast<kLane>(v);
    } else {
      alignas(32) static constexpr std::int64_t kIndices[4] = {kLane, kLane, kLane, kLane};
      return hn::TableLookupLanes(v, hn::SetTableIndices(d_, kIndices));
    }
  }

  HWY_INLINE Four broadcast_all(Vector v) const {
    return {broadcast<0>(v), broadcast<1>(v), broadcast<2>(v), broadcast<3>(v)};
  }

  /// In every row, the four vectors' lanes as a matrix, transposed.
  HWY_INLINE Four transpose(const Four& m) const {
    const Vector low01 = hn::InterleaveLower(d_, m[0], m[1]);
    const Vector high01 = hn::InterleaveUpper(d_, m[0], m[1]);
    const Vector low23 = hn::InterleaveLower(d_, m[2], m[3]);
    const Vector high23 = hn::InterleaveUpper(d_, m[2], m[3]);
    if constexpr (sizeof(Real) == 4) {
      const hn::Repartition<double, Tag> pairs;
      const auto join = [&](Vector a, Vector b) HWY_ATTR {
        return Four{hn::BitCast(d_, hn::InterleaveLower(pairs, hn::BitCast(pairs, a),
                                                        hn::BitCast(pairs, b))),
                    hn::BitCast(d_, hn::InterleaveUpper(pairs, hn::BitCast(pairs, a),
                                                        hn::BitCast(pairs, b)))};
      };
      const Four low = join(low01, low23);
      const Four high = join(high01, high23);
      return {low[0], low[1], high[0], high[1]};
    } else {
      return {hn::ConcatLowerLower(d_, low23, low01), hn::ConcatLowerLower(d_, high23, high01),
              hn::ConcatUpperUpper(d_, low23, low01), hn::ConcatUpperUpper(d_, high23, high01)};
    }
  }

  /// The sum of a row, in all its lanes.
  HWY_INLINE Vector sum_of_row(Vector v) const {
    if constexpr (sizeof(Real) == 4) {
      v = hn::Add(v, hn::Shuffle1032(v));
      return hn::Add(v, hn::Shuffle2301(v));
    } else {
      v = hn::Add(v, hn::SwapAdjacentBlocks(v));
      return hn::Add(v, hn::Shuffle01(v));
    }
  }

  /// The sum over a vector's rows, in every row.
  HWY_INLINE Vector sum_of_rows(Vector v) const {
    if constexpr (kLanes == 16) {
      v = hn::Add(v, hn::ConcatLowerUpper(d_, v, v));
    }
    if constexpr (kLanes > kSmallHidden) {
      v = hn::Add(v, hn::SwapAdjacentBlocks(v));
    }
    return v;
  }

  /// The sum over k of lanes[k] * matrix[k].
  HWY_INLINE Vector product(const Four& lanes, const Four& matrix) const {
    return hn::Add(hn::MulAdd(lanes[1], matrix[1], hn::Mul(lanes[0], matrix[0])),
                   hn::MulAdd(lanes[3], matrix[3], hn::Mul(lanes[2], matrix[2])));
  }

  HWY_INLINE auto has_bit(hn::Vec<Bits> codes, hn::Vec<Bits> bit) const {
    return hn::RebindMask(d_, hn::TestBit(codes, bit));
  }
  HWY_INLINE auto is_second_input(const std::int64_t* codes, std::int64_t t, int v) const {
    return has_bit(hn::Set(bits_, static_cast<Bit>(codes[t])), input_bit_[v]);
  }

  /// The codes of steps t .. t + 3, in every row.
  HWY_INLINE hn::Vec<Bits> four_codes(const std::int64_t* codes, std::int64_t t) const {
    if constexpr (sizeof(Real) == 4) {
      alignas(16) Bit narrow[4];
      for (int i = 0; i < 4; ++i) {
        narrow[i] = static_cast<Bit>(codes[t + i]);
      }
      return hn::LoadDup128(bits_, narrow);
    } else {
      return hn::LoadU(bits_, codes + t);
    }
  }

  [[nodiscard]] Real* state_at(std::int64_t t, int v) const {
    return states_ + (t * kVectors + v) * kLanes;
  }
  [[nodiscard]] Real* gradient_at(std::int64_t t, int v) const {
    return gradients_ + (t / 4 * kVectors + v) * kLanes;
  }

  HWY_INLINE Real forward(const std::int64_t* HWY_RESTRICT codes) {
    const Vector terms[2] = {hn::Add(input_[0], bias_), hn::Add(input_[1], bias_)};
    const Vector difference = hn::Sub(readout_[1], readout_[0]);
    const Vector bias_difference = hn::Sub(readout_bias_[1], readout_bias_[0]);
    const Vector one = hn::Set(d_, Real(1));
    const Vector lane_of_row = hn::LoadU(d_, kLaneOfRow);
    Vector h[std::size_t{kVectors}];
    Vector z[std::size_t{kVectors}];
    Vector linear[std::size_t{kVectors}];
    SumOfLogs<Tag> logs[std::size_t{kVectors}];
    for (int v = 0; v < kVectors; ++v) {
      h[v] = hn::Load(d_, state_at(0, v));
      z[v] = hn::Zero(d_);
      linear[v] = hn::Zero(d_);
    }
    for (std::int64_t first = 0; first < T_; first += 4) {
      const std::int64_t steps = std::min<std::int64_t>(4, T_ - first);
      for (std::int64_t step = 0; step < steps; ++step) {
        const auto is_step = hn::Eq(lane_of_row, hn::Set(d_, static_cast<Real>(step)));
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
          const Vector term =
              hn::IfThenElse(is_second_input(codes, first + step, v), terms[1], terms[0]);
          h[v] = tanh(d_, hn::Add(product(broadcast_all(h[v]), recurrent_), term));
          hn::Store(h[v], d_, state_at(first + step + 1, v));
          z[v] = hn::IfThenElse(is_step, sum_of_row(hn::Mul(h[v], difference)), z[v]);
        }
      }
      const auto targets = four_codes(codes, first);
      const auto is_position = hn::Lt(lane_of_row, hn::Set(d_, static_cast<Real>(steps)));
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        const Vector logit = hn::Add(z[v], bias_difference);
        const auto is_second = has_bit(targets, target_bit_[v]);
        const auto part = margin_loss(d_, hn::IfThenElse(is_second, logit, hn::Neg(logit)));
        const Vector gradient = hn::Mul(mean_[v], part.chance_of_wrong);
        hn::Store(hn::IfThenElse(is_second, hn::Neg(gradient), gradient), d_,
                  gradient_at(first, v));
        linear[v] = hn::Add(linear[v], hn::IfThenElseZero(is_position, part.twice_linear));
        logs[v].add(d_, hn::IfThenElse(is_position, part.factor, one));
      }
    }
    Vector loss = hn::Zero(d_);
    for (int v = 0; v < kVectors; ++v) {
      const Vector sum = hn::MulAdd(linear[v], hn::Set(d_, Real(0.5)), logs[v].total(d_));
      loss = hn::MulAdd(sum, mean_[v], loss);
    }
    return hn::GetLane(hn::SumOfLanes(d_, loss));
  }

  /// A window's gradients, of all rows.
  struct Gradients {
    Four transposed;  // row: to
    Vector bias;
    Vector second_input;
    Vector readout;  // of the second class; the first's is its negative
    Vector readout_bias;
    Vector from_next[std::size_t{kVectors}];  // by h_t, through h_{t+1}
  };

  /// Step t = 4 n + kStep of the way back.
  template <int kStep>
  HWY_INLINE void step_back(const std::int64_t* HWY_RESTRICT codes, std::int64_t t,
                            Vector difference, Gradients& g) const {
    const Vector one = hn::Set(d_, Real(1));
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const Vector h = hn::Load(d_, state_at(t + 1, v));
      const Vector before = hn::Load(d_, state_at(t, v));
      const Vector dz = broadcast<kStep>(hn::Load(d_, gradient_at(t, v)));
      const Vector slope = hn::NegMulAdd(h, h, one);
      const Vector from_logit = hn::Mul(hn::Mul(dz, difference), slope);
      const Vector da = hn::MulAdd(g.from_next[v], slope, from_logit);
      const Four lanes = broadcast_all(da);
      g.from_next[v] = product(lanes, transposed_);
#pragma GCC unroll 4
      for (std::size_t k = 0; k < 4; ++k) {
        g.transposed[k] = hn::MulAdd(lanes[k], before, g.transposed[k]);
      }
      g.bias = hn::Add(g.bias, da);
      g.second_input =
          hn::Add(g.second_input, hn::IfThenElseZero(is_second_input(codes, t, v), da));
      g.readout = hn::MulAdd(dz, h, g.readout);
      g.readout_bias = hn::Add(g.readout_bias, dz);
    }
  }

  HWY_INLINE void backward(const std::int64_t* HWY_RESTRICT codes) {
    const Vector difference = hn::Sub(readout_[1], readout_[0]);
    const Vector zero = hn::Zero(d_);
    Gradients g = {{zero, zero, zero, zero}, zero, zero, zero, zero, {}};
    for (int v = 0; v < kVectors; ++v) {
      g.from_next[v] = zero;
    }
    std::int64_t t = T_ - 1;
    for (; t % 4 != 3 && t >= 0; --t) {
      switch (t % 4) {
        case 2:
          step_back<2>(codes, t, difference, g);
          break;
        case 1:
          step_back<1>(codes, t, difference, g);
          break;
        default:
          step_back<0>(codes, t, difference, g);
      }
    }
    for (; t >= 0; t -= 4) {
      step_back<3>(codes, t, difference, g);
      step_back<2>(codes, t - 1, difference, g);
      step_back<1>(codes, t - 2, difference, g);
      step_back<0>(codes, t - 3, difference, g);
    }
    descend(g);
  }

  HWY_INLINE void descend(const Gradients& g) {
#pragma GCC unroll 4
    for (std::size_t k = 0; k < 4; ++k) {
      transposed_[k] = hn::NegMulAdd(rate_, sum_of_rows(g.transposed[k]), transposed_[k]);
    }
    recurrent_ = transpose(transposed_);
    const Vector all = sum_of_rows(g.bias);
    const Vector second = sum_of_rows(g.second_input);
    bias_ = hn::NegMulAdd(rate_, all, bias_);
    input_[0] = hn::NegMulAdd(rate_, hn::Sub(all, second), input_[0]);
    input_[1] = hn::NegMulAdd(rate_, second, input_[1]);
    const Vector readout = sum_of_rows(g.readout);
    readout_[0] = hn::MulAdd(rate_, readout, readout_[0]);
    readout_[1] = hn::NegMulAdd(rate_, readout, readout_[1]);
    const Vector readout_bias = sum_of_rows(g.readout_bias);
    readout_bias_[0] = hn::MulAdd(rate_, readout_bias, readout_bias_[0]);
    readout_bias_[1] = hn::NegMulAdd(rate_, readout_bias, readout_bias_[1]);
  }

  HWY_INLINE void carry_state() {
    for (int v = 0; v < kVectors; ++v) {
      hn::Store(hn::Load(d_, state_at(T_, v)), d_, state_at(0, v));
    }
  }

  /// The parameters and the state back into the workspace.
  void save(Workspace<Real>& w) const {
    const auto save_row = [&](Vector v, Real* row) HWY_ATTR {
      alignas(64) Real lanes[std::size_t{kLanes}];
      hn::Store(v, d_, lanes);
      std::copy_n(lanes, w.H(), row);
    };
    for (std::int64_t k = 0; k < w.H(); ++k) {
      save_row(recurrent_[static_cast<std::size_t>(k)], w.parameters.recurrent_weight.panel(0, k));
    }
    for (int c = 0; c < 2; ++c) {
      save_row(input_[c], w.parameters.input_weight.panel(0, c));
      save_row(readout_[c], w.parameters.readout_weight.panel(0, c));
      w.parameters.readout_bias.panel(0)[c] = hn::GetLane(readout_bias_[c]);
    }
    save_row(bias_, w.parameters.bias.panel(0));
    for (std::int64_t b = 0; b < w.B(); ++b) {
      std::copy_n(states_ + b * kSmallHidden, w.H(), w.hidden.panel(0, b));
    }
  }

  static constexpr Real kLaneOfRow[16] = {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3};

  Tag d_;
  Bits bits_;
  Vector rate_;
  std::int64_t T_;
  Real* states_;     // [T + 1, vectors], from the state before the window
  Real* gradients_;  // [T / 4 rounded up, vectors], by z
  Four recurrent_;   // row: from
  Four transposed_;  // row: to
  Vector input_[2];
  Vector bias_;
  Vector readout_[2];
  Vector readout_bias_[2];
  Vector mean_[std::size_t{kVectors}];  // 1 / P, and 0 in the rows that are padding
  hn::Vec<Bits> input_bit_[std::size_t{kVectors}];
  hn::Vec<Bits> target_bit_[std::size_t{kVectors}];
};

}  // namespace unroll::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
