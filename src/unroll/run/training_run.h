// A whole training run: from options to a run directory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <unroll/data/lagged_process.h>
#include <unroll/run/options.h>
#include <unroll/run/summary.h>
#include <unroll/train/log_row.h>

namespace unroll {

/// What is known when training begins.
struct RunStart {
  RunOptions options;  ///< with what the files decided filled in
  std::string engine;
  std::string device;
  std::optional<LaggedProcess> process;  ///< none for a user's own series
  std::optional<Floors> floors;
  std::int64_t windows_per_epoch;
  std::string run_directory;
};

/// Is told how a run goes.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  RunObserver() = default;
  RunObserver(const RunObserver&) = delete;
  RunObserver& operator=(const RunObserver&) = delete;

  virtual void on_start(const RunStart& start) = 0;
  virtual void on_row(const LogRow& row) = 0;
};

/// Trains as the options say. The run directory has config.json from the start, metrics.csv as
/// training goes, and weights.safetensors and summary.json at the end. Everything that can be
/// refused is refused before the run directory is made. Sets LibTorch's thread count.
/// @throws InvalidOption, FileError, DivergenceError, and what LibTorch throws.
Summary run_training(RunOptions options, RunObserver& observer);

}  // namespace unroll
