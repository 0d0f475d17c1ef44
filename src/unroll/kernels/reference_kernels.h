// The passes of a training step in plain loops: the definition of what the kernels of the
// instruction sets compute, and what the tests hold them against. docs/gradients.md derives the
// formulas.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <unroll/kernels/workspace.h>

namespace unroll::kernels {

/// The first thread's share is all of a pass.
template <class Real>
struct ReferenceKernels {
  using W = Workspace<Real>;

  static void prepare(W& w, Share share) {
    if (share.index > 0) {
      return;
    }
    for (std::int64_t h = 0; h < w.H(); ++h) {
      for (std::int64_t c = 0; c < w.C(); ++c) {
        w.input_terms.at(c, h) = w.parameters.input_weight.at(c, h) + w.parameters.bias.at(0, h);
        w.readout_transposed.at(h, c) = w.parameters.readout_weight.at(c, h);
      }
      for (std::int64_t from = 0; from < w.H(); ++from) {
        w.recurrent_transposed.at(h, from) = w.parameters.recurrent_weight.at(from, h);
      }
      if (w.C() == 2) {
        w.readout_difference.at(0, h) =
            w.parameters.readout_weight.at(1, h) - w.parameters.readout_weight.at(0, h);
      }
    }
  }

  static void forward(W& w, Share share) {
    if (share.index > 0) {
      return;
    }
    for (std::int64_t p = 0; p < w.P(); ++p) {
      for (std::int64_t h = 0; h < w.H(); ++h) {
        Real sum = w.input_terms.at(w.inputs[p], h);
        for (std::int64_t from = 0; from < w.H(); ++from) {
          sum += w.hidden.at(p, from) * w.parameters.recurrent_weight.at(from, h);
        }
        w.hidden.at(p + w.B(), h) = std::tanh(sum);
      }
    }
  }

  static void loss(W& w, Share share) {
    if (share.index > 0) {
      return;
    }
    for (std::int64_t block = 0; block < w.blocks(); ++block) {
      w.block_losses[block] = 0;
      for (std::int64_t c = 0; c < w.C(); ++c) {
        w.readout_bias_gradient.at(block, c) = 0;
      }
    }
    for (std::int64_t p = 0; p < w.P(); ++p) {
      for (std::int64_t c = 0; c < w.C(); ++c) {
        Real logit = w.parameters.readout_bias.at(0, c);
        for (std::int64_t h = 0; h < w.H(); ++h) {
          logit += w.hidden.at(p + w.B(), h) * w.parameters.readout_weight.at(c, h);
        }
        w.logits.at(p, c) = logit;
      }
      Real largest = w.logits.at(p, 0);
      for (std::int64_t c = 1; c < w.C(); ++c) {
        largest = std::max(largest, w.logits.at(p, c));
      }
      Real sum = 0;
      for (std::int64_t c = 0; c < w.C(); ++c) {
        sum += std::exp(w.logits.at(p, c) - largest);
      }
      w.block_losses[p / kLossBlock] += std::log(sum) + largest - w.logits.at(p, w.targets[p]);
      for (std::int64_t c = 0; c < w.C(); ++c) {
        const Real probability = std::exp(w.logits.at(p, c) - largest) / sum;
        const Real is_target = c == w.targets[p] ? Real(1) : Real(0);
        w.logits.at(p, c) = (probability - is_target) / static_cast<Real>(w.P());
        w.readout_bias_gradient.at(p / kLossBlock, c) += w.logits.at(p, c);
      }
    }
  }

  static void backward(W& w, Share share) {
    if (share.index > 0) {
      return;
    }
    for (std::int64_t p = w.P() - 1; p >= 0; --p) {
      const bool is_last_step = p + w.B() >= w.P();
      for (std::int64_t h = 0; h < w.H(); ++h) {
        Real gradient = 0;
        for (std::int64_t c = 0; c < w.C(); ++c) {
          gradient += w.logits.at(p, c) * w.parameters.readout_weight.at(c, h);
        }
        for (std::int64_t to = 0; to < w.H() && !is_last_step; ++to) {
          gradient += w.sum_gradient.at(p + w.B(), to) * w.parameters.recurrent_weight.at(h, to);
        }
        const Real state = w.hidden.at(p + w.B(), h);
        w.sum_gradient.at(p, h) = gradient * (1 - state * state);
      }
    }
  }

  static void update(W& w, Parameters<Real>& target, Real rate, Share share) {
    if (share.index > 0) {
      return;
    }
    // Each gradient is summed over all positions before it moves its parameter.
    for (std::int64_t h = 0; h < w.H(); ++h) {
      Real bias_gradient = 0;
      for (std::int64_t c = 0; c < w.C(); ++c) {
        Real input_gradient = 0;
        Real readout_gradient = 0;
        for (std::int64_t p = 0; p < w.P(); ++p) {
          input_gradient += w.inputs[p] == c ? w.sum_gradient.at(p, h) : Real(0);
          readout_gradient += w.logits.at(p, c) * w.hidden.at(p + w.B(), h);
        }
        bias_gradient += input_gradient;
        target.input_weight.at(c, h) -= rate * input_gradient;
        target.readout_weight.at(c, h) -= rate * readout_gradient;
      }
      target.bias.at(0, h) -= rate * bias_gradient;
      for (std::int64_t from = 0; from < w.H(); ++from) {
        Real gradient = 0;
        for (std::int64_t p = 0; p < w.P(); ++p) {
          gradient += w.hidden.at(p, from) * w.sum_gradient.at(p, h);
        }
        target.recurrent_weight.at(from, h) -= rate * gradient;
      }
    }
    for (std::int64_t c = 0; c < w.C(); ++c) {
      for (std::int64_t block = 0; block < w.blocks(); ++block) {
        target.readout_bias.at(0, c) -= rate * w.readout_bias_gradient.at(block, c);
      }
    }
  }

  /// In panels of these widths.
  static Kernels<Real> kernels(const PanelWidths& widths) {
    return {.widths = widths,
            .prepare = &prepare,
            .forward = &forward,
            .loss = &loss,
            .backward = &backward,
            .update = &update};
  }
};

}  // namespace unroll::kernels
