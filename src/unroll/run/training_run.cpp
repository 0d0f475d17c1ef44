#include <unroll/run/training_run.h>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <utility>
#include <vector>

#include <unroll/base/error.h>
#include <unroll/base/file.h>
#include <unroll/evaluation/evaluator.h>
#include <unroll/run/checkpoint_folder.h>
#include <unroll/run/config.h>
#include <unroll/run/digests.h>
#include <unroll/run/metrics.h>
#include <unroll/run/preparation.h>
#include <unroll/run/run_directory.h>
#include <unroll/run/run_lock.h>
#include <unroll/run/weights_file.h>
#include <unroll/train/data_parallel.h>
#include <unroll/train/portion.h>
#include <unroll/train/trainer.h>

namespace unroll {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// A run that is ready to train.
struct ReadyRun {
  PreparedRun prepared;
  Trainee trainee;
  std::string directory;  ///< empty on a rank that writes no files
  std::string config;     ///< config.json's text
  MetricsFile* metrics;   ///< null on a rank that writes no files
  TrainingStart start = {};
  CheckpointSpan span = {};
  Ranks* ranks = nullptr;       ///< null for one process
  std::string checkpoint = {};  ///< the bytes that it goes on from, for the other ranks
};

/// Trains a run to its end or to where it is stopped, and saves on the way.
class Session {
 public:
  Session(ReadyRun& run, RunObserver& observer)
      : run_(run),
        options_(run.prepared.options),
        trainer_(
            *run.trainee.engine, options_.trainer, run.prepared.source->baseline(),
            [&](const LogRow& row) {
              if (run.metrics != nullptr) {
                run.metrics->append(row);
              }
              observer.on_row(row);
            },
            run.start),
        observer_(observer) {
    if (run.metrics != nullptr) {
      checkpoints_.emplace(run.directory);
    }
  }

  /// Why it was stopped; 0 if it was not.
  int train(const StopRequest& stop) {
    int stop_reason = 0;
    const auto step = [&] {
      advance();
      stop_reason = agree(stop(trainer_.progress()));
      return stop_reason == 0;
    };
    try {
      result_ = unroll::train(trainer_, *run_.prepared.source, options_.windows,
                              options_.trainer.epochs, run_.prepared.device, step);
    } catch (const DivergenceError&) {
      forget_explosion();
      throw;
    }
    const TrainingProgress& progress = trainer_.progress();
    if (progress.epoch == options_.trainer.epochs && !progress.is_within_epoch()) {
      stop_reason = 0;  // there was nothing left to stop
    }
    if (saved_windows_ != progress.windows) {
      save([&](const Checkpoint& checkpoint) { checkpoints_->save_last(checkpoint); });
    }
    return stop_reason;
  }

  [[nodiscard]] const TrainingResult& result() const { return result_; }

 private:
  void advance() {
    const std::int64_t until_due =
        std::max<std::int64_t>(options_.checkpoint_every - span_.windows, 1);
    const auto begin = Clock::now();
    for (const double loss : trainer_.advance(std::min(portion_.windows(), until_due))) {
      span_.sum += loss;
      ++span_.windows;
    }
    portion_.took(Clock::now() - begin);
    observer_.on_progress(trainer_.progress());
    if (span_.windows >= options_.checkpoint_every) {
      save_regular();
    }
  }

  /// What depends on a clock or on signals must be the same on all ranks: whether one of them has a
  /// reason to stop, and how much to train next, which rank 0 decides.
  int agree(int stop_reason) {
    if (run_.ranks == nullptr) {
      return stop_reason;
    }
    const std::int64_t windows = run_.ranks->rank() == 0 ? portion_.windows() : 0;
    torch::Tensor decision = torch::tensor({std::int64_t{stop_reason}, windows}, torch::kInt64);
    run_.ranks->maximum(decision);
    portion_.set(decision[1].item<std::int64_t>());
    return decision[0].item<int>();
  }

  /// Removes the checkpoints that were saved while the training exploded, so that a resume goes on
  /// from a good one.
  void forget_explosion() {
    if (checkpoints_) {
      const DivergenceGuard guard(run_.prepared.source->baseline());
      checkpoints_->remove_if(
          [&](const Checkpoint& checkpoint) { return guard.is_exploding(checkpoint.progress); });
    }
  }

  void save_regular() {
    const double mean_loss = span_.sum / static_cast<double>(span_.windows);
    const bool is_best = !span_.best_mean_loss || mean_loss < *span_.best_mean_loss;
    span_ = {.best_mean_loss = is_best ? mean_loss : span_.best_mean_loss};
    save([&](const Checkpoint& checkpoint) { checkpoints_->save_regular(checkpoint, is_best); });
  }

  /// Saves a checkpoint, to which every rank brings its rows of the state, where there are files.
  template <class Write>
  void save(const Write& write) {
    if (run_.ranks != nullptr) {
      check_same_weights(*run_.ranks, *run_.trainee.model);
    }
    const Checkpoint checkpoint = {.config = run_.config,
                                   .progress = trainer_.progress(),
                                   .span = span_,
                                   .weights = run_.trainee.model->weights(),
                                   .state = run_.trainee.engine->whole_state(trainer_.state()),
                                   .optimizer = run_.trainee.engine->optimizer_state()};
    if (checkpoints_) {
      run_.metrics->sync();  // a checkpoint's rows are on the disk before it
      write(checkpoint);
    }
    saved_windows_ = trainer_.progress().windows;
  }

  ReadyRun& run_;
  const RunOptions& options_;
  std::optional<CheckpointFolder> checkpoints_;  // none on a rank that writes no files
  Trainer trainer_;
  RunObserver& observer_;
  TrainingResult result_;
  Portion portion_;
  CheckpointSpan span_ = run_.span;
  std::int64_t saved_windows_ = run_.start.progress.windows;
};

/// What the trained model knows, if that was asked for: by a series of its own, or for a user's
/// series by its first eval_length symbols, of which it takes two at least.
std::optional<Evaluation> evaluation_of(const ReadyRun& run) {
  const RunOptions& options = run.prepared.options;
  const std::optional<LaggedProcess>& process = run.prepared.process;
  const std::int64_t length = options.evaluation.eval_length;
  if (length == 0) {
    return std::nullopt;
  }
  if (process) {
    const Series series =
        held_out_series(*process, length, static_cast<std::uint32_t>(options.seed));
    Evaluation evaluation = evaluate(*run.trainee.model, series, process);
    evaluation.is_held_out = true;
    return evaluation;
  }
  const std::shared_ptr<const Series> series = run.prepared.source->next();
  const std::int64_t symbols = std::min(length, series->length());
  if (symbols < 2) {
    return std::nullopt;
  }
  return evaluate(*run.trainee.model, first_symbols(*series, symbols), process);
}

std::int64_t count_of(const Ranks* ranks) { return ranks == nullptr ? 1 : ranks->size(); }

/// Tells the other ranks, which wait in follow(), what they need to train along.
void lead(const ReadyRun& run) {
  run.ranks->wait_for_rank_0();
  run.ranks->broadcast(run.config);
  run.ranks->broadcast(run.checkpoint);
  run.ranks->meet();  // they prepare as this rank has
  share_weights(*run.ranks, *run.trainee.model);
}

RunOutcome run(ReadyRun ready, Clock::time_point begin, RunObserver& observer,
               const StopRequest& stop) {
  const RunOptions& options = ready.prepared.options;
  const std::optional<LaggedProcess>& process = ready.prepared.process;
  const auto floors =
      process ? std::optional(process->floors(options.windows.num_steps)) : std::nullopt;
  const std::string engine(name_of(ready.trainee.engine_choice));
  const std::string device = ready.prepared.device.str();
  observer.on_start(
      {.options = options,
       .engine = engine,
       .device = device,
       .process = process,
       .floors = floors,
       .windows_per_epoch = options.windows.window_count(options.series.series_length),
       .run_directory = ready.directory,
       .progress = ready.start.progress,
       .ranks = count_of(ready.ranks)});

  if (ready.ranks != nullptr) {
    lead(ready);
  }
  Session session(ready, observer);
  const int stop_reason = session.train(stop);
  const TrainingResult& result = session.result();
  if (stop_reason != 0) {
    return {.summary = {},
            .progress = result.progress,
            .run_directory = ready.directory,
            .stop_reason = stop_reason};
  }
  save_weights(ready.directory + "/weights.safetensors", ready.trainee.model->weights());

  const std::optional<Evaluation> evaluation = evaluation_of(ready);
  const std::chrono::duration<double> elapsed = Clock::now() - begin;
  const Summary summary = {
      .model = std::string(name_of(options.model.model)),
      .engine = engine,
      .device = device,
      .dtype = std::string(name_of(options.dtype)),
      .seed = options.seed,
      .epochs = options.trainer.epochs,
      .windows = result.progress.windows,
      .final_loss = result.progress.final_loss,
      .last_epoch_loss = result.progress.last_epoch_loss,
      .baseline = ready.prepared.source->baseline(),
      .unused_symbols = options.windows.unused_symbols(options.series.series_length),
      .seconds = ready.start.train_seconds + elapsed.count(),
      .data_seconds = result.data_seconds,
      .train_seconds = result.train_seconds,
      .floors = floors,
      .num_steps = options.windows.num_steps,
      .evaluation = evaluation,
      .run_directory = ready.directory};
  observer.on_trained(summary);
  const std::string summary_text = summary.to_json();
  write_digests(ready.directory, summary_text);
  write_file(ready.directory + "/summary.json", summary_text);  // last: it says that all is there
  return {.summary = summary, .progress = result.progress, .run_directory = ready.directory};
}

std::string config_of(const PreparedRun& run, const Trainee& trainee, const Ranks* ranks) {
  return config_json(run.options,
                     {.engine = trainee.engine_choice,
                      .device = run.device.str(),
                      .ranks = count_of(ranks),
                      .learning_rate_from = run.learning_rate_from,
                      .digests = run.digests},
                     run.process);
}

/// Trains a run from its beginning, in a folder that is there and locked.
RunOutcome run_anew(PreparedRun prepared, const std::string& directory, Trainee trainee,
                    Clock::time_point begin, RunObserver& observer, const StopRequest& stop,
                    Ranks* ranks) {
  const std::string config = config_of(prepared, trainee, ranks);
  write_file(directory + "/config.json", config);
  MetricsFile metrics(directory + "/metrics.csv");
  return run({.prepared = std::move(prepared),
              .trainee = std::move(trainee),
              .directory = directory,
              .config = config,
              .metrics = &metrics,
              .ranks = ranks},
             begin, observer, stop);
}

/// The run's options, with those taken over that were given and may change.
RunOptions merged(const RunConfig& saved, const ResumeRequest& request, std::int64_t ranks,
                  RunObserver& observer) {
  RunOptions options = saved.options;
  const RunOptions& asked = request.options;
  const auto is_same_data = [&] {  // which may have moved
    return !saved.options.data.empty() && data_digest(asked.data) == saved.digests.data;
  };
  for (const std::string& option : request.given) {
    const std::string value = config_value(asked, option);
    const std::string saved_value = config_value(saved.options, option);
    if (option == "data" && value != saved_value && is_same_data()) {
      options.data = asked.data;
    } else if (!may_change(option) && value != saved_value) {
      throw InvalidOption(option, fmt::format("cannot change when a run goes on: got {}, {} has {}",
                                              value, request.run_directory, saved_value));
    }
  }
  const auto take = [&](const char* option, auto& value, const auto& given) {
    if (request.given.count(option) > 0) {
      value = given;
    }
  };
  take("epochs", options.trainer.epochs, asked.trainer.epochs);
  take("learning_rate", options.optimizer.learning_rate, asked.optimizer.learning_rate);
  take("log_every", options.trainer.log_every, asked.trainer.log_every);
  take("checkpoint_every", options.checkpoint_every, asked.checkpoint_every);
  take("eval_length", options.evaluation.eval_length, asked.evaluation.eval_length);
  take("threads", options.threads, asked.threads);
  if (asked.device != DeviceChoice::kAuto) {
    take("device", options.device, asked.device);
  }
  if (asked.engine != EngineChoice::kAuto) {
    take("engine", options.engine, asked.engine);
  }
  const auto warn_of_change = [&](const char* name, const auto& before, const auto& now) {
    if (now != before) {
      observer.on_warning(
          fmt::format("{} is {} now and was {}: bits may differ from a run that was never stopped",
                      name, now, before));
    }
  };
  for (const char* option : {"engine", "device"}) {
    warn_of_change(option, config_value(saved.options, option), config_value(options, option));
  }
  warn_of_change("the number of ranks", saved.ranks, ranks);
  if (saved.versions != current_versions()) {
    observer.on_warning(
        fmt::format("this is {}, the run began with {}: bits may differ from a run that was never "
                    "stopped",
                    current_versions(), saved.versions));
  }
  return options;
}

/// @throws FileError if a file has not the bytes that it had when the run began
void check_unchanged(const std::string& path, const std::string& digest,
                     const std::string& expected) {
  if (digest != expected) {
    throw FileError(path,
                    "has changed since the run began, which can only go on with the same data");
  }
}

/// Where metrics.csv stood when a checkpoint was saved.
MetricsRow last_row(const std::string& path, const TrainingProgress& progress) {
  // What comes later may be anything, after a loss of power, and is cut off.
  const std::vector<MetricsRow> rows = parse_first_metrics(read_file(path), path);
  const std::int64_t expected = progress.windows - progress.row_windows;
  const std::optional<MetricsRow> row = find_row(rows, progress.windows_per_epoch, expected);
  if (!row) {
    throw FileError(
        path,
        fmt::format("has no row of window {}, after which the checkpoint was made", expected));
  }
  return *row;
}

/// What a finished run has and one that trains on has not.
void remove_results(const std::string& directory) {
  for (const char* name : {"SHA256SUMS", "weights.safetensors"}) {
    fs::remove(directory + "/" + name);
  }
}

/// What tells of a run as it was; who observes it may report on it again.
void remove_report(const std::string& directory) {
  for (const char* name : kReportFiles) {
    fs::remove(directory + "/" + name);
  }
}

/// The config of a run that goes on: config.json's, which has what was changed last, or a
/// checkpoint's if that file is damaged.
RunConfig read_config(const std::string& directory, const std::optional<FoundCheckpoint>& found,
                      RunObserver& observer) {
  const std::string path = directory + "/config.json";
  if (!found) {
    return parse_config(read_file(path), path);
  }
  RunConfig config = parse_config(found->checkpoint.config, found->path);
  try {
    RunConfig newer = parse_config(read_file(path), path);
    if (const auto found_one = find_contradiction(newer, config)) {
      throw FileError(path, fmt::format("has {} {}, the checkpoint has {}", found_one->option,
                                        found_one->value, found_one->other));
    }
    return newer;
  } catch (const FileError& error) {
    observer.on_warning(fmt::format("{}; going by {}", error.what(), found->path));
    return config;
  }
}

/// Where the checkpoint was, without the best one if that is lost.
CheckpointSpan span_of(const NewestCheckpoint& newest) {
  CheckpointSpan span = newest.found->checkpoint.span;
  for (const DamagedCheckpoint& damaged : newest.damaged) {
    if (fs::path(damaged.path).filename() == CheckpointFolder::kBest) {
      span.best_mean_loss.reset();
    }
  }
  return span;
}

/// Brings a model, its engine and the data to where a checkpoint was made.
Trainee resume_trainee(const PreparedRun& prepared, const Checkpoint& checkpoint,
                       const std::string& path, Ranks* ranks) {
  const RunOptions& options = prepared.options;
  Trainee trainee =
      make_trainee(prepared, checkpoint.weights, options.model.model, options.engine, ranks);
  try {
    trainee.engine->set_optimizer_state(checkpoint.optimizer);
  } catch (const std::invalid_argument& error) {
    throw FileError(path, error.what());
  }
  const TrainingProgress& progress = checkpoint.progress;
  prepared.source->skip(progress.is_within_epoch() ? progress.epoch - 1 : progress.epoch);
  return trainee;
}

/// Goes on from a checkpoint.
RunOutcome run_on(PreparedRun prepared, const NewestCheckpoint& newest,
                  const std::string& directory, Clock::time_point begin, RunObserver& observer,
                  const StopRequest& stop, Ranks* ranks) {
  const FoundCheckpoint& found = *newest.found;
  const Checkpoint& checkpoint = found.checkpoint;
  const RunOptions& options = prepared.options;
  const TrainingProgress& progress = checkpoint.progress;
  if (options.trainer.epochs < progress.epoch) {
    throw InvalidOption("epochs", fmt::format("must be at least {}, which the run has reached, got "
                                              "{}",
                                              progress.epoch, options.trainer.epochs));
  }
  if (progress.windows_per_epoch != options.windows.window_count(options.series.series_length)) {
    throw FileError(found.path, "is of a series of another length");
  }
  const bool is_within_epoch = progress.is_within_epoch();
  Trainee trainee = resume_trainee(prepared, checkpoint, found.path, ranks);
  const std::string metrics_path = directory + "/metrics.csv";
  const MetricsRow row = last_row(metrics_path, progress);

  std::string bytes = ranks == nullptr ? "" : read_file(found.path);

  // Nothing was changed up to here.
  fs::remove(directory + "/summary.json");  // first: without it the run is not finished
  remove_report(directory);
  if (is_within_epoch || progress.epoch < options.trainer.epochs) {
    remove_results(directory);
  }
  const std::string config = config_of(prepared, trainee, ranks);
  write_file(directory + "/config.json", config);
  CheckpointFolder(directory).go_on_from(newest);
  MetricsFile metrics(metrics_path, row.end);
  TrainingStart start = {.progress = progress,
                         .state = checkpoint.state.to(prepared.device),
                         .train_seconds = row.train_seconds};
  return run({.prepared = std::move(prepared),
              .trainee = std::move(trainee),
              .directory = directory,
              .config = config,
              .metrics = &metrics,
              .start = std::move(start),
              .span = span_of(newest),
              .ranks = ranks,
              .checkpoint = std::move(bytes)},
             begin, observer, stop);
}

/// Whether a metrics.csv has a row. A kill may leave a part of its header, a loss of power zeros.
/// @throws FileError
bool has_rows(const std::string& path) {
  const std::string text = fs::exists(path) ? read_file(path) : "";
  return text.size() > kMetricsHeader.size() && text.front() != '\0' &&
         !parse_first_metrics(text, path).empty();
}

/// A run without a checkpoint begins anew, but only one that never had any.
/// @throws FileError
void check_has_not_begun(const std::string& directory) {
  const bool has_folder = fs::exists(fs::symlink_status(directory + "/checkpoints"));
  const bool is_finished =
      fs::exists(directory + "/summary.json") || fs::exists(directory + "/weights.safetensors");
  if (is_finished || (!has_folder && has_rows(directory + "/metrics.csv"))) {
    throw FileError(directory, "has no checkpoint to go on from, but has trained");
  }
}

/// From which window on the learning rate of a run that goes on holds; tells the user of a change.
std::int64_t learning_rate_from(const RunConfig& saved, const RunOptions& options,
                                const TrainingProgress& progress, RunObserver& observer) {
  const double before = saved.options.optimizer.learning_rate;
  const double now = options.optimizer.learning_rate;
  if (now == before) {
    return std::min(saved.learning_rate_from, progress.windows);
  }
  observer.on_warning(fmt::format("learning_rate is {} from window {} on; it was {}", now,
                                  progress.windows + 1, before));
  return progress.windows;
}

/// Is told nothing that others are not told.
class SilentObserver final : public RunObserver {
 public:
  void on_start(const RunStart& /*start*/) override {}
  void on_row(const LogRow& /*row*/) override {}
  void on_warning(const std::string& /*warning*/) override {}
};

/// What a rank other than 0 does: it trains along, from what rank 0 says, and writes no file.
RunOutcome follow(Ranks& ranks, const std::string& data, const StopRequest& stop) {
  ranks.wait_for_rank_0();
  const RunConfig config = parse_config(ranks.broadcast(""), "what rank 0 says");
  const std::string bytes = ranks.broadcast("");
  RunOptions options = config.options;
  options.init.clear();  // the weights come from rank 0
  if (!data.empty()) {
    options.data = data;
  }
  const EngineChoice engine = options.engine;
  ReadyRun ready = {.prepared = prepare_run(std::move(options), {engine}, &ranks),
                    .trainee = {},
                    .directory = {},
                    .config = {},
                    .metrics = nullptr,
                    .ranks = &ranks};
  const PreparedRun& prepared = ready.prepared;
  if (prepared.digests.data != config.digests.data) {
    throw FileError(prepared.options.data, "is not the file that rank 0 reads");
  }
  if (bytes.empty()) {
    ready.trainee = make_trainee(prepared, initial_weights(ready.prepared),
                                 prepared.options.model.model, engine, &ranks);
  } else {
    const Checkpoint checkpoint = parse_checkpoint(bytes, "what rank 0 says");
    ready.trainee = resume_trainee(prepared, checkpoint, "what rank 0 says", &ranks);
    ready.start = {.progress = checkpoint.progress, .state = checkpoint.state.to(prepared.device)};
    ready.span = checkpoint.span;
  }
  ranks.meet();
  share_weights(ranks, *ready.trainee.model);
  SilentObserver observer;
  Session session(ready, observer);
  const int stop_reason = session.train(stop);
  return {.summary = {},
          .progress = session.result().progress,
          .run_directory = {},
          .stop_reason = stop_reason};
}

/// Runs this rank's part, until rank 0 has done its own, or tells the others why it failed.
template <class Body>
RunOutcome in_step(Ranks* ranks, const Body& body) {
  if (ranks == nullptr) {
    return body();
  }
  try {
    RunOutcome outcome = body();
    ranks->wait_for_rank_0();
    return outcome;
  } catch (const RankError&) {
    throw;  // the others know
  } catch (const std::exception& error) {
    ranks->fail(error.what());
    throw;
  }
}

/// What device `auto` is for several ranks: what all have.
void resolve_for(const Ranks* ranks, RunOptions& options) {
  if (ranks != nullptr && options.device == DeviceChoice::kAuto) {
    options.device = DeviceChoice::kCpu;
  }
}

/// Says what a user should know of the series that a run begins with.
void warn_of_data(const PreparedRun& prepared, RunObserver& observer) {
  const std::string& data = prepared.options.data;
  if (!prepared.class_gaps.empty()) {
    observer.on_warning(fmt::format("{}: {}", data, prepared.class_gaps));
  }
  const std::int64_t symbols = prepared.options.series.series_length;
  const WindowOptions& windows = prepared.options.windows;
  const std::int64_t unused = windows.unused_symbols(symbols);
  const double share = static_cast<double>(unused) / static_cast<double>(symbols);
  if (share > 0.01) {
    observer.on_warning(fmt::format(
        "{} of {} symbols ({:.1f} %) fill no window of {} x {} and are never trained on", unused,
        symbols, 100.0 * share, windows.batch_size, windows.num_steps));
  }
  if (!data.empty() && is_stream(data)) {
    observer.on_warning(fmt::format(
        "{}: is a pipe and cannot be read again, so this run cannot be resumed, except with --data "
        "FILE and the same series in that file",
        data));
  }
}

/// @throws FileError if the series comes through a pipe, which has nothing left or other bytes
void check_can_be_read_again(const std::string& data) {
  if (!data.empty() && is_stream(data)) {
    throw FileError(data,
                    "is a pipe and cannot be read again: resume with --data FILE and the same "
                    "series in that file");
  }
}

RunOutcome start_run(RunOptions requested, RunObserver& observer, const StopRequest& stop,
                     Ranks* ranks) {
  const auto begin = Clock::now();
  resolve_for(ranks, requested);
  const EngineChoice engine = requested.engine;
  PreparedRun prepared = prepare_run(std::move(requested), {engine}, ranks);
  Trainee trainee = make_trainee(prepared, initial_weights(prepared), prepared.options.model.model,
                                 engine, ranks);
  const std::string directory =
      make_run_directory(prepared.options.out, std::string(name_of(prepared.options.model.model)));
  const RunLock lock(directory);
  check_is_empty(directory);  // another process may have trained there before it was locked
  remove_temporaries(directory);
  warn_of_data(prepared, observer);
  return run_anew(std::move(prepared), directory, std::move(trainee), begin, observer, stop, ranks);
}

RunOutcome resume_run(const ResumeRequest& request, RunObserver& observer, const StopRequest& stop,
                      Ranks* ranks) {
  const auto begin = Clock::now();
  const std::string& directory = request.run_directory;
  const RunLock lock(directory);
  remove_temporaries(directory);
  const NewestCheckpoint newest = CheckpointFolder::newest(directory);
  for (const DamagedCheckpoint& damaged : newest.damaged) {
    observer.on_warning(damaged.problem);
  }
  if (!newest.found && !newest.damaged.empty()) {
    throw FileError(directory, "has no checkpoint that is whole");
  }
  if (!newest.found && !fs::exists(directory + "/config.json")) {
    throw FileError(directory,
                    "is no run, or had not begun when it was stopped; start it with --out");
  }
  const RunConfig saved = read_config(directory, newest.found, observer);
  check_can_be_read_again(request.given.contains("data") ? request.options.data
                                                         : saved.options.data);
  RunOptions options = merged(saved, request, count_of(ranks), observer);
  resolve_for(ranks, options);
  const EngineChoice engine = options.engine;
  PreparedRun prepared = prepare_run(std::move(options), {engine}, ranks);
  check_unchanged(prepared.options.data, prepared.digests.data, saved.digests.data);
  if (newest.found) {
    prepared.digests.init = saved.digests.init;
    prepared.learning_rate_from =
        learning_rate_from(saved, prepared.options, newest.found->checkpoint.progress, observer);
    return run_on(std::move(prepared), newest, directory, begin, observer, stop, ranks);
  }
  check_has_not_begun(directory);
  observer.on_warning(directory + ": has no checkpoint yet; the run begins anew");
  const Weights weights = initial_weights(prepared);
  check_unchanged(prepared.options.init, prepared.digests.init, saved.digests.init);
  fs::remove(directory + "/metrics.csv");
  Trainee trainee =
      make_trainee(prepared, weights, prepared.options.model.model, prepared.options.engine, ranks);
  return run_anew(std::move(prepared), directory, std::move(trainee), begin, observer, stop, ranks);
}

}  // namespace

RunOutcome run_training(RunOptions options, RunObserver& observer, const StopRequest& stop,
                        Ranks* ranks) {
  return in_step(ranks, [&] {
    return ranks == nullptr || ranks->rank() == 0
               ? start_run(std::move(options), observer, stop, ranks)
               : follow(*ranks, options.data, stop);
  });
}

RunOutcome resume_training(const ResumeRequest& request, RunObserver& observer,
                           const StopRequest& stop, Ranks* ranks) {
  return in_step(ranks, [&] {
    return ranks == nullptr || ranks->rank() == 0 ? resume_run(request, observer, stop, ranks)
                                                  : follow(*ranks, request.options.data, stop);
  });
}

}  // namespace unroll
