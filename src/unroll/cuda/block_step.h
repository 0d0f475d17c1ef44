// The training step of a small network by one block of a GPU's threads, in plain C++ that CUDA's
// compiler and the CPU's both take: what the tests run on the CPU is what the kernel runs.
//
// Weights, gradients, a window's states and its symbols stay in the block's shared memory while it
// trains window after window. The work is cut into phases with a barrier behind each; within one,
// no thread reads what another writes, so that their order changes no bit.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <unroll/kernels/shape.h>
#include <unroll/kernels/views.h>

#ifdef __CUDACC__
#define UNROLL_HOST_DEVICE __host__ __device__
/// Before a loop of few turns: else CUDA's compiler unrolls it, and divides to know how often.
#define UNROLL_FEW_TURNS _Pragma("unroll 1")
#else
#define UNROLL_HOST_DEVICE
#define UNROLL_FEW_TURNS
#endif

namespace unroll::cuda {

/// The most threads that a block has on any GPU.
inline constexpr int kMostLanes = 1024;
/// The rows of the batch that a lane computes at a time where there are enough of them.
inline constexpr int kRowsOfTile = 4;

/// Windows to train on, one update each, all of it in the memory of the GPU.
template <class Real>
struct BlockStepCall {
  kernels::ParameterViews<Real> parameters;
  kernels::SymbolRows symbols;  ///< each in [0, C)
  Real* state;                  ///< [B, H]: what the first window starts from; then, the last one's
  Real* losses;                 ///< [count]: each window's in nats, before its update
  std::int64_t count;
  Real learning_rate;
};

/// Divides small integers by one that is known only at run time, without a division.
class Divisor {
 public:
  Divisor() = default;
  explicit constexpr Divisor(int divisor)
      : factor_(((std::uint64_t{1} << kBits) + static_cast<std::uint64_t>(divisor) - 1) /
                static_cast<std::uint64_t>(divisor)) {}

  /// Exact where n * divisor is below 2^40.
  [[nodiscard]] UNROLL_HOST_DEVICE constexpr int divide(int n) const {
    return static_cast<int>((static_cast<std::uint64_t>(n) * factor_) >> kBits);
  }

 private:
  static constexpr int kBits = 40;
  std::uint64_t factor_ = 0;
};

/// How a block does a step of these sizes: how many threads, called lanes here, and where
/// everything lies in shared memory, in elements of Real. Strides are such that lanes which read
/// side by side read from different banks.
struct BlockStepPlan {
  int B;
  int T;
  int C;
  int H;
  int P;  ///< positions of a window

  int lanes;
  int rows;   ///< of the batch that a lane computes at a time, 1 or 4
  int tiles;  ///< of so many rows
  int chunk;  ///< windows whose symbols are there at a time

  int recurrent_stride;  ///< of the recurrent weights' rows
  int state_stride;      ///< between the hidden units of a state
  int parameters;     ///< recurrent [H, H], row: from; input [C, H]; bias; readout [C, H]; its bias
  int gradient;       ///< as the parameters
  int hidden;         ///< [T + 1, H, B], a ring: a window's last state is where the next begins
  int deltas;         ///< [2, H, B]: the loss's gradient by what tanh is taken of, of two steps
  int logits;         ///< [P, C]; then the loss's gradient by them
  int lane_losses;    ///< [lanes]
  int symbols;        ///< inputs, then targets, 16 bits each: [chunk, T, B]
  std::size_t bytes;  ///< of all of it

  Divisor hidden_divisor;
  Divisor batch_divisor;

  /// Products of hidden units, and what else a gradient is of.
  [[nodiscard]] UNROLL_HOST_DEVICE constexpr int gradient_items() const {
    return H * H + 2 * C * H + H + C;
  }
};

/// The plan for a block with so many bytes of shared memory, unless that is too little.
template <class Real>
std::optional<BlockStepPlan> plan_block_step(const kernels::StepShape& shape,
                                             std::size_t shared_bytes) {
  constexpr int kWarp = 32;
  constexpr std::int64_t kChunkSymbols = 4'096;  // of inputs, as of targets
  // Far beyond any block's memory; and so many classes have 16 bits.
  constexpr std::int64_t kMostElements = 65'536;

  for (const std::int64_t size :
       {shape.batch_size, shape.num_steps, shape.num_classes, shape.hidden_size}) {
    if (size > kMostElements) {
      return std::nullopt;
    }
  }
  if (shape.positions() > kMostElements ||
      shape.hidden_size * (shape.hidden_size + 2 * shape.num_classes) > kMostElements ||
      shape.positions() * (shape.hidden_size + shape.num_classes) > kMostElements) {
    return std::nullopt;
  }

  BlockStepPlan plan = {};
  plan.B = static_cast<int>(shape.batch_size);
  plan.T = static_cast<int>(shape.num_steps);
  plan.C = static_cast<int>(shape.num_classes);
  plan.H = static_cast<int>(shape.hidden_size);
  plan.P = plan.T * plan.B;
  plan.hidden_divisor = Divisor(plan.H);
  plan.batch_divisor = Divisor(plan.B);

  const bool is_wide = plan.B >= kRowsOfTile && plan.B * plan.H > kMostLanes / 2;
  plan.rows = is_wide ? kRowsOfTile : 1;
  plan.tiles = (plan.B + plan.rows - 1) / plan.rows;
  const int items = plan.tiles * plan.H + plan.gradient_items();
  plan.lanes = std::min((items + kWarp - 1) / kWarp * kWarp, kMostLanes);

  plan.recurrent_stride = plan.H | 1;
  plan.state_stride = plan.rows * (plan.tiles | 1);
  int next = 0;
  const auto place = [&](int elements) {
    const int begin = next;
    next += (elements + kRowsOfTile - 1) / kRowsOfTile * kRowsOfTile;
    return begin;
  };
  const int parameter_size = plan.H * plan.recurrent_stride + 2 * plan.C * plan.H + plan.H + plan.C;
  plan.parameters = place(parameter_size);
  plan.gradient = place(parameter_size);
  plan.hidden = place((plan.T + 1) * plan.H * plan.state_stride);
  plan.deltas = place(2 * plan.H * plan.state_stride);
  plan.logits = place(plan.P * plan.C);
  plan.lane_losses = place(plan.lanes);
  plan.symbols = next;
  plan.chunk = static_cast<int>(std::clamp<std::int64_t>(kChunkSymbols / plan.P, 1, kWarp));
  plan.bytes = static_cast<std::size_t>(next) * sizeof(Real) +
               2 * static_cast<std::size_t>(plan.chunk * plan.P) * sizeof(std::uint16_t);
  return plan.bytes <= shared_bytes ? std::optional(plan) : std::nullopt;
}

/// The step itself. A Block runs a phase on all its lanes, and gives a barrier: `block.run(phase)`
/// calls phase(lane) for every lane from 0 on, and returns when all are done.
template <class Real, int kRows>
class BlockStep {
 public:
  UNROLL_HOST_DEVICE BlockStep(const BlockStepCall<Real>& call, const BlockStepPlan& plan,
                               void* shared)
      : call_(call), plan_(plan), memory_(static_cast<Real*>(shared)) {}

  template <class Block>
  UNROLL_HOST_DEVICE void run(const Block& block) {
    block.run([this](int lane) { clear(lane); });
    block.run([this](int lane) { load(lane); });
    for (std::int64_t window = 0; window < call_.count; ++window) {
      if (place_in_chunk_ == 0) {
        block.run([&](int lane) { load_symbols(lane, window); });
      }
      for (int step = 0; step < plan_.T; ++step) {
        block.run([&](int lane) { forward(lane, step); });
      }
      block.run([this](int lane) { find_loss(lane); });
      for (int step = plan_.T - 1; step >= 0; --step) {
        block.run([&](int lane) { backward(lane, step); });
      }
      block.run([&](int lane) { update(lane, window); });
      first_state_ = ring(plan_.T);
      place_in_chunk_ = place_in_chunk_ + 1 < plan_.chunk ? place_in_chunk_ + 1 : 0;
    }
    block.run([this](int lane) { store(lane); });
  }

 private:
  static constexpr int kWarp = 32;

  /// The rows of a tile, side by side in memory: one access moves them all.
  struct alignas(static_cast<std::size_t>(kRows) * sizeof(Real)) Rows {
    Real of[static_cast<std::size_t>(kRows)];
  };

  UNROLL_HOST_DEVICE static Rows load_rows(const Real* from) {
    return *reinterpret_cast<const Rows*>(from);
  }
  UNROLL_HOST_DEVICE static void store_rows(Real* to, const Rows& rows) {
    *reinterpret_cast<Rows*>(to) = rows;
  }

  // Where things lie.

  [[nodiscard]] UNROLL_HOST_DEVICE Real* recurrent() const { return memory_ + plan_.parameters; }
  [[nodiscard]] UNROLL_HOST_DEVICE Real* input() const {
    return recurrent() + plan_.H * plan_.recurrent_stride;
  }
  [[nodiscard]] UNROLL_HOST_DEVICE Real* bias() const { return input() + plan_.C * plan_.H; }
  [[nodiscard]] UNROLL_HOST_DEVICE Real* readout() const { return bias() + plan_.H; }
  [[nodiscard]] UNROLL_HOST_DEVICE Real* readout_bias() const {
    return readout() + plan_.C * plan_.H;
  }
  /// Where a parameter lies, as its gradient does, by its number in the order of the parameters.
  [[nodiscard]] UNROLL_HOST_DEVICE int slot(int item) const {
    const int recurrent_items = plan_.H * plan_.H;
    const int row = item < recurrent_items ? plan_.hidden_divisor.divide(item) : plan_.H;
    return item + row * (plan_.recurrent_stride - plan_.H);
  }
  [[nodiscard]] UNROLL_HOST_DEVICE int ring(int steps) const {
    const int place = first_state_ + steps;
    return place <= plan_.T ? place : place - plan_.T - 1;
  }
  /// The state [H, B] before a step; that after it is the next one's.
  [[nodiscard]] UNROLL_HOST_DEVICE Real* state(int step) const {
    return memory_ + plan_.hidden + ring(step) * plan_.H * plan_.state_stride;
  }
  [[nodiscard]] UNROLL_HOST_DEVICE Real* delta(int step) const {
    return memory_ + plan_.deltas + step % 2 * plan_.H * plan_.state_stride;
  }
  [[nodiscard]] UNROLL_HOST_DEVICE Real* logits(int position) const {
    return memory_ + plan_.logits + position * plan_.C;
  }
  [[nodiscard]] UNROLL_HOST_DEVICE Real* lane_losses() const { return memory_ + plan_.lane_losses; }
  [[nodiscard]] UNROLL_HOST_DEVICE std::uint16_t* chunk_inputs() const {
    return reinterpret_cast<std::uint16_t*>(memory_ + plan_.symbols);
  }
  [[nodiscard]] UNROLL_HOST_DEVICE std::uint16_t* chunk_targets() const {
    return chunk_inputs() + plan_.chunk * plan_.P;
  }
  /// The window's, at position step * B + b.
  [[nodiscard]] UNROLL_HOST_DEVICE int input_at(int position) const {
    return chunk_inputs()[place_in_chunk_ * plan_.P + position];
  }
  [[nodiscard]] UNROLL_HOST_DEVICE int target_at(int position) const {
    return chunk_targets()[place_in_chunk_ * plan_.P + position];
  }

  // The phases.

  UNROLL_HOST_DEVICE void clear(int lane) {
    UNROLL_FEW_TURNS
    for (int i = lane; i < plan_.symbols; i += plan_.lanes) {
      memory_[i] = 0;
    }
  }

  UNROLL_HOST_DEVICE void load(int lane) {
    for_each_parameter(lane, [](Real& mine, const Real& theirs) { mine = theirs; });
    Real* const first = state(0);
    UNROLL_FEW_TURNS
    for (int i = lane; i < plan_.B * plan_.H; i += plan_.lanes) {
      const int b = plan_.hidden_divisor.divide(i);
      first[(i - b * plan_.H) * plan_.state_stride + b] = call_.state[i];
    }
  }

  UNROLL_HOST_DEVICE void store(int lane) {
    for_each_parameter(lane, [](const Real& mine, Real& theirs) { theirs = mine; });
    const Real* const last = state(0);
    UNROLL_FEW_TURNS
    for (int i = lane; i < plan_.B * plan_.H; i += plan_.lanes) {
      const int b = plan_.hidden_divisor.divide(i);
      call_.state[i] = last[(i - b * plan_.H) * plan_.state_stride + b];
    }
  }

  /// Of the windows from `first` on, as many as a chunk has.
  UNROLL_HOST_DEVICE void load_symbols(int lane, std::int64_t first) {
    const std::int64_t left = call_.count - first;
    const int windows = left < plan_.chunk ? static_cast<int>(left) : plan_.chunk;
    const int steps = windows * plan_.T;
    UNROLL_FEW_TURNS
    for (int i = lane; i < steps * plan_.B; i += plan_.lanes) {
      const int step = plan_.batch_divisor.divide(i);
      const std::int64_t theirs =
          (i - step * plan_.B) * call_.symbols.stride + first * plan_.T + step;
      chunk_inputs()[i] = static_cast<std::uint16_t>(call_.symbols.inputs[theirs]);
      chunk_targets()[i] = static_cast<std::uint16_t>(call_.symbols.targets[theirs]);
    }
  }

  /// h_t = tanh(input[x_t] + bias + h_{t-1} recurrent).
  UNROLL_HOST_DEVICE void forward(int lane, int step) {
    const Real* const before = state(step);
    Real* const after = state(step + 1);
    UNROLL_FEW_TURNS
    for (int item = lane; item < plan_.tiles * plan_.H; item += plan_.lanes) {
      const int tile = plan_.hidden_divisor.divide(item);
      const int h = item - tile * plan_.H;
      const int b = tile * kRows;
      Rows sums;
      for (int r = 0; r < kRows; ++r) {
        const int x = b + r < plan_.B ? input_at(step * plan_.B + b + r) : 0;
        sums.of[r] = input()[x * plan_.H + h] + bias()[h];
      }
      for (int from = 0; from < plan_.H; ++from) {
        const Real weight = recurrent()[from * plan_.recurrent_stride + h];
        const Rows rows = load_rows(before + from * plan_.state_stride + b);
        for (int r = 0; r < kRows; ++r) {
          sums.of[r] += rows.of[r] * weight;
        }
      }
      for (int r = 0; r < kRows; ++r) {
        sums.of[r] = std::tanh(sums.of[r]);
      }
      store_rows(after + h * plan_.state_stride + b, sums);
    }
  }

  /// The cross-entropy of the positions, and the gradient of its mean by the logits.
  UNROLL_HOST_DEVICE void find_loss(int lane) {
    Real loss = 0;
    UNROLL_FEW_TURNS
    for (int position = lane; position < plan_.P; position += plan_.lanes) {
      const int step = plan_.batch_divisor.divide(position);
      const Real* const column = state(step + 1) + (position - step * plan_.B);
      Real* const own = logits(position);
      Real largest = 0;
      for (int c = 0; c < plan_.C; ++c) {
        Real logit = readout_bias()[c];
        for (int h = 0, place = 0; h < plan_.H; ++h, place += plan_.state_stride) {
          logit += readout()[c * plan_.H + h] * column[place];
        }
        own[c] = logit;
        largest = c == 0 || logit > largest ? logit : largest;
      }
      const int target = target_at(position);
      const Real target_logit = own[target];
      Real sum = 0;
      for (int c = 0; c < plan_.C; ++c) {
        own[c] = std::exp(own[c] - largest);
        sum += own[c];
      }
      loss += std::log(sum) + largest - target_logit;
      const Real share = Real(1) / sum;
      for (int c = 0; c < plan_.C; ++c) {
        own[c] = (own[c] * share - (c == target ? Real(1) : Real(0))) / static_cast<Real>(plan_.P);
      }
    }
    lane_losses()[lane] = loss;
  }

  /// The step's delta; beside it, on other lanes, what the step after it adds to the gradient.
  UNROLL_HOST_DEVICE void backward(int lane, int step) {
    const bool is_last = step == plan_.T - 1;
    if (is_last && lane < kWarp) {
      gather_losses(lane);
    }
    const int delta_items = plan_.tiles * plan_.H;
    const int items = delta_items + (is_last ? 0 : plan_.gradient_items());
    UNROLL_FEW_TURNS
    for (int item = lane; item < items; item += plan_.lanes) {
      if (item < delta_items) {
        find_delta(step, item);
      } else {
        gradient(item - delta_items) += gradient_of(step + 1, item - delta_items);
      }
    }
  }

  /// Adds up the lanes' losses in the first warp's.
  UNROLL_HOST_DEVICE void gather_losses(int lane) {
    for (int other = lane + kWarp; other < plan_.lanes; other += kWarp) {
      lane_losses()[lane] += lane_losses()[other];
    }
  }

  /// The loss's gradient by the sum that tanh is taken of, for a tile of rows of a unit.
  UNROLL_HOST_DEVICE void find_delta(int step, int item) {
    const int tile = plan_.hidden_divisor.divide(item);
    const int h = item - tile * plan_.H;
    const int b = tile * kRows;
    Rows sums;
    for (int r = 0; r < kRows; ++r) {
      sums.of[r] = 0;
      for (int c = 0; c < plan_.C && b + r < plan_.B; ++c) {
        sums.of[r] += logits(step * plan_.B + b + r)[c] * readout()[c * plan_.H + h];
      }
    }
    if (step + 1 < plan_.T) {
      const Real* const later = delta(step + 1) + b;
      for (int to = 0; to < plan_.H; ++to) {
        const Real weight = recurrent()[h * plan_.recurrent_stride + to];
        const Rows rows = load_rows(later + to * plan_.state_stride);
        for (int r = 0; r < kRows; ++r) {
          sums.of[r] += rows.of[r] * weight;
        }
      }
    }
    const Rows states = load_rows(state(step + 1) + h * plan_.state_stride + b);
    for (int r = 0; r < kRows; ++r) {  // the rows beyond the batch stay zero
      sums.of[r] *= 1 - states.of[r] * states.of[r];
    }
    store_rows(delta(step) + h * plan_.state_stride + b, sums);
  }

  [[nodiscard]] UNROLL_HOST_DEVICE Real& gradient(int item) const {
    return memory_[plan_.gradient + slot(item)];
  }

  /// What a step adds to the gradient of a parameter.
  [[nodiscard]] UNROLL_HOST_DEVICE Real gradient_of(int step, int item) const {
    const int H = plan_.H;
    const int C = plan_.C;
    const int first = step * plan_.B;
    Real sum = 0;
    if (item < H * H) {
      const int from = plan_.hidden_divisor.divide(item);
      const Real* const states = state(step) + from * plan_.state_stride;
      const Real* const deltas = delta(step) + (item - from * H) * plan_.state_stride;
      for (int b = 0; b < plan_.B; b += kRows) {
        const Rows left = load_rows(states + b);
        const Rows right = load_rows(deltas + b);
        for (int r = 0; r < kRows; ++r) {
          sum += left.of[r] * right.of[r];
        }
      }
      return sum;
    }
    item -= H * H;
    if (item < C * H) {
      const int c = plan_.hidden_divisor.divide(item);
      const Real* const deltas = delta(step) + (item - c * H) * plan_.state_stride;
      for (int b = 0; b < plan_.B; ++b) {
        sum += input_at(first + b) == c ? deltas[b] : Real(0);
      }
      return sum;
    }
    item -= C * H;
    if (item < H) {
      const Real* const deltas = delta(step) + item * plan_.state_stride;
      for (int b = 0; b < plan_.B; ++b) {
        sum += deltas[b];
      }
      return sum;
    }
    item -= H;
    if (item < C * H) {
      const int c = plan_.hidden_divisor.divide(item);
      const Real* const states = state(step + 1) + (item - c * H) * plan_.state_stride;
      for (int b = 0; b < plan_.B; ++b) {
        sum += logits(first + b)[c] * states[b];
      }
      return sum;
    }
    item -= C * H;
    for (int b = 0; b < plan_.B; ++b) {
      sum += logits(first + b)[item];
    }
    return sum;
  }

  /// Adds what the first step has to the gradient, and moves the parameters.
  UNROLL_HOST_DEVICE void update(int lane, std::int64_t window) {
    UNROLL_FEW_TURNS
    for (int item = lane; item < plan_.gradient_items(); item += plan_.lanes) {
      Real& sum = gradient(item);
      memory_[plan_.parameters + slot(item)] -= call_.learning_rate * (sum + gradient_of(0, item));
      sum = 0;
    }
    if (lane == 0) {
      Real loss = 0;
      for (int other = 0; other < kWarp; ++other) {
        loss += lane_losses()[other];
      }
      call_.losses[window] = loss / static_cast<Real>(plan_.P);
    }
  }

  /// Calls move(an element here, the caller's) for every parameter of a lane.
  template <class Move>
  UNROLL_HOST_DEVICE void for_each_parameter(int lane, const Move& move) {
    const int H = plan_.H;
    const int C = plan_.C;
    const kernels::ParameterViews<Real>& theirs = call_.parameters;
    UNROLL_FEW_TURNS
    for (int i = lane; i < H * H; i += plan_.lanes) {
      const int from = plan_.hidden_divisor.divide(i);
      const int to = i - from * H;
      move(recurrent()[from * plan_.recurrent_stride + to], theirs.recurrent_weight.at(to, from));
    }
    UNROLL_FEW_TURNS
    for (int i = lane; i < C * H; i += plan_.lanes) {
      const int c = plan_.hidden_divisor.divide(i);
      const int h = i - c * H;
      move(input()[i], theirs.input_weight.at(h, c));
      move(readout()[i], theirs.readout_weight.at(c, h));
    }
    UNROLL_FEW_TURNS
    for (int h = lane; h < H; h += plan_.lanes) {
      move(bias()[h], theirs.bias.at(h, 0));
    }
    UNROLL_FEW_TURNS
    for (int c = lane; c < C; c += plan_.lanes) {
      move(readout_bias()[c], theirs.readout_bias.at(c, 0));
    }
  }

  const BlockStepCall<Real>& call_;
  const BlockStepPlan& plan_;
  Real* memory_;
  int first_state_ = 0;     // where in the ring the window's first state is
  int place_in_chunk_ = 0;  // the window's, among those whose symbols are there
};

}  // namespace unroll::cuda
