// The bare loop: the training step of Unroll's models in single precision and for two classes,
// as plain loops over arrays whose sizes the compiler knows. No framework, no options, no checks.
// It is what the fused engine is held against; peers.py compiles it for a size and runs it:
//
//     c++ -std=c++20 -O2 -march=native -DB=3 -DH=4 -DT=10 -DCHUNK=1000 -DWHOLE_STEPS=0
//     bare_loop.cpp
//     ./a.out SECONDS
//
// It prints the microseconds a window, and the mean loss of the first CHUNK windows, which is
// step_bench's counter `loss`: same data, same initial weights.

#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

namespace {

constexpr int C = 2;  // NOLINT(readability-identifier-naming): an axis, as B, H and T.
constexpr int kChunks = 10;
constexpr long kWindows = long{CHUNK} * kChunks;
constexpr float kLearningRate = 0.2F;
/// Two orders of the same loops, of which the faster one depends on the size and the compiler: row
/// by row of the batch, or a whole step at a time where that is possible.
constexpr bool kWholeSteps = WHOLE_STEPS != 0;

// In the order of the computation: h_t = tanh(input[x_t] + h_{t-1} recurrent + bias), and the
// difference of the two logits is h_t . readout + readout_bias. Only that difference counts, and
// SGD moves its two halves by opposite amounts, so itself by twice as much.
float input[C][H];
float recurrent[H][H];
float bias[H];
float readout[H];
float readout_bias;

float hidden[T + 1][B][H];  // hidden[0] is the state that the window before has left.

struct Symbols {
  std::uint8_t inputs[T][B];
  std::uint8_t targets[T][B];
};

/// Within 2e-7 of tanh, relatively: a rational function, fitted to it up to 7.9.
float fast_tanh(float x) {
  x = x > 7.9F ? 7.9F : x;
  x = x < -7.9F ? -7.9F : x;
  const float z = x * x;
  const float above =
      0.9999998698F + z * (0.1293443475F + z * (2.960490920e-3F + z * 1.153201190e-5F));
  const float below =
      1.0F +
      z * (0.4626766162F + z * (2.385415730e-2F + z * (2.400144384e-4F + z * 2.492599771e-7F)));
  return x * above / below;
}

void forward(const Symbols& symbols) {
  float start[C][H];
  for (int c = 0; c < C; ++c) {
    for (int j = 0; j < H; ++j) {
      start[c][j] = input[c][j] + bias[j];
    }
  }
  for (int t = 0; t < T; ++t) {
    for (int b = 0; b < B; ++b) {
      float sum[H];
      for (int j = 0; j < H; ++j) {
        sum[j] = start[symbols.inputs[t][b]][j];
      }
      for (int k = 0; k < H; ++k) {
        for (int j = 0; j < H; ++j) {
          sum[j] += hidden[t][b][k] * recurrent[k][j];
        }
      }
      for (int j = 0; j < H; ++j) {
        hidden[t + 1][b][j] = kWholeSteps ? sum[j] : fast_tanh(sum[j]);
      }
    }
    if constexpr (kWholeSteps) {
      float* flat = &hidden[t + 1][0][0];
      for (int i = 0; i < B * H; ++i) {
        flat[i] = fast_tanh(flat[i]);
      }
    }
  }
}

/// The mean loss, and by the difference of the logits its derivative.
float loss(const Symbols& symbols, float (&d_logit)[T][B]) {
  constexpr float kMean = 1.0F / (T * B);
  float right[T][B];  // The difference of the logits, the target's first.
  for (int t = 0; t < T; ++t) {
    for (int b = 0; b < B; ++b) {
      float logit = readout_bias;
      for (int j = 0; j < H; ++j) {
        logit += hidden[t + 1][b][j] * readout[j];
      }
      right[t][b] = symbols.targets[t][b] == 1 ? logit : -logit;
    }
  }
  float sum = 0.0F;
  const float* flat = &right[0][0];
  float* d_flat = &d_logit[0][0];
  const std::uint8_t* target = &symbols.targets[0][0];
  for (int i = 0; i < T * B; ++i) {
    const float odds = std::exp(-flat[i]);
    const float wrong = odds / (1.0F + odds);  // The other class's probability.
    sum += std::log(1.0F + odds);
    d_flat[i] = kMean * (target[i] == 1 ? -wrong : wrong);
  }
  return sum * kMean;
}

struct Gradient {
  float input[C][H];
  float recurrent[H][H];
  float readout[H];
  float readout_bias;
};

float d_sums[T][B][H];  // Of what tanh is taken of; for kWholeSteps only.

/// gradient.recurrent from d_sums.
void add_up_recurrent(Gradient& gradient) {
  for (int k = 0; k < H; ++k) {
    float sum[H] = {};
    for (int t = 0; t < T; ++t) {
      for (int b = 0; b < B; ++b) {
        for (int j = 0; j < H; ++j) {
          sum[j] += hidden[t][b][k] * d_sums[t][b][j];
        }
      }
    }
    std::memcpy(gradient.recurrent[k], sum, sizeof sum);
  }
}

Gradient backward(const Symbols& symbols, const float (&d_logit)[T][B]) {
  Gradient gradient = {};
  float d_hidden[B][H] = {};  // By way of the later steps.
  float transposed[H][H];
  for (int k = 0; k < H; ++k) {
    for (int j = 0; j < H; ++j) {
      transposed[j][k] = recurrent[k][j];
    }
  }
  for (int t = T - 1; t >= 0; --t) {
    for (int b = 0; b < B; ++b) {
      const float d = d_logit[t][b];
      const float* h = hidden[t + 1][b];
      float d_sum[H];
      for (int j = 0; j < H; ++j) {
        d_sum[j] = (d_hidden[b][j] + d * readout[j]) * (1.0F - h[j] * h[j]);
        gradient.readout[j] += d * h[j];
      }
      gradient.readout_bias += d;
      for (int j = 0; j < H; ++j) {
        gradient.input[symbols.inputs[t][b]][j] += d_sum[j];
      }
      if constexpr (kWholeSteps) {
        std::memcpy(d_sums[t][b], d_sum, sizeof d_sum);
      } else {
        for (int k = 0; k < H; ++k) {
          for (int j = 0; j < H; ++j) {
            gradient.recurrent[k][j] += hidden[t][b][k] * d_sum[j];
          }
        }
      }
      float d_before[H] = {};
      for (int j = 0; j < H; ++j) {
        for (int k = 0; k < H; ++k) {
          d_before[k] += d_sum[j] * transposed[j][k];
        }
      }
      std::memcpy(d_hidden[b], d_before, sizeof d_before);
    }
  }
  if constexpr (kWholeSteps) {
    add_up_recurrent(gradient);
  }
  return gradient;
}

void update(const Gradient& gradient) {
  for (int j = 0; j < H; ++j) {
    bias[j] -= kLearningRate * (gradient.input[0][j] + gradient.input[1][j]);
    input[0][j] -= kLearningRate * gradient.input[0][j];
    input[1][j] -= kLearningRate * gradient.input[1][j];
    readout[j] -= 2.0F * kLearningRate * gradient.readout[j];
  }
  readout_bias -= 2.0F * kLearningRate * gradient.readout_bias;
  for (int k = 0; k < H; ++k) {
    for (int j = 0; j < H; ++j) {
      recurrent[k][j] -= kLearningRate * gradient.recurrent[k][j];
    }
  }
}

float train_window(const Symbols& symbols) {
  float d_logit[T][B];
  forward(symbols);
  const float result = loss(symbols, d_logit);
  update(backward(symbols, d_logit));
  std::memcpy(hidden[0], hidden[T], sizeof hidden[0]);
  return result;
}

/// numpy.random.seed(0): the initial weights start it anew, as the series does.
class NumpyRandom {
 public:
  bool bit() { return (words_() & 1U) != 0; }
  double uniform() {
    const auto high = static_cast<double>(words_() >> 5);
    return (high * 67108864.0 + static_cast<double>(words_() >> 6)) / 9007199254740992.0;
  }
  float glorot(int rows, int columns) {
    const double limit = std::sqrt(6.0 / (rows + columns));
    return static_cast<float>(-limit + 2.0 * limit * uniform());
  }

 private:
  std::mt19937 words_{0};
};

void set_initial_weights() {
  NumpyRandom random;
  for (auto& row : input) {
    for (float& weight : row) {
      weight = random.glorot(C + H, H);
    }
  }
  for (auto& row : recurrent) {
    for (float& weight : row) {
      weight = random.glorot(C + H, H);
    }
  }
  for (float& weight : readout) {
    const float of_class_0 = random.glorot(H, C);
    weight = random.glorot(H, C) - of_class_0;
  }
}

/// The tutorial's series, cut into B rows.
std::vector<Symbols> sample_windows() {
  constexpr long kRow = kWindows * T;
  constexpr long kLength = kRow * B;
  NumpyRandom random;
  std::vector<std::uint8_t> inputs(kLength);
  for (auto& x : inputs) {
    x = random.bit() ? 1 : 0;
  }
  std::vector<Symbols> windows(kWindows);
  for (long i = 0; i < kLength; ++i) {
    const double p = 0.5 + 0.5 * inputs[static_cast<std::size_t>((i + kLength - 3) % kLength)] -
                     0.25 * inputs[static_cast<std::size_t>((i + kLength - 8) % kLength)];
    Symbols& window = windows[static_cast<std::size_t>(i % kRow / T)];
    window.inputs[i % T][i / kRow] = inputs[static_cast<std::size_t>(i)];
    window.targets[i % T][i / kRow] = random.uniform() > p ? 0 : 1;
  }
  return windows;
}

double train_chunk(const std::vector<Symbols>& windows, long chunk) {
  double sum = 0.0;
  for (long i = 0; i < CHUNK; ++i) {
    sum += train_window(windows[static_cast<std::size_t>(chunk % kChunks * CHUNK + i)]);
  }
  return sum / CHUNK;
}

}  // namespace

int main(int argc, char** argv) {
  using Clock = std::chrono::steady_clock;
  const double wanted = argc > 1 ? std::atof(argv[1]) : 1.0;
  set_initial_weights();
  const std::vector<Symbols> windows = sample_windows();
  const double first_loss = train_chunk(windows, 0);

  const auto start = Clock::now();
  double seconds = 0.0;
  long chunk = 0;
  while (seconds < wanted) {
    train_chunk(windows, ++chunk);
    seconds = std::chrono::duration<double>(Clock::now() - start).count();
  }
  std::printf("%.4f %.6f\n", seconds * 1e6 / static_cast<double>(chunk * CHUNK), first_loss);
}
