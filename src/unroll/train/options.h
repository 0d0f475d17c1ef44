// How training goes, with the tutorial's values as defaults.
#pragma once

#include <array>
#include <cstdint>

#include <unroll/base/named_enum.h>

namespace unroll {

enum class DeviceChoice {
  kAuto,  ///< CUDA where it works, else the CPU
  kCpu,
  kCuda,
};

template <>
inline constexpr std::array kNames<DeviceChoice> = {
    NamedValue<DeviceChoice>{"auto", DeviceChoice::kAuto},
    NamedValue<DeviceChoice>{"cpu", DeviceChoice::kCpu},
    NamedValue<DeviceChoice>{"cuda", DeviceChoice::kCuda},
};

/// How a training step is executed.
enum class EngineChoice {
  kAuto,      ///< fused where it applies, else autograd
  kAutograd,  ///< LibTorch's automatic differentiation
  kFused,     ///< hand-written kernels, with SGD
};

template <>
inline constexpr std::array kNames<EngineChoice> = {
    NamedValue<EngineChoice>{"auto", EngineChoice::kAuto},
    NamedValue<EngineChoice>{"autograd", EngineChoice::kAutograd},
    NamedValue<EngineChoice>{"fused", EngineChoice::kFused},
};

/// The floating-point type of weights, state and losses.
enum class Precision {
  kFloat32,
  kFloat64,
};

template <>
inline constexpr std::array kNames<Precision> = {
    NamedValue<Precision>{"float32", Precision::kFloat32},
    NamedValue<Precision>{"float64", Precision::kFloat64},
};

enum class OptimizerKind {
  kSgd,
  kAdagrad,
  kAdam,
};

template <>
inline constexpr std::array kNames<OptimizerKind> = {
    NamedValue<OptimizerKind>{"sgd", OptimizerKind::kSgd},
    NamedValue<OptimizerKind>{"adagrad", OptimizerKind::kAdagrad},
    NamedValue<OptimizerKind>{"adam", OptimizerKind::kAdam},
};

/// What a step does with the gradients. Everything but the learning rate is LibTorch's default.
struct OptimizerOptions {
  OptimizerKind optimizer = OptimizerKind::kSgd;
  double learning_rate = 0.2;

  /// @throws InvalidOption if the learning rate is not a finite positive number.
  void validate() const;
};

struct TrainerOptions {
  /// Passes over a series of series_length, each starting from a zero state.
  std::int64_t epochs = 5;
  /// Windows between two log rows. The losses are read back from the device at a row's end at the
  /// latest, so a small number costs speed.
  std::int64_t log_every = 100;

  /// @throws InvalidOption if log_every is below 1, or epochs not from 1 to a billion.
  void validate() const;
};

}  // namespace unroll
