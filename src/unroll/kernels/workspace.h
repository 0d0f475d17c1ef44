// Everything that a training step reads and writes.
#pragma once

#include <cstdint>

#include <unroll/kernels/panel_matrix.h>
#include <unroll/kernels/shape.h>
#include <unroll/kernels/views.h>

namespace unroll::kernels {

/// How wide the panels are; the instruction set decides.
struct PanelWidths {
  std::int64_t hidden;   ///< of matrices whose columns are hidden units
  std::int64_t classes;  ///< of matrices whose columns are classes
};

/// Up to so many classes, the inputs' gradient is a product with the one-hot inputs; with more, the
/// positions' gradients are added up class by class.
constexpr std::int64_t kMaxOneHotClasses = 4;

/// The fewest rows of the batch that a thread's share of a pass has. With fewer, tiles are so low
/// that they sum in another order.
constexpr std::int64_t kRowsOfShare = 16;

/// The positions that a window's loss is summed over at a time. The sums are added up in order, so
/// that it is the same whichever threads made them.
constexpr std::int64_t kLossBlock = 1024;

/// h_t = tanh(input_weight[x_t] + bias + h_{t-1} recurrent_weight),
/// logits_t[c] = readout_weight[c] . h_t + readout_bias[c].
template <class Real>
struct Parameters {
  Parameters(const StepShape& shape, const PanelWidths& widths)
      : input_weight(shape.num_classes, shape.hidden_size, widths.hidden),
        bias(1, shape.hidden_size, widths.hidden),
        recurrent_weight(shape.hidden_size, shape.hidden_size, widths.hidden),
        readout_weight(shape.num_classes, shape.hidden_size, widths.hidden),
        readout_bias(1, shape.num_classes, widths.classes) {}

  /// Sets all to zero.
  void clear() {
    for (PanelMatrix<Real>* matrix :
         {&input_weight, &bias, &recurrent_weight, &readout_weight, &readout_bias}) {
      matrix->clear();
    }
  }

  PanelMatrix<Real> input_weight;      // [C, H]
  PanelMatrix<Real> bias;              // [1, H]
  PanelMatrix<Real> recurrent_weight;  // [H, H], row: from; column: to
  PanelMatrix<Real> readout_weight;    // [C, H]
  PanelMatrix<Real> readout_bias;      // [1, C]
};

/// Rows of positions are in the order p = t * B + b.
template <class Real>
struct Workspace {
  Workspace(const StepShape& shape_of_step, const PanelWidths& widths, std::int64_t trace_size)
      : shape(shape_of_step),
        parameters(shape, widths),
        input_terms(C(), H(), widths.hidden),
        recurrent_transposed(H(), H(), widths.hidden),
        readout_transposed(H(), C(), widths.classes),
        readout_difference(1, H(), widths.hidden),
        inputs(P() + kSlack),
        targets(P() + kSlack),
        one_hot(C() <= kMaxOneHotClasses ? P() : 0, C(), widths.classes),
        hidden(B() + P(), H(), widths.hidden),
        logits(P() + kSlack, C(), widths.classes),
        sum_gradient(P(), H(), widths.hidden),
        input_gradient(C(), H(), widths.hidden),
        block_losses(blocks()),
        readout_bias_gradient(blocks(), C(), widths.classes),
        scratch(P() + kSlack),
        trace(trace_size) {}

  [[nodiscard]] std::int64_t B() const { return shape.batch_size; }
  [[nodiscard]] std::int64_t C() const { return shape.num_classes; }
  [[nodiscard]] std::int64_t H() const { return shape.hidden_size; }
  [[nodiscard]] std::int64_t P() const { return shape.positions(); }
  /// Of positions that the loss is summed over.
  [[nodiscard]] std::int64_t blocks() const { return (P() + kLossBlock - 1) / kLossBlock; }

  /// The window's cross-entropy in nats, after `loss`.
  [[nodiscard]] Real mean_loss() const {
    double sum = 0.0;
    for (std::int64_t block = 0; block < blocks(); ++block) {
      sum += block_losses[block];
    }
    return static_cast<Real>(sum) / static_cast<Real>(P());
  }

  /// Elements or rows behind the last position: the passes over positions work in whole vectors.
  static constexpr std::int64_t kSlack = 16;

  StepShape shape;

  Parameters<Real> parameters;

  // What `prepare` makes of them, for a window's passes.
  PanelMatrix<Real> input_terms;           // [C, H], input_weight + bias
  PanelMatrix<Real> recurrent_transposed;  // [H, H]; `update` sums in it
  PanelMatrix<Real> readout_transposed;    // [H, C], for all but two classes
  PanelMatrix<Real> readout_difference;    // [1, H], of two classes: the second's row - the first's

  // A window's symbols.
  AlignedArray<std::int64_t> inputs;   // [P + slack]
  AlignedArray<std::int32_t> targets;  // [P + slack]
  PanelMatrix<Real> one_hot;           // [P, C], the inputs, for few classes

  // A window's passes.
  PanelMatrix<Real> hidden;           // [B + P, H]: the state before the window, then h_t
  PanelMatrix<Real> logits;           // [P + slack, C]; after `loss`, the loss's gradient by them
  PanelMatrix<Real> sum_gradient;     // [P, H]: the loss's gradient by what tanh is taken of
  PanelMatrix<Real> input_gradient;   // [C, H]; then `update` sums in it
  AlignedArray<double> block_losses;  // [blocks], each the sum of its positions' losses
  PanelMatrix<Real> readout_bias_gradient;  // [blocks, C], each the sum over its positions
  AlignedArray<Real> scratch;               // [P + slack]
  AlignedArray<Real> trace;                 // what the kernel of small networks keeps
};

/// A training step as an instruction set executes it: in passes, or all at once. Each pass has a
/// scalar twin of the same signature in reference_kernels.h.
///
/// Threads may share a pass, and must all have done one before the next begins. What a pass
/// computes is the same to the last bit however many they are, of up to B / kRowsOfShare threads:
/// no number is summed in parts but those of the loss, whose parts do not depend on the threads.
template <class Real>
struct Kernels {
  PanelWidths widths;

  /// Fills the matrices that are made of the parameters. Shared by panels of hidden units.
  void (*prepare)(Workspace<Real>&, Share);
  /// hidden[0..B) and the inputs -> hidden[B..B+P). Shared by rows of the batch.
  void (*forward)(Workspace<Real>&, Share);
  /// hidden and the targets -> the cross-entropy in nats, and the gradient of its mean by the
  /// logits. Shared by blocks of positions.
  void (*loss)(Workspace<Real>&, Share);
  /// That gradient and hidden -> sum_gradient. Shared by rows of the batch.
  void (*backward)(Workspace<Real>&, Share);
  /// target -= rate * the parameters' gradient. Shared by panels of hidden units.
  void (*update)(Workspace<Real>&, Parameters<Real>& target, Real rate, Share);

  /// All of it, for `count` windows, the state carried in hidden[0..B); null where the passes
  /// serve. Needs a trace of trace_size.
  void (*small_windows)(Workspace<Real>&, const SymbolRows&, std::int64_t count, Real learning_rate,
                        Real* losses) = nullptr;
  std::int64_t trace_size = 0;
};

}  // namespace unroll::kernels
