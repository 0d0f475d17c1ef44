#include <unroll/run/sweep.h>

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <filesystem>
#include <limits>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include <unroll/base/error.h>
#include <unroll/base/file.h>
#include <unroll/evaluation/evaluator.h>
#include <unroll/run/json.h>
#include <unroll/run/preparation.h>
#include <unroll/run/run_directory.h>
#include <unroll/run/run_lock.h>
#include <unroll/train/engine_choice.h>
#include <unroll/train/memory.h>
#include <unroll/train/portion.h>
#include <unroll/train/trainer.h>

namespace unroll {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// What a cell's trained model came to; nothing is written but the row.
void evaluate_cell(const PreparedRun& run, RecurrentModel& model, SweepRow& row) {
  const Series series = held_out_series(*run.process, run.options.evaluation.eval_length,
                                        static_cast<std::uint32_t>(run.options.seed));
  const Evaluation evaluation = evaluate(model, series, run.process);
  if (evaluation.is_impossible) {
    throw Error(fmt::format("{}: {}", describe_cell(row.cell), kImpossible));
  }
  if (!std::isfinite(evaluation.loss.value)) {
    row.is_diverged = true;  // by the last update
    return;
  }
  row.held_out_loss = evaluation.loss;
  for (std::size_t i = 0; i < row.lags.size(); ++i) {
    row.lags[i].effect = evaluation.lags[i].effect;
    row.lags[i].learned = evaluation.lags[i].learned;
  }
}

PreparedRun prepare_cell(const SweepOptions& options, const SweepCell& cell) {
  PreparedRun run;
  run.options = options.of_cell(cell);
  run.process = LaggedProcess::tutorial();
  run.source = std::make_unique<SampledSource>(*run.process, run.options.series.series_length,
                                               static_cast<std::uint32_t>(run.options.seed));
  return run;
}

/// Trains and evaluates a cell; nothing if it is asked to stop before the end.
std::optional<SweepRow> train_cell(const SweepOptions& options, const SweepCell& cell,
                                   const std::stop_token& stop) {
  PreparedRun run = prepare_cell(options, cell);
  SweepRow row = {.cell = cell};
  row.lags.reserve(run.process->effects().size());
  for (const auto& [lag, effect] : run.process->effects()) {
    row.lags.push_back({.lag = lag});
  }
  const Trainee trainee =
      make_trainee(run, initial_weights(run), run.options.model.model, run.options.engine);
  const TrainerOptions one_row = {.epochs = run.options.trainer.epochs,
                                  .log_every = std::numeric_limits<std::int64_t>::max()};
  Trainer trainer(*trainee.engine, one_row, run.source->baseline(), [](const LogRow& /*row*/) {});
  Portion portion;
  const auto step = [&] {
    const auto begin = Clock::now();
    trainer.advance(portion.windows());
    portion.took(Clock::now() - begin);
    return !stop.stop_requested();
  };
  try {
    train(trainer, *run.source, run.options.windows, one_row.epochs, run.device, step);
  } catch (const DivergenceError&) {
    row.is_diverged = true;
  }
  if (stop.stop_requested()) {
    return std::nullopt;
  }
  const TrainingProgress& progress = trainer.progress();
  row.windows = (progress.epoch - 1) * progress.windows_per_epoch + progress.window;
  row.train_seconds = trainer.train_seconds();
  if (!row.is_diverged) {
    row.last_epoch_loss = progress.last_epoch_loss;
    evaluate_cell(run, *trainee.model, row);
  }
  return row;
}

/// Trains cells on threads of its own, each of which takes the next one when it has done one.
class Workers {
 public:
  Workers(const SweepOptions& options, std::vector<SweepCell> cells)
      : options_(options), cells_(std::move(cells)) {
    const auto count = std::min(static_cast<std::size_t>(options.workers), cells_.size());
    working_ = count;
    threads_.reserve(count);
    try {
      for (std::size_t i = 0; i < count; ++i) {
        threads_.emplace_back([this] { work(); });
      }
    } catch (...) {
      stop();
      throw;
    }
  }
  ~Workers() { stop(); }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// Ends the threads, at the next moment in each cell that can be a stop.
  void stop() {
    stop_.request_stop();
    threads_.clear();  // joins
  }

  /// The rows that were finished since the last call. Waits for one, but not for long.
  /// @throws what a thread threw
  std::vector<SweepRow> take() {
    constexpr std::chrono::milliseconds kPause(50);
    std::unique_lock lock(mutex_);
    news_.wait_for(lock, kPause, [&] { return !rows_.empty() || error_ || working_ == 0; });
    if (error_) {
      std::rethrow_exception(error_);
    }
    return std::exchange(rows_, {});
  }

  /// Whether every thread has ended and every row was taken.
  [[nodiscard]] bool are_done() const {
    const std::lock_guard lock(mutex_);
    return working_ == 0 && rows_.empty() && !error_;
  }

 private:
  void work() {
    std::exception_ptr error;
    try {
      while (const std::optional<SweepCell> cell = next()) {
        const std::optional<SweepRow> row = train_cell(options_, *cell, stop_.get_token());
        if (row) {
          const std::lock_guard lock(mutex_);
          rows_.push_back(*row);
          news_.notify_one();
        }
      }
    } catch (...) {
      error = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    --working_;
    error_ = error_ ? error_ : error;
    news_.notify_one();
  }

  std::optional<SweepCell> next() {
    const std::lock_guard lock(mutex_);
    if (stop_.stop_requested() || next_ == cells_.size()) {
      return std::nullopt;
    }
    return cells_[next_++];
  }

  const SweepOptions& options_;
  const std::vector<SweepCell> cells_;
  std::stop_source stop_;
  mutable std::mutex mutex_;  // over all that follows but the threads
  std::condition_variable news_;
  std::size_t next_ = 0;  // in cells_
  std::size_t working_ = 0;
  std::vector<SweepRow> rows_;
  std::exception_ptr error_;
  std::vector<std::jthread> threads_;
};

std::string config_path(const std::string& directory) { return directory + "/sweep.json"; }

/// @throws FileError if there is something in the folder, and it is no sweep's
void check_is_sweep(const std::string& directory) {
  bool is_empty = true;
  std::error_code error;
  for (const std::string& name : list_folder(directory, error)) {
    is_empty = is_empty && is_temporary(name);  // another shard may be at writing sweep.json
  }
  if (error) {
    throw FileError(directory, "cannot be read as a sweep's folder: " + error.message());
  }
  if (!is_empty && !fs::exists(config_path(directory))) {
    throw FileError(directory,
                    "has no sweep.json; a sweep needs a new or empty folder, or one of its own");
  }
}

/// Makes the folder's sweep.json, or finds that the one that is there says the same.
SweepConfig enter_sweep(const std::string& directory, const SweepOptions& options) {
  const std::string path = config_path(directory);
  const std::string text = sweep_json(options, options.run.engine);
  SweepConfig config = parse_sweep_json(text, path);
  if (!fs::exists(path)) {
    WholeFile file(path);
    file.write(text);
    file.finish();
    if (file.publish_new()) {
      return config;
    }
  }
  check_same_sweep(parse_sweep_json(read_file(path), path), config, directory);
  return config;
}

/// A shard's file of rows, for this process alone.
class PartFile {
 public:
  /// Makes the file, or goes on with it, without what a kill has left of a last row.
  PartFile(const std::string& path, const SweepConfig& config, const LaggedProcess& process)
      : lock_(path),
        bytes_(parse_sweep_part(read_file(path), path, config, process).bytes),
        file_(path, bytes_) {
    if (bytes_ == 0) {
      sync_name(path);
      file_.append(sweep_part_header(config, process));
    }
  }

  void append(const std::vector<SweepRow>& rows) {
    std::string text;
    for (const SweepRow& row : rows) {
      text += format_sweep_row(row);
    }
    file_.append(text);
    file_.sync();
  }

 private:
  FileLock lock_;
  std::int64_t bytes_;
  AppendFile file_;
};

/// The least that the largest cell needs must be there for every worker.
void check_sweep_memory(const SweepOptions& options) {
  const RunOptions run = options.of_cell(options.grid.cells().back());
  check_memory({.series_length = run.series.series_length,
                .eval_length = run.evaluation.eval_length,
                .windows = run.windows,
                .model = run.model,
                .optimizer = run.optimizer,
                .precision = run.dtype,
                .engines = {run.engine}},
               available_memory() / static_cast<double>(options.workers));
}

/// Which cells are missing, by the shards of `count` parts: "12 of cells-3-of-8.csv, ..".
std::string describe_missing(const std::vector<std::optional<SweepRow>>& rows, std::int64_t count) {
  std::vector<std::string> parts;
  for (Shard shard = {.index = 1, .count = count}; shard.index <= count; ++shard.index) {
    std::int64_t missing = 0;
    for (std::size_t place = 0; place < rows.size(); ++place) {
      missing += shard.has(place) && !rows[place] ? 1 : 0;
    }
    if (missing > 0) {
      parts.push_back(fmt::format("{} of {}", missing, sweep_part_name(shard)));
    }
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// @throws FileError if a cell is missing
void check_complete(const std::vector<std::optional<SweepRow>>& rows,
                    const std::vector<SweepPart>& parts, const SweepGrid& grid,
                    const std::string& directory) {
  const auto missing = std::count(rows.begin(), rows.end(), std::nullopt);
  if (missing == 0) {
    return;
  }
  std::int64_t shards = 1;
  for (const SweepPart& part : parts) {
    shards = std::max(shards, part.shard.count);
  }
  const auto first = std::find(rows.begin(), rows.end(), std::nullopt) - rows.begin();
  throw FileError(directory,
                  fmt::format("{} of {} cells are missing: {}; the first is {}", missing,
                              rows.size(), describe_missing(rows, shards),
                              describe_cell(grid.cells()[static_cast<std::size_t>(first)])));
}

/// Joins the parts of a sweep all of whose cells are done.
SweepSummary load(const std::string& directory, const SweepConfig& config) {
  const std::vector<SweepPart> parts =
      read_sweep_parts(directory, config, LaggedProcess::tutorial());
  const std::vector<std::optional<SweepRow>> joined = join_sweep_parts(parts, config.grid);
  check_complete(joined, parts, config.grid, directory);
  std::vector<SweepRow> rows;
  rows.reserve(joined.size());
  for (const std::optional<SweepRow>& row : joined) {
    rows.push_back(*row);
  }
  return summarize_sweep(directory, config, std::move(rows));
}

/// Writes what a sweep has at its end.
SweepSummary finish(const std::string& directory, const SweepConfig& config,
                    SweepObserver& observer) {
  SweepSummary summary = load(directory, config);
  observer.on_finished(summary);
  remove_temporaries(directory);
  write_file(sweep_csv_path(directory),  // last: it says that all is there
             format_sweep(summary.rows, summary.process));
  return summary;
}

/// Where the shard stands, and which of its cells are left.
struct Remaining {
  std::vector<SweepCell> cells;
  SweepProgress progress;
};

Remaining remaining_cells(const SweepOptions& options, const SweepConfig& config,
                          const std::string& directory, const LaggedProcess& process) {
  const std::vector<std::optional<SweepRow>> rows =
      join_sweep_parts(read_sweep_parts(directory, config, process), config.grid);
  const std::vector<SweepCell> cells = options.grid.cells();
  Remaining remaining;
  for (std::size_t place = 0; place < cells.size(); ++place) {
    if (options.shard.has(place)) {
      ++remaining.progress.cells;
      if (rows[place]) {
        ++remaining.progress.done;
      } else {
        remaining.cells.push_back(cells[place]);
      }
    }
  }
  return remaining;
}

/// Trains the cells and appends their rows; whether it was stopped before the end.
bool train_cells(const SweepOptions& options, std::vector<SweepCell> cells, PartFile& part,
                 SweepProgress& progress, SweepObserver& observer,
                 const std::function<bool()>& stop) {
  const auto begin = Clock::now();
  Workers workers(options, std::move(cells));
  const auto take = [&] {
    if (const std::vector<SweepRow> rows = workers.take(); !rows.empty()) {
      part.append(rows);
      progress.done += std::ssize(rows);
      progress.trained += std::ssize(rows);
    }
    progress.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    observer.on_progress(progress);
  };
  while (!workers.are_done()) {
    take();
    if (stop()) {
      workers.stop();
      take();
      return progress.done < progress.cells;
    }
  }
  return false;
}

}  // namespace

std::string SweepOutcome::to_json() const {
  return to_text({{"sweep_directory", directory},
                  {"shard", fmt::format("{}/{}", shard.index, shard.count)},
                  {"cells", progress.cells}});
}

SweepOutcome run_sweep(SweepOptions options, SweepObserver& observer,
                       const std::function<bool()>& stop) {
  options.grid.sort();
  options.validate();
  options.run.engine = resolve_engine(options.run.engine, EngineSite(), options.run.optimizer);
  check_sweep_memory(options);
  at::set_num_threads(1);
  const LaggedProcess process = LaggedProcess::tutorial();
  const std::string directory = make_sweep_directory(options.out);
  check_is_sweep(directory);
  const SweepConfig config = enter_sweep(directory, options);
  SweepOutcome outcome = {.shard = options.shard, .directory = directory};
  if (fs::exists(sweep_csv_path(directory))) {
    outcome.summary = load(directory, config);
    outcome.progress.cells = outcome.progress.done = std::ssize(outcome.summary->rows);
    return outcome;
  }
  PartFile part(directory + "/" + sweep_part_name(options.shard), config, process);
  Remaining remaining = remaining_cells(options, config, directory, process);
  outcome.progress = remaining.progress;
  observer.on_start({.options = options,
                     .process = process,
                     .directory = directory,
                     .progress = remaining.progress});
  outcome.is_stopped =
      train_cells(options, std::move(remaining.cells), part, outcome.progress, observer, stop);
  if (!outcome.is_stopped && options.shard.is_whole()) {
    outcome.summary = finish(directory, config, observer);
  }
  return outcome;
}

SweepSummary merge_sweep(const std::string& directory, SweepObserver& observer) {
  const std::string path = config_path(directory);
  return finish(directory, parse_sweep_json(read_file(path), path), observer);
}

}  // namespace unroll
