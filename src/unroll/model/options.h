// Which recurrent module, and its sizes.
#pragma once

#include <array>
#include <cstdint>

#include <unroll/base/named_enum.h>

namespace unroll {

/// Two modules that compute the same function.
enum class ModelKind {
  kManual,   ///< loops over the cell itself, with one set of parameters for all steps
  kBuiltin,  ///< wraps torch::nn::RNN
};

template <>
inline constexpr std::array kNames<ModelKind> = {
    NamedValue<ModelKind>{"manual", ModelKind::kManual},
    NamedValue<ModelKind>{"builtin", ModelKind::kBuiltin},
};

struct ModelOptions {
  ModelKind model = ModelKind::kManual;
  /// Classes of the inputs and of the targets, C. The series decides it: 2 for the lagged process.
  std::int64_t num_classes = 2;
  /// Hidden units, H: the size of the state.
  std::int64_t hidden_size = 4;

  /// @throws InvalidOption if a size is below 1.
  void validate() const;
};

}  // namespace unroll
