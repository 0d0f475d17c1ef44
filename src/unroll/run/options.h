// Everything that can be chosen about a training run: what unroll-train's flags set and config.json
// records.
#pragma once

#include <cstdint>
#include <string>

#include <unroll/data/options.h>
#include <unroll/evaluation/evaluation.h>
#include <unroll/model/options.h>
#include <unroll/train/options.h>

namespace unroll {

struct RunOptions {
  ModelOptions model;
  SeriesOptions series;
  WindowOptions windows;
  OptimizerOptions optimizer;
  TrainerOptions trainer;
  EvaluationOptions evaluation = {};
  EngineChoice engine = EngineChoice::kAuto;
  DeviceChoice device = DeviceChoice::kAuto;
  Precision dtype = Precision::kFloat32;
  /// Of the series' random stream and of the initial weights, 0 to 2^32 - 1.
  std::int64_t seed = 0;
  /// Threads that LibTorch's CPU operations may use. More than one helps only large networks.
  std::int64_t threads = 1;
  /// Windows between two checkpoints.
  std::int64_t checkpoint_every = 20'000;
  /// A CSV file or a series file to train on instead of the sampled process; empty for the process.
  /// Then series_length and num_classes come from the file.
  std::string data;
  /// A safetensors file to start from instead of weights drawn from the seed; empty for those.
  std::string init;
  /// The run directory to make; empty for runs/<UTC time>-<model>.
  std::string out;

  /// @throws InvalidOption for the first value that is out of range.
  void validate() const;
};

}  // namespace unroll
