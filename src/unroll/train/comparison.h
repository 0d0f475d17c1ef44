// Trains several variants of one run side by side and measures how far they part and what each
// costs.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include <unroll/data/series_source.h>
#include <unroll/model/model.h>
#include <unroll/train/comparison_result.h>
#include <unroll/train/engine.h>
#include <unroll/train/trainer.h>

namespace unroll {

/// One way to train: a model that has the same initial weights as the others', and the engine that
/// trains it.
struct Contestant {
  std::string name;
  RecurrentModel& model;
  Engine& engine;
  Trainer::LogCallback log;
};

/// Windows that a variant trains on before the next one takes its turn.
constexpr std::int64_t kSliceWindows = 100;

/// Trains every contestant for options.epochs on the same windows. They take turns, kSliceWindows
/// at a time and each round in the opposite order, so that whatever else the machine does hits all
/// alike. The first kSliceWindows warm up, one at a time, and are not timed.
/// @throws what Trainer and WindowDataset throw
Comparison compare(const std::vector<Contestant>& contestants, SeriesSource& source,
                   const WindowOptions& window_options, const TrainerOptions& options,
                   torch::Device device, const Tolerance& tolerance);

}  // namespace unroll
