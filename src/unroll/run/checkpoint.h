// A checkpoint: one file with everything that a run needs to go on as if it had never stopped.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <unroll/base/error.h>
#include <unroll/base/file.h>
#include <unroll/model/weights.h>
#include <unroll/train/engine.h>
#include <unroll/train/trainer.h>

namespace unroll {

/// The windows since the last checkpoint of the regular ones.
struct CheckpointSpan {
  std::int64_t windows = 0;
  double sum = 0.0;                           ///< of their losses
  std::optional<double> best_mean_loss = {};  ///< the lowest mean of a whole span so far
};

struct Checkpoint {
  std::string config;  ///< config.json's text
  TrainingProgress progress;
  CheckpointSpan span;
  Weights weights;
  torch::Tensor state;  ///< [B, H], the hidden state
  OptimizerState optimizer;
};

/// Writes a safetensors file: the weights under their usual names, the hidden state as `state`
/// [B, H], the optimizer's state under `optimizer.`, and last `sha256` U8 [32], the digest of all
/// bytes before it; the rest is text in the metadata. The same checkpoint gives the same bytes,
/// which hold no time. The file is finished, not published.
/// @throws FileError; DivergenceError naming the tensor that is not finite
void write_checkpoint(WholeFile& file, const Checkpoint& checkpoint);

/// A checkpoint is whole, but this version of Unroll cannot read it.
class OtherVersion : public FileError {
 public:
  using FileError::FileError;
};

/// Reads such a file, whose digest it checks before anything else.
/// @throws FileError
Checkpoint read_checkpoint(const std::string& path);

/// read_checkpoint of a file's bytes.
/// @throws OtherVersion, or FileError if it is damaged or no checkpoint
Checkpoint parse_checkpoint(std::string_view bytes, const std::string& path);

}  // namespace unroll
