// A whole training run: from options to a run directory, and from a run directory on.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include <unroll/data/lagged_process.h>
#include <unroll/run/options.h>
#include <unroll/run/summary.h>
#include <unroll/train/log_row.h>
#include <unroll/train/trainer.h>

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
  TrainingProgress progress;  ///< where it goes on from; all 0 for a new run
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
  /// After every few windows, some 20 ms apart.
  virtual void on_progress(const TrainingProgress& /*progress*/) {}
  /// The run is trained and evaluated, and its metrics.csv and weights.safetensors are written.
  /// What is added to the run directory now is a part of the finished run.
  virtual void on_trained(const Summary& /*summary*/) {}
  /// Something that the user should know, in one line.
  virtual void on_warning(const std::string& warning) = 0;
};

/// Is asked after every few windows whether the run should stop there.
using StopRequest = std::function<bool(const TrainingProgress& progress)>;

inline bool never_stop(const TrainingProgress& /*progress*/) { return false; }

/// How a run ended.
struct RunOutcome {
  std::optional<Summary> summary;  ///< none if it was stopped
  TrainingProgress progress;
  std::string run_directory;
};

/// Trains as the options say. The run directory has config.json from the start, metrics.csv and
/// checkpoints/ as training goes, and weights.safetensors, summary.json and SHA256SUMS at the end,
/// when the model has been evaluated.
/// Everything that can be refused is refused before the run directory is made. When it is asked to
/// stop, it finishes the window and saves a checkpoint. Sets LibTorch's thread count.
/// @throws InvalidOption, FileError, DivergenceError, and what LibTorch throws.
RunOutcome run_training(RunOptions options, RunObserver& observer,
                        const StopRequest& stop = never_stop);

/// A run to go on with.
struct ResumeRequest {
  std::string run_directory;
  RunOptions options;           ///< those that were given are meant
  std::set<std::string> given;  ///< fields of options, by their flags' names
};

/// Goes on with a run from its newest whole checkpoint, as if it had never stopped: the same
/// losses, weights and checkpoints to the last bit. A run that had no checkpoint yet begins anew.
/// Of the options, epochs, log_every, checkpoint_every, eval_length, device, threads and engine may
/// be other than the run's.
/// @throws InvalidOption for another option that contradicts the run's; and what run_training
/// throws
RunOutcome resume_training(const ResumeRequest& request, RunObserver& observer,
                           const StopRequest& stop = never_stop);

}  // namespace unroll
