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
#include <unroll/train/progress.h>

namespace unroll {

class Ranks;

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
  std::int64_t ranks = 1;     ///< that train together
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

/// Is asked after every few windows whether the run should stop there: 0 to go on, else a reason of
/// the caller's, such as a signal's number.
using StopRequest = std::function<int(const TrainingProgress& progress)>;

inline int never_stop(const TrainingProgress& /*progress*/) { return 0; }

/// How a run ended.
struct RunOutcome {
  std::optional<Summary> summary;  ///< none if it was stopped, and on ranks other than 0
  TrainingProgress progress;
  std::string run_directory;
  int stop_reason = 0;  ///< 0 if it was not stopped; of several ranks' reasons the largest
};

/// Trains as the options say. The run directory has config.json from the start, metrics.csv and
/// checkpoints/ as training goes, and weights.safetensors, summary.json and SHA256SUMS at the end,
/// when the model has been evaluated.
/// Everything that can be refused is refused before the run directory is made. When it is asked to
/// stop, it finishes the window and saves a checkpoint. Sets LibTorch's thread count.
/// With `ranks`, trains together with them: every rank makes this call, or every rank
/// resume_training(). The options of rank 0 count; of the others' only `data`, which must be the
/// same file wherever it lies. Rank 0 alone has the run directory and the observer. If one rank is
/// asked to stop, all stop at the same window; if one fails, all fail.
/// @throws InvalidOption, FileError, DivergenceError, RankError, and what LibTorch throws.
RunOutcome run_training(RunOptions options, RunObserver& observer,
                        const StopRequest& stop = never_stop, Ranks* ranks = nullptr);

/// A run to go on with.
struct ResumeRequest {
  std::string run_directory;
  RunOptions options;           ///< those that were given are meant
  std::set<std::string> given;  ///< fields of options, by their flags' names
};

/// Goes on with a run from its newest whole checkpoint, as if it had never stopped: the same
/// losses, weights and checkpoints to the last bit, if it has as many ranks. A run that had no
/// checkpoint yet begins anew. Of the options, epochs, learning_rate, log_every, checkpoint_every,
/// eval_length, device, threads and engine may differ from the run's.
/// @throws InvalidOption for another option that contradicts the run's; and what run_training
/// throws
RunOutcome resume_training(const ResumeRequest& request, RunObserver& observer,
                           const StopRequest& stop = never_stop, Ranks* ranks = nullptr);

}  // namespace unroll
