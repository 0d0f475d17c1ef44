// A whole sweep: trains every cell of a grid, side by side, and can be stopped, shared out over
// machines, and gone on with.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <unroll/run/sweep_options.h>
#include <unroll/run/sweep_summary.h>

namespace unroll {

/// How far a sweep, or a shard of it, has come.
struct SweepProgress {
  std::int64_t cells = 0;    ///< to be trained
  std::int64_t done = 0;     ///< of which done
  std::int64_t trained = 0;  ///< of which by this call
  double seconds = 0.0;      ///< since this call began
};

/// What is known when training begins.
struct SweepStart {
  SweepOptions options;  ///< the grid in order, the engine resolved
  LaggedProcess process;
  std::string directory;
  SweepProgress progress;
};

/// Is told how a sweep goes, on the thread that began it.
class SweepObserver {
 public:
  virtual ~SweepObserver() = default;
  SweepObserver() = default;
  SweepObserver(const SweepObserver&) = delete;
  SweepObserver& operator=(const SweepObserver&) = delete;

  virtual void on_start(const SweepStart& start) = 0;
  /// After every few cells.
  virtual void on_progress(const SweepProgress& progress) = 0;
  /// Every cell is done. What is added to the sweep's folder now is a part of the finished sweep.
  virtual void on_finished(const SweepSummary& summary) = 0;
};

/// How a call ended.
struct SweepOutcome {
  std::optional<SweepSummary> summary = {};  ///< none if it was stopped, or was to do a shard only
  bool is_stopped = false;
  Shard shard = {};
  SweepProgress progress = {};
  std::string directory = {};

  /// Of a shard: one JSON object, indented, with a final newline.
  [[nodiscard]] std::string to_json() const;
};

/// Trains and evaluates every cell of the shard that no part in the folder has yet, each like
/// unroll-train would on one CPU thread. The folder has
///
///     sweep.json            from the start: the grid and the options
///     cells-I-of-N.csv      a row a cell, in the order in which they finish; a file a shard
///     sweep.csv             at the end: every row, in the grid's order
///
/// A sweep that is cut into shards ends with merge_sweep(); of one that is whole this is the end,
/// and if it is finished already, all of it. Whatever the workers, shards and stops, sweep.csv is
/// the same to the last byte but for its times. `stop` is asked many times a second, on the calling
/// thread; cells that are half done are then forgotten. Sets LibTorch's thread count to 1.
/// @throws InvalidOption also for an option that is not the folder's sweep's; FileError; and what
/// LibTorch throws. That a cell diverges is a result.
SweepOutcome run_sweep(SweepOptions options, SweepObserver& observer,
                       const std::function<bool()>& stop);

/// Ends a sweep whose shards are done: joins their parts into sweep.csv, anew if it is there.
/// @throws FileError naming the parts whose cells are missing, or what is wrong with one
SweepSummary merge_sweep(const std::string& directory, SweepObserver& observer);

}  // namespace unroll
