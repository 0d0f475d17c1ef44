// What every program that trains does before its first window.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <unroll/data/lagged_process.h>
#include <unroll/data/series_source.h>
#include <unroll/model/model.h>
#include <unroll/run/config.h>
#include <unroll/run/options.h>
#include <unroll/train/engine.h>
#include <unroll/train/ranks.h>

namespace unroll {

/// Options made good: checked, with the files read and the device found.
struct PreparedRun {
  RunOptions options;  ///< with what the files decided filled in
  torch::Device device = torch::kCPU;
  std::optional<LaggedProcess> process;  ///< none for a user's own series
  std::unique_ptr<SeriesSource> source;
  FileDigests digests;
  std::int64_t learning_rate_from = 0;  ///< windows trained before this learning rate
  std::string class_gaps = {};  ///< which classes of a CSV file occur, in words; empty if all do
};

/// Checks the options and that the run fits in memory, finds the device, reads the data, and sets
/// LibTorch's thread count. `engines` are those of the models to be trained side by side, or of the
/// one that all `ranks` train. Makes no file.
/// @throws InvalidOption, FileError
PreparedRun prepare_run(RunOptions options, std::vector<EngineChoice> engines,
                        const Ranks* ranks = nullptr);

/// The digest of a user's own series as config.json has it: of a series file its header's, without
/// reading the symbols, of a CSV file that of its bytes.
/// @throws FileError
std::string data_digest(const std::string& path);

/// The weights that a run starts from: the file's if there is one, whose digest it notes in
/// run.digests, else drawn from the seed.
/// @throws FileError
Weights initial_weights(PreparedRun& run);

torch::Dtype to_torch(Precision precision);

/// A model with the weights to start from, and the engine that trains it.
struct Trainee {
  std::shared_ptr<RecurrentModel> model;
  EngineChoice engine_choice;  ///< what was chosen, never kAuto
  std::unique_ptr<Engine> engine;
};

/// With `ranks`, the engine trains this rank's rows of every window.
Trainee make_trainee(const PreparedRun& run, const Weights& weights, ModelKind model,
                     EngineChoice engine, Ranks* ranks = nullptr);

}  // namespace unroll
