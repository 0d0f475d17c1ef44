// A whole sweep as a library call.

#include <unroll/run/sweep.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <unroll/base/error.h>
#include <unroll/run/metrics.h>
#include <unroll/run/run_lock.h>
#include <unroll/run/training_run.h>

#include "../support/temp_dir.h"

namespace unroll {
namespace {

namespace fs = std::filesystem;
using testing::names_in;
using testing::read_bytes;
using testing::TempDir;
using testing::write_bytes;

/// Keeps what it is told.
class SweepRecorder final : public SweepObserver {
 public:
  void on_start(const SweepStart& started) override { start = started; }
  void on_progress(const SweepProgress& progress) override { last = progress; }
  void on_finished(const SweepSummary& summary) override {
    finished = summary;
    files_when_finished = names_in(summary.directory);
  }

  std::optional<SweepStart> start;
  SweepProgress last;
  std::optional<SweepSummary> finished;
  std::set<std::string> files_when_finished;
};

class NoObserver final : public RunObserver {
 public:
  void on_start(const RunStart& /*start*/) override {}
  void on_row(const LogRow& /*row*/) override {}
  void on_warning(const std::string& /*warning*/) override {}
};

bool go_on() { return false; }

/// Eight cells of 50 or 20 windows.
SweepOptions small(const std::string& out) {
  SweepOptions options;
  options.grid = {.num_steps = {2, 5}, .hidden_size = {3, 4}, .learning_rate = {0.2}, .seeds = 2};
  options.run.series.series_length = 300;
  options.run.evaluation.eval_length = 2'000;
  options.workers = 2;
  options.out = out;
  return options;
}

SweepOutcome sweep(const SweepOptions& options) {
  SweepRecorder recorder;
  return run_sweep(options, recorder, go_on);
}

/// What a sweep is refused with.
template <class Refusal>
std::string refusal(const SweepOptions& options) {
  try {
    sweep(options);
  } catch (const Refusal& error) {
    return error.what();
  }
  return "accepted";
}

/// A file of rows without their times.
std::string without_times(const std::string& path) {
  std::istringstream text(read_bytes(path));
  std::string kept;
  for (std::string line; std::getline(text, line);) {
    kept.append(line, 0, line.rfind(',')).append("\n");
  }
  return kept;
}

std::string sweep_csv(const TempDir& folder, const std::string& name) {
  return without_times(folder / (name + "/sweep.csv"));
}

TEST(Sweep, ACellIsARunOfTheSameOptions) {
  const TempDir folder;
  SweepOptions options = small(folder / "sweep");
  options.run.trainer.epochs = 2;
  const SweepOutcome outcome = sweep(options);
  const SweepCell cell = {.num_steps = 5, .hidden_size = 3, .learning_rate = 0.2, .seed = 1};
  RunOptions run = options.of_cell(cell);
  run.out = folder / "run";
  NoObserver observer;
  const Summary summary = *run_training(run, observer).summary;
  const SweepRow& row = outcome.summary->rows.at(5);
  ASSERT_EQ(row.cell, cell);
  EXPECT_EQ(row.windows, summary.windows);
  EXPECT_EQ(format_loss(row.last_epoch_loss), format_loss(summary.last_epoch_loss));
  EXPECT_EQ(format_loss(row.held_out_loss.value), format_loss(summary.evaluation->loss.value));
  for (std::size_t i = 0; i < row.lags.size(); ++i) {
    const LagKnowledge& lag = summary.evaluation->lags.at(i);
    EXPECT_EQ(row.lags[i].lag, lag.lag);
    EXPECT_EQ(format_loss(row.lags[i].effect.value), format_loss(lag.effect.value));
    EXPECT_EQ(row.lags[i].learned, lag.learned);
  }
}

TEST(Sweep, LeavesItsFilesAndTellsHowItGoes) {
  const TempDir folder;
  SweepRecorder recorder;
  const SweepOutcome outcome = run_sweep(small(folder / "sweep"), recorder, go_on);
  EXPECT_EQ(names_in(folder / "sweep"),
            (std::set<std::string>{"cells-1-of-1.csv", "sweep.csv", "sweep.json"}));
  EXPECT_EQ(recorder.start->progress.cells, 8);
  EXPECT_EQ(recorder.start->options.run.engine, EngineChoice::kFused);
  EXPECT_EQ(recorder.last.done, 8);
  EXPECT_EQ(recorder.last.trained, 8);
  EXPECT_EQ(recorder.finished->rows.size(), 8U);
  EXPECT_EQ(recorder.files_when_finished.count("sweep.csv"), 0U);
  EXPECT_EQ(outcome.summary->groups.size(), 4U);
  EXPECT_FALSE(outcome.is_stopped);
}

TEST(Sweep, IsTheSameWhateverTheWorkersAndShards) {
  const TempDir folder;
  SweepOptions options = small(folder / "one");
  options.workers = 1;
  sweep(options);
  options = small(folder / "many");
  options.workers = 5;
  options.grid.num_steps = {5, 2};
  sweep(options);
  options = small(folder / "shards");
  for (std::int64_t index = 3; index >= 1; --index) {
    options.shard = {.index = index, .count = 3};
    const SweepOutcome outcome = sweep(options);
    EXPECT_FALSE(outcome.summary);
    EXPECT_EQ(outcome.progress.done, index == 3 ? 2 : 3);
  }
  SweepRecorder recorder;
  EXPECT_EQ(merge_sweep(folder / "shards", recorder).rows.size(), 8U);
  EXPECT_EQ(sweep_csv(folder, "many"), sweep_csv(folder, "one"));
  EXPECT_EQ(sweep_csv(folder, "shards"), sweep_csv(folder, "one"));
  EXPECT_EQ(read_bytes(folder / "shards/sweep.json"), read_bytes(folder / "one/sweep.json"));
}

TEST(Sweep, GoesOnAfterAStop) {
  const TempDir folder;
  sweep(small(folder / "whole"));
  SweepOptions options = small(folder / "stopped");
  options.workers = 1;
  SweepRecorder recorder;
  const SweepOutcome stopped =
      run_sweep(options, recorder, [&] { return recorder.last.done >= 1; });
  ASSERT_TRUE(stopped.is_stopped);
  EXPECT_FALSE(stopped.summary);
  EXPECT_LT(stopped.progress.done, 8);
  EXPECT_FALSE(fs::exists(folder / "stopped/sweep.csv"));
  const SweepOutcome outcome = run_sweep(options, recorder, go_on);
  EXPECT_EQ(recorder.start->progress.done, stopped.progress.done);
  EXPECT_EQ(outcome.progress.trained, 8 - stopped.progress.done);
  EXPECT_EQ(sweep_csv(folder, "stopped"), sweep_csv(folder, "whole"));
}

TEST(Sweep, GoesOnBehindATornRow) {
  const TempDir folder;
  sweep(small(folder / "whole"));
  const std::string part = folder / "whole/cells-1-of-1.csv";
  const std::string text = read_bytes(part);
  const std::string before = sweep_csv(folder, "whole");
  for (const std::size_t size :
       {text.size() - 5, text.size() / 2, std::size_t{20}, std::size_t{0}}) {
    fs::remove(folder / "whole/sweep.csv");
    write_bytes(part, text.substr(0, size));
    sweep(small(folder / "whole"));
    EXPECT_EQ(sweep_csv(folder, "whole"), before) << size;
  }
}

TEST(Sweep, AFinishedOneTrainsNothing) {
  const TempDir folder;
  sweep(small(folder / "sweep"));
  const std::string before = read_bytes(folder / "sweep/sweep.csv");
  SweepRecorder recorder;
  const SweepOutcome outcome = run_sweep(small(folder / "sweep"), recorder, go_on);
  EXPECT_EQ(outcome.progress.trained, 0);
  EXPECT_EQ(outcome.summary->rows.size(), 8U);
  EXPECT_FALSE(recorder.start);
  EXPECT_EQ(read_bytes(folder / "sweep/sweep.csv"), before);
}

TEST(Sweep, AnUnfinishedShardIsDoneByTheWhole) {
  const TempDir folder;
  SweepOptions options = small(folder / "sweep");
  options.shard = {.index = 1, .count = 2};
  sweep(options);
  SweepRecorder recorder;
  const SweepOutcome outcome = run_sweep(small(folder / "sweep"), recorder, go_on);
  EXPECT_EQ(recorder.start->progress.done, 4);
  EXPECT_EQ(outcome.summary->rows.size(), 8U);
}

TEST(Sweep, ADivergedCellIsAResult) {
  const TempDir folder;
  SweepOptions options = small(folder / "sweep");
  options.grid.learning_rate = {3e38};
  const SweepOutcome outcome = sweep(options);
  ASSERT_EQ(outcome.summary->rows.size(), 8U);
  for (const SweepRow& row : outcome.summary->rows) {
    EXPECT_TRUE(row.is_diverged);
    EXPECT_GE(row.windows, 1);
  }
  EXPECT_FALSE(outcome.summary->groups.front().held_out_loss);
}

TEST(Sweep, AutogradTrainsWhatTheFusedEngineCannot) {
  const TempDir folder;
  SweepOptions options = small(folder / "sweep");
  options.run.optimizer.optimizer = OptimizerKind::kAdam;
  options.grid.learning_rate = {0.01};
  EXPECT_EQ(sweep(options).summary->rows.size(), 8U);
  options = small(folder / "refused");
  options.run.optimizer.optimizer = OptimizerKind::kAdam;
  options.run.engine = EngineChoice::kFused;
  EXPECT_EQ(refusal<InvalidOption>(options),
            "engine fused trains with the optimizer sgd only, got adam");
  EXPECT_FALSE(fs::exists(folder / "refused"));
}

TEST(Sweep, RefusesAFolderThatIsNotItsOwn) {
  const TempDir folder;
  fs::create_directory(folder / "run");
  write_bytes(folder / "run/config.json", "{}");
  EXPECT_EQ(refusal<FileError>(small(folder / "run")),
            (folder / "run") +
                ": has no sweep.json; a sweep needs a new or empty folder, or one of its own");
  sweep(small(folder / "sweep"));
  SweepOptions other = small(folder / "sweep");
  other.run.series.series_length = 600;
  EXPECT_EQ(refusal<InvalidOption>(other),
            "series_length cannot change when a sweep goes on: got 600, " + (folder / "sweep") +
                " has 300");
}

TEST(Sweep, RefusesAPartThatAnotherProcessDoes) {
  const TempDir folder;
  SweepOptions options = small(folder / "sweep");
  options.shard = {.index = 1, .count = 2};
  sweep(options);
  const std::string part = folder / "sweep/cells-1-of-2.csv";
  const FileLock lock(part);
  EXPECT_EQ(refusal<FileError>(options), part + ": is in use by another process that works on it");
  options.shard.index = 2;
  EXPECT_EQ(refusal<FileError>(options), "accepted");
}

TEST(Sweep, RefusesMoreThanFitsInMemory) {
  const TempDir folder;
  SweepOptions options = small(folder / "sweep");
  options.grid.hidden_size = {3, 10'000'000};
  EXPECT_EQ(refusal<InvalidOption>(options).find("hidden_size must fit in memory, got 10000000: "),
            0U);
  EXPECT_FALSE(fs::exists(folder / "sweep"));
}

TEST(SweepMerge, NamesWhatIsMissing) {
  const TempDir folder;
  SweepOptions options = small(folder / "sweep");
  options.shard = {.index = 2, .count = 3};
  sweep(options);
  SweepRecorder recorder;
  try {
    merge_sweep(folder / "sweep", recorder);
    FAIL() << "merged";
  } catch (const FileError& error) {
    EXPECT_EQ(error.what(),
              (folder / "sweep") +
                  ": 5 of 8 cells are missing: 3 of cells-1-of-3.csv, 2 of cells-3-of-3.csv; the "
                  "first is num_steps 2, hidden_size 3, learning_rate 0.2, seed 0");
  }
  EXPECT_FALSE(fs::exists(folder / "sweep/sweep.csv"));
  EXPECT_FALSE(recorder.finished);
}

}  // namespace
}  // namespace unroll
