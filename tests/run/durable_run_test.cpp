// A run that was stopped and went on is, to the last bit, the run that was never stopped.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <unroll/base/error.h>
#include <unroll/base/sha256.h>
#include <unroll/data/conversion.h>
#include <unroll/run/checkpoint_folder.h>
#include <unroll/run/metrics.h>
#include <unroll/run/run_lock.h>
#include <unroll/run/training_run.h>
#include <unroll/run/verification.h>
#include <unroll/run/weights_file.h>

#include "../support/reliability.h"
#include "../support/temp_dir.h"
#include "../support/tensors.h"

namespace unroll {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using testing::is_in_full;
using testing::read_bytes;
using testing::TempDir;
using testing::write_bytes;

class ProgressRecorder final : public RunObserver {
 public:
  void on_start(const RunStart& started) override { progress = started.progress; }
  void on_row(const LogRow& /*row*/) override {}
  void on_warning(const std::string& warning) override { warnings.push_back(warning); }

  TrainingProgress progress;
  std::vector<std::string> warnings;
};

/// What a run trains.
struct Kind {
  const char* name;
  ModelKind model;
  EngineChoice engine;
  OptimizerKind optimizer;
  Precision dtype;
};

constexpr Kind kKinds[] = {
    {"ManualFused", ModelKind::kManual, EngineChoice::kFused, OptimizerKind::kSgd,
     Precision::kFloat32},
    {"BuiltinFusedDouble", ModelKind::kBuiltin, EngineChoice::kFused, OptimizerKind::kSgd,
     Precision::kFloat64},
    {"ManualAutograd", ModelKind::kManual, EngineChoice::kAutograd, OptimizerKind::kSgd,
     Precision::kFloat32},
    {"BuiltinAutograd", ModelKind::kBuiltin, EngineChoice::kAutograd, OptimizerKind::kSgd,
     Precision::kFloat32},
    {"ManualAdam", ModelKind::kManual, EngineChoice::kAutograd, OptimizerKind::kAdam,
     Precision::kFloat32},
    {"BuiltinAdam", ModelKind::kBuiltin, EngineChoice::kAutograd, OptimizerKind::kAdam,
     Precision::kFloat64},
    {"ManualAdagrad", ModelKind::kManual, EngineChoice::kAutograd, OptimizerKind::kAdagrad,
     Precision::kFloat32},
};

/// 3 epochs of 20 windows, a row every 7, a checkpoint every 11: rows, checkpoints and epochs end
/// at different windows, but for the last.
constexpr std::int64_t kWindows = 60;

RunOptions options_of(const Kind& kind, const std::string& out) {
  RunOptions options;
  options.model.model = kind.model;
  options.series.series_length = 607;
  options.optimizer = {.optimizer = kind.optimizer,
                       .learning_rate = kind.optimizer == OptimizerKind::kSgd ? 0.2 : 0.02};
  options.trainer = {.epochs = 3, .log_every = 7};
  options.engine = kind.engine;
  options.device = DeviceChoice::kCpu;
  options.dtype = kind.dtype;
  options.seed = 5;
  options.checkpoint_every = 11;
  options.evaluation.eval_length = 500;
  options.out = out;
  return options;
}

/// Everything that a run leaves that must not depend on whether it was stopped: bytes by file, of
/// metrics.csv without the times, of summary.json without times and place.
std::map<std::string, std::string> remains(const std::string& run) {
  std::map<std::string, std::string> files;
  for (const std::string& path : CheckpointFolder::paths(run)) {
    files[path.substr(run.size())] = read_bytes(path);
  }
  files["weights"] = read_bytes(run + "/weights.safetensors");
  files["config"] = read_bytes(run + "/config.json");
  std::string metrics = read_bytes(run + "/metrics.csv");
  for (std::size_t end = metrics.find('\n'); end != std::string::npos;
       end = metrics.find('\n', end + 1)) {
    const std::size_t comma = metrics.rfind(',', end);
    metrics.erase(comma, end - comma);
    end = comma;
  }
  files["metrics"] = metrics;
  Json summary = Json::parse(read_bytes(run + "/summary.json"));
  for (const char* key :
       {"seconds", "data_seconds", "train_seconds", "microseconds_per_window", "run_directory"}) {
    summary.erase(key);
  }
  files["summary"] = summary.dump();
  return files;
}

/// The names of the files that differ.
std::set<std::string> differing(const std::map<std::string, std::string>& left,
                                const std::map<std::string, std::string>& right) {
  std::set<std::string> names;
  for (const auto& [one, other] : {std::pair(&left, &right), std::pair(&right, &left)}) {
    for (const auto& [name, bytes] : *one) {
      const auto found = other->find(name);
      if (found == other->end() || found->second != bytes) {
        names.insert(name);
      }
    }
  }
  return names;
}

/// Stops at the given question, from 1.
StopRequest at_question(std::int64_t question) {
  return [question](const TrainingProgress& /*progress*/) mutable { return --question == 0; };
}

/// Stops at the first question after so many windows.
StopRequest after_windows(std::int64_t windows) {
  return [windows](const TrainingProgress& progress) { return progress.windows >= windows; };
}

/// Whether a run is asked after this window on every machine: there a row, an epoch or the span
/// between two checkpoints ends. How often it is asked in between depends on the machine's speed.
bool is_always_asked_after(std::int64_t window) { return window % 20 % 7 == 0 || window % 11 == 0; }

/// A window after `place` at which a run that starts there can be stopped on every machine: the
/// first one, or one of the next three where something ends.
std::int64_t random_stop(std::int64_t place, std::mt19937& random) {
  std::int64_t window = place + 1;
  for (std::uint32_t ends = random() % 4; ends > 0 && window < kWindows; --ends) {
    do {
      ++window;
    } while (!is_always_asked_after(window));
  }
  return window;
}

class DurableRun : public ::testing::TestWithParam<Kind> {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const { return folder / name; }

  /// A run that is never stopped.
  std::map<std::string, std::string> whole() {
    run_training(options_of(GetParam(), path("whole")), recorder);
    return remains(path("whole"));
  }

  /// Goes on with a run, to its end unless it is stopped.
  RunOutcome resume(const std::string& name, const StopRequest& stop = never_stop) {
    return resume_training({.run_directory = path(name), .options = {}, .given = {}}, recorder,
                           stop);
  }

  /// A run that was stopped after so many windows. A run is asked after its first window, so it
  /// goes there by as many stops.
  void stop_after(std::int64_t windows, const std::string& name) {
    RunOutcome outcome = run_training(options_of(GetParam(), path(name)), recorder, at_question(1));
    while (outcome.progress.windows < windows) {
      outcome = resume(name, at_question(1));
    }
    ASSERT_EQ(outcome.progress.windows, windows);
  }

  TempDir folder;
  ProgressRecorder recorder;
};

INSTANTIATE_TEST_SUITE_P(Kinds, DurableRun, ::testing::ValuesIn(kKinds),
                         [](const auto& kind) { return kind.param.name; });

// Where it stops is random, and so is where it stops again, but the same on every machine.
TEST_P(DurableRun, IsTheRunThatWasNeverStoppedWhereverItStops) {
  const auto expected = whole();
  std::mt19937 random(1);
  const int enough = is_in_full() ? 29 : 12;  // of seven kinds: 203 stops in full
  int stops = 0;
  std::set<std::int64_t> places;
  for (int round = 0; stops < enough; ++round) {
    const std::string name = "run" + std::to_string(round);
    std::int64_t place = random_stop(0, random);
    RunOutcome outcome =
        run_training(options_of(GetParam(), path(name)), recorder, after_windows(place));
    for (; !outcome.summary; ++stops) {
      ASSERT_EQ(outcome.progress.windows, place);
      places.insert(place);
      for (const FileCheck& check : verify_run(path(name))) {
        EXPECT_TRUE(check.is_good) << check.file << ": " << check.finding;
      }
      const std::int64_t next = random_stop(place, random);
      outcome = resume(name, after_windows(next));
      EXPECT_EQ(recorder.progress.windows, place);
      place = next;
    }
    ASSERT_EQ(differing(remains(path(name)), expected), std::set<std::string>()) << name;
    fs::remove_all(path(name));
  }
  EXPECT_TRUE(recorder.warnings.empty());
  const auto has = [&](const auto& is_such) {
    return std::any_of(places.begin(), places.end(), is_such);
  };
  EXPECT_TRUE(has([](std::int64_t place) { return place % 20 == 0; }))
      << "no stop at an epoch's end";
  EXPECT_TRUE(has([](std::int64_t place) { return place % 20 % 7 != 0 && place % 11 != 0; }))
      << "no stop in the middle of a row";
  EXPECT_TRUE(has([](std::int64_t place) { return place % 11 == 0; })) << "no stop at a checkpoint";
}

/// What a checkpoint can lack.
struct Mutant {
  std::string name;
  std::function<void(Checkpoint&)> lose;
};

std::vector<Mutant> mutants(const Checkpoint& checkpoint) {
  std::vector<Mutant> all = {
      {"no hidden state", [](Checkpoint& c) { c.state.zero_(); }},
      {"no input weight", [](Checkpoint& c) { c.weights.input_weight.zero_(); }},
      {"no recurrent weight", [](Checkpoint& c) { c.weights.recurrent_weight.zero_(); }},
      {"no bias", [](Checkpoint& c) { c.weights.bias.zero_(); }},
      {"no readout weight", [](Checkpoint& c) { c.weights.readout_weight.zero_(); }},
      {"no readout bias", [](Checkpoint& c) { c.weights.readout_bias.zero_(); }},
      {"the window before",
       [](Checkpoint& c) {
         --c.progress.window;
         --c.progress.windows;
         --c.progress.row_windows;
       }},
      {"the epoch before",
       [](Checkpoint& c) {
         --c.progress.epoch;
         c.progress.windows -= c.progress.windows_per_epoch;
       }},
      {"no windows of the row", [](Checkpoint& c) { c.progress.row_windows = 0; }},
      {"no sum of the row", [](Checkpoint& c) { c.progress.row_sum = 0.0; }},
      {"no sum of the epoch", [](Checkpoint& c) { c.progress.epoch_sum = 0.0; }},
      {"no last row's loss", [](Checkpoint& c) { c.progress.final_loss = 0.0; }},
      {"no epoch's loss", [](Checkpoint& c) { c.progress.last_epoch_loss = 0.0; }},
      {"no windows of the span", [](Checkpoint& c) { c.span.windows = 0; }},
      {"no sum of the span", [](Checkpoint& c) { c.span.sum = 0.0; }},
      {"no best loss", [](Checkpoint& c) { c.span.best_mean_loss = 0.0; }},
      {"another epoch's length", [](Checkpoint& c) { ++c.progress.windows_per_epoch; }},
      {"no config", [](Checkpoint& c) { c.config.clear(); }},
  };
  for (const auto& [name, tensor] : checkpoint.optimizer) {
    all.push_back({"no " + name, [name = name](Checkpoint& c) { c.optimizer.at(name).zero_(); }});
  }
  return all;
}

// What is in a checkpoint is there for a reason: a run that goes on without any one piece of it
// ends otherwise, and the test above would see it.
TEST_P(DurableRun, NeedsEveryPieceOfACheckpoint) {
  const auto expected = whole();
  // In the middle of a row and of an epoch, and a checkpoint comes before the row ends.
  constexpr std::int64_t kPlace = 29;
  stop_after(kPlace, "stopped");
  const std::string last = path("stopped/checkpoints/last.safetensors");
  for (const Mutant& mutant : mutants(read_checkpoint(last))) {
    SCOPED_TRACE(mutant.name);
    fs::remove_all(path("mutant"));
    fs::copy(path("stopped"), path("mutant"), fs::copy_options::recursive);
    Checkpoint checkpoint = read_checkpoint(last);
    mutant.lose(checkpoint);
    CheckpointFolder(path("mutant")).save_last(checkpoint);
    bool is_caught = false;
    try {
      // What was saved before is gone, so that the mutant is what the run goes on from.
      for (const std::string& older : CheckpointFolder::paths(path("mutant"))) {
        if (!older.ends_with(CheckpointFolder::kLast)) {
          fs::remove(older);
        }
      }
      resume("mutant");
      is_caught = !differing(remains(path("mutant")), expected).empty();
    } catch (const Error&) {
      is_caught = true;
    }
    EXPECT_TRUE(is_caught);
  }
  resume("stopped");
  EXPECT_EQ(differing(remains(path("stopped")), expected), std::set<std::string>());
}

class DurableRunFiles : public DurableRun {
 protected:
  /// Flips a bit in the middle of a run's file.
  void damage(const std::string& name) const {
    std::string bytes = read_bytes(path(name));
    bytes[bytes.size() / 2] ^= 1;
    write_bytes(path(name), bytes);
  }

  /// The files of a run of which --verify says that they are not good.
  [[nodiscard]] std::set<std::string> bad_files(const std::string& run) const {
    std::set<std::string> names;
    for (const FileCheck& check : verify_run(path(run))) {
      if (!check.is_good) {
        names.insert(fs::path(check.file).filename());
      }
    }
    return names;
  }

  /// Every byte of a folder.
  [[nodiscard]] std::map<std::string, std::string> bytes_in(const std::string& name) const {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(path(name))) {
      if (entry.is_regular_file()) {
        files[entry.path()] = read_bytes(entry.path());
      }
    }
    return files;
  }

  /// Expects that the run does not go on, and that no byte of it changes.
  void expect_refused(const std::string& run, const std::string& why) {
    const auto before = bytes_in(run);
    try {
      resume(run);
      ADD_FAILURE() << "it goes on";
    } catch (const FileError& error) {
      EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
    }
    EXPECT_EQ(differing(bytes_in(run), before), std::set<std::string>());
  }
};

/// A checkpoint's bytes, which are then as it would have written them, with a text in its header
/// replaced by one of the same length.
std::string with_header(std::string bytes, const std::string& text, const std::string& other) {
  bytes.replace(bytes.find(text), text.size(), other);
  Sha256 sha256;
  sha256.add(std::string_view(bytes).substr(0, bytes.size() - Sha256::kBytes));
  const Sha256::Digest digest = sha256.finish();
  bytes.replace(bytes.size() - Sha256::kBytes, Sha256::kBytes, digest.data(), digest.size());
  return bytes;
}

INSTANTIATE_TEST_SUITE_P(Kind, DurableRunFiles, ::testing::Values(kKinds[5]),
                         [](const auto& kind) { return kind.param.name; });

TEST_P(DurableRunFiles, EveryFlippedBitAndEveryTruncationOfACheckpointIsDetected) {
  stop_after(9, "run");
  const std::string file = path("run/checkpoints/last.safetensors");
  const std::string good = read_bytes(file);
  const std::string damaged = path("damaged.safetensors");
  const auto expect_detected = [&](const std::string& bytes, const std::string& what) {
    write_bytes(damaged, bytes);
    EXPECT_THROW(read_checkpoint(damaged), FileError) << what;
  };
  EXPECT_NO_THROW(read_checkpoint(file));
  const unsigned bits = is_in_full() ? 8 : 1;
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (unsigned bit = 0; bit < bits; ++bit) {
      std::string bytes = good;
      bytes[i] = static_cast<char>(static_cast<unsigned char>(bytes[i]) ^
                                   (1U << (is_in_full() ? bit : i % 8U)));
      expect_detected(bytes, "byte " + std::to_string(i));
    }
    expect_detected(good.substr(0, i), "length " + std::to_string(i));
  }
  expect_detected(good + '\0', "one byte more");
}

// One epoch, in which a row of metrics.csv is what lies between two checkpoints.
TEST_P(DurableRunFiles, KeepsTheLastThreeCheckpointsTheBestAndTheEnd) {
  RunOptions options = options_of(GetParam(), path("run"));
  options.series.series_length = 30 * kWindows;
  options.trainer = {.epochs = 1, .log_every = options.checkpoint_every};
  run_training(options, recorder);
  const std::string folder_of_checkpoints = path("run/checkpoints");
  EXPECT_EQ(testing::names_in(folder_of_checkpoints),
            (std::set<std::string>{
                "best.safetensors", "last.safetensors", "window-000000000033.safetensors",
                "window-000000000044.safetensors", "window-000000000055.safetensors"}));
  EXPECT_EQ(read_checkpoint(folder_of_checkpoints + "/last.safetensors").progress.windows,
            kWindows);
  std::vector<MetricsRow> rows = parse_metrics(read_bytes(path("run/metrics.csv")), "metrics.csv");
  rows.pop_back();  // of five windows: no checkpoint follows it
  const auto best = std::min_element(rows.begin(), rows.end(),
                                     [](const MetricsRow& left, const MetricsRow& right) {
                                       return left.mean_loss < right.mean_loss;
                                     });
  EXPECT_EQ(read_checkpoint(folder_of_checkpoints + "/best.safetensors").progress.windows,
            best->window);
}

TEST_P(DurableRunFiles, ACheckpointServesAsAWeightsFileIfItIsWhole) {
  whole();
  const std::string last = path("whole/checkpoints/last.safetensors");
  EXPECT_TRUE(testing::same(load_weights(last), load_weights(path("whole/weights.safetensors"))));
  std::string bytes = read_bytes(last);
  bytes[bytes.size() - 40] = static_cast<char>(bytes[bytes.size() - 40] ^ 1);
  write_bytes(last, bytes);
  EXPECT_THROW(load_weights(last), FileError);
}

TEST_P(DurableRunFiles, GoesOnFromAnOlderCheckpointWhereTheNewerAreDamaged) {
  const auto expected = whole();
  stop_after(35, "run");
  for (const char* name : {"last", "window-000000000033"}) {
    const std::string file = path("run/checkpoints/") + name + ".safetensors";
    std::string bytes = read_bytes(file);
    bytes[bytes.size() / 2] ^= 1;
    write_bytes(file, bytes);
  }
  resume("run");
  ASSERT_EQ(recorder.warnings.size(), 2U);
  EXPECT_NE(recorder.warnings[0].find("last.safetensors: is damaged"), std::string::npos);
  EXPECT_NE(recorder.warnings[1].find("window-000000000033.safetensors: is damaged"),
            std::string::npos);
  EXPECT_EQ(differing(remains(path("run")), expected), std::set<std::string>());
}

TEST_P(DurableRunFiles, RefusesARunAllOfWhoseCheckpointsAreDamaged) {
  stop_after(3, "run");
  write_bytes(path("run/checkpoints/last.safetensors"), "nothing");
  EXPECT_THROW(resume("run"), FileError);
  EXPECT_EQ(read_bytes(path("run/checkpoints/last.safetensors")), "nothing");
}

TEST_P(DurableRunFiles, BeginsAnewWhereThereIsNoCheckpointYet) {
  const auto expected = whole();
  stop_after(3, "run");
  fs::remove_all(path("run/checkpoints"));
  write_bytes(path("run/config.json.123.tmp"), "left behind");
  resume("run");
  EXPECT_EQ(differing(remains(path("run")), expected), std::set<std::string>());
  EXPECT_FALSE(fs::exists(path("run/config.json.123.tmp")));
}

TEST_P(DurableRunFiles, DoesNotBeginAnewWhereCheckpointsAreLost) {
  whole();
  stop_after(29, "run");
  fs::rename(path("run/checkpoints"), path("elsewhere"));
  fs::remove_all(path("whole/checkpoints"));
  expect_refused("run", "has no checkpoint to go on from, but has trained");
  expect_refused("whole", "has no checkpoint to go on from, but has trained");
  fs::create_directory_symlink(path("nowhere"), path("run/checkpoints"));  // a disk not mounted
  expect_refused("run", "checkpoints: cannot be read: No such file");
}

TEST_P(DurableRunFiles, DoesNotGoOnWhereNothingHasBegun) {
  fs::create_directory(path("run"));
  write_bytes(path("run/mine"), "kept");
  expect_refused("run", "is no run, or had not begun");
}

TEST_P(DurableRunFiles, GoesOnFromTheBestWhereAllOthersAreDamaged) {
  const auto expected = whole();
  stop_after(29, "run");
  for (const std::string& file : CheckpointFolder::paths(path("run"))) {
    if (!file.ends_with(CheckpointFolder::kBest)) {
      damage(fs::relative(file, path("")));
    }
  }
  EXPECT_EQ(bad_files("run").size(), 3U);
  resume("run");
  EXPECT_EQ(recorder.warnings.size(), 3U);
  EXPECT_EQ(differing(remains(path("run")), expected), std::set<std::string>());
}

// A run that was killed when its best checkpoint had been saved, and the regular one of that window
// had not: it goes on from an older one, and may be killed again before it comes there.
TEST_P(DurableRunFiles, TheBestOfAWindowToComeIsSavedAgain) {
  const auto expected = whole();
  stop_after(29, "run");
  stop_after(50, "later");
  const std::string best = path("run/checkpoints/best.safetensors");
  fs::copy_file(path("later/checkpoints/window-000000000044.safetensors"), best,
                fs::copy_options::overwrite_existing);
  EXPECT_EQ(bad_files("run"), std::set<std::string>{"best.safetensors"});
  resume("run", at_question(1));
  EXPECT_EQ(bad_files("run"), std::set<std::string>());
  EXPECT_FALSE(fs::exists(best));
  resume("run");
  EXPECT_EQ(differing(remains(path("run")), expected), std::set<std::string>());
}

TEST_P(DurableRunFiles, ACheckpointThatCannotBeJudgedIsKept) {
  stop_after(29, "run");
  const std::string newest = path("run/checkpoints/last.safetensors");
  const std::string good = read_bytes(newest);
  write_bytes(newest,
              with_header(good, R"("unroll.checkpoint":"1")", R"("unroll.checkpoint":"2")"));
  expect_refused("run", "last.safetensors: is a checkpoint of version 2");
  fs::remove(newest);
  fs::create_directory(newest);
  expect_refused("run", "last.safetensors: ");
}

TEST_P(DurableRunFiles, DamagedCheckpointsAreGoneAfterwards) {
  stop_after(50, "run");
  damage("run/checkpoints/window-000000000022.safetensors");
  damage("run/checkpoints/best.safetensors");
  resume("run");
  EXPECT_EQ(recorder.warnings.size(), 2U);
  EXPECT_EQ(bad_files("run"), std::set<std::string>());
}

TEST_P(DurableRunFiles, TheLossOfTheBestSoFarShows) {
  RunOptions options = options_of(GetParam(), path("whole"));
  options.checkpoint_every = 3;
  options.optimizer = {.optimizer = OptimizerKind::kSgd, .learning_rate = 1e-6};  // no progress
  run_training(options, recorder);
  const std::string best = path("whole/checkpoints/best.safetensors");
  const std::int64_t best_windows = read_checkpoint(best).progress.windows;
  ASSERT_LT(best_windows, kWindows - 3) << "the last span is the best: nothing could show";

  options.out = path("run");
  RunOutcome outcome = run_training(options, recorder, at_question(1));
  while (outcome.progress.windows <= best_windows) {
    outcome = resume("run", at_question(1));
  }
  const std::string last = path("run/checkpoints/last.safetensors");
  if (!fs::exists(last)) {
    resume("run", at_question(1));
  }
  Checkpoint checkpoint = read_checkpoint(last);
  checkpoint.span.best_mean_loss.reset();
  CheckpointFolder(path("run")).save_last(checkpoint);
  resume("run");
  EXPECT_NE(read_bytes(path("run/checkpoints/best.safetensors")), read_bytes(best));
}

TEST_P(DurableRunFiles, HowOftenItSavesDoesNotChangeTheRun) {
  const auto expected = whole();
  for (const std::int64_t every : {std::int64_t{1}, std::int64_t{1'000'000'000}}) {
    RunOptions options = options_of(GetParam(), path("run") + std::to_string(every));
    options.checkpoint_every = every;
    run_training(options, recorder);
    const auto found = remains(options.out);
    for (const char* file : {"weights", "metrics", "summary"}) {
      EXPECT_EQ(found.at(file), expected.at(file)) << file << ", saved every " << every;
    }
  }
}

TEST_P(DurableRunFiles, WarnsWhereBitsMayDiffer) {
  Kind kind = GetParam();
  kind.optimizer = OptimizerKind::kSgd;
  run_training(options_of(kind, path("run")), recorder, at_question(1));
  RunOptions asked;
  asked.engine = EngineChoice::kFused;
  resume_training({.run_directory = path("run"), .options = asked, .given = {"engine"}}, recorder,
                  at_question(1));
  ASSERT_EQ(recorder.warnings.size(), 1U);
  EXPECT_TRUE(recorder.warnings[0].starts_with("engine is fused now and was autograd: bits may"))
      << recorder.warnings[0];
  std::string config = read_bytes(path("run/config.json"));
  config.replace(config.find(R"("libtorch": ")") + 13, 1, "1");
  write_bytes(path("run/config.json"), config);
  resume("run");
  ASSERT_EQ(recorder.warnings.size(), 2U);
  EXPECT_NE(recorder.warnings[1].find("bits may differ"), std::string::npos);
}

TEST_P(DurableRunFiles, TheDataMayHaveMovedButNotChanged) {
  const std::string csv = testing::csv_of(*testing::scrambled_series(700, 3));
  write_bytes(path("data.csv"), csv);
  RunOptions options = options_of(GetParam(), path("run"));
  options.data = path("data.csv");
  RunOutcome outcome = run_training(options, recorder, at_question(1));
  while (outcome.progress.windows < 25) {  // two checkpoints know the place where the data are now
    outcome = resume("run", at_question(1));
  }
  std::string config = read_bytes(path("run/config.json"));
  const std::string good_config = config;
  const std::size_t digest = config.find(R"("data_sha256": ")") + 16;
  config[digest] = config[digest] == '0' ? '1' : '0';
  write_bytes(path("run/config.json"), config);
  EXPECT_EQ(
      bad_files("run"),
      (std::set<std::string>{"best.safetensors", "data.csv", "last.safetensors",
                             "window-000000000011.safetensors", "window-000000000022.safetensors"}))
      << "of other data";
  write_bytes(path("run/config.json"), good_config);
  write_bytes(path("data.csv"), csv + "0,0\n");
  EXPECT_EQ(bad_files("run"), std::set<std::string>{"data.csv"}) << "now other data";
  write_bytes(path("data.csv"), csv);
  fs::rename(path("data.csv"), path("moved.csv"));
  EXPECT_THROW(resume("run"), FileError);
  RunOptions asked;
  const auto resume_with = [&](const std::string& name) {
    asked.data = path(name);
    resume_training({.run_directory = path("run"), .options = asked, .given = {"data"}}, recorder,
                    at_question(1));
  };
  write_bytes(path("other.csv"), csv + "0,0\n");
  EXPECT_THROW(resume_with("other.csv"), InvalidOption);
  EXPECT_NO_THROW(resume_with("moved.csv"));
  EXPECT_EQ(bad_files("run"), std::set<std::string>()) << "older checkpoints are of the same data";
  fs::remove(path("run/checkpoints/last.safetensors"));  // what is newest now knows the old place
  EXPECT_NO_THROW(resume("run"));
  EXPECT_TRUE(recorder.warnings.empty()) << recorder.warnings.front();
}

TEST_P(DurableRunFiles, BeginsAnewBehindAHeaderThatIsNotWhole) {
  const auto expected = whole();
  const std::string header(kMetricsHeader);
  std::vector<std::string> left = {std::string(300, '\0'),
                                   std::string(200, '\0') + ",0.5,0.25\n1,20,0.5,0.25\n"};
  for (std::size_t size = 0; size <= header.size(); size += 7) {
    left.push_back(header.substr(0, size));
  }
  for (const std::string& text : left) {
    fs::remove_all(path("run"));
    fs::create_directory(path("run"));
    fs::copy(path("whole/config.json"), path("run/config.json"));
    write_bytes(path("run/metrics.csv"), text);
    EXPECT_NO_THROW(resume("run")) << text;
    EXPECT_EQ(differing(remains(path("run")), expected), std::set<std::string>()) << text;
  }
}

TEST_P(DurableRunFiles, OnASeriesFileIsThatOnItsCsvFile) {
  write_bytes(path("data.csv"), testing::csv_of(*testing::scrambled_series(700, 3)));
  const auto go_on = [](std::int64_t /*bytes*/) { return true; };
  const Conversion made = *convert_csv(path("data.csv"), path("data.bin"), go_on);
  RunOptions options = options_of(GetParam(), path("csv"));
  options.data = path("data.csv");
  run_training(options, recorder);
  options.out = path("run");
  options.data = path("data.bin");
  RunOutcome outcome = run_training(options, recorder, at_question(3));
  while (!outcome.summary) {
    ASSERT_EQ(bad_files("run"), std::set<std::string>());
    outcome = resume("run", at_question(3));
  }
  const auto expected = remains(path("csv"));
  const auto actual = remains(path("run"));
  for (const char* name : {"metrics", "weights", "summary"}) {
    EXPECT_EQ(actual.at(name), expected.at(name)) << name;
  }
  EXPECT_EQ(Json::parse(actual.at("config"))["data_sha256"], made.sha256);
}

TEST_P(DurableRunFiles, ASeriesFileMayHaveMovedButNotChanged) {
  write_bytes(path("data.csv"), testing::csv_of(*testing::scrambled_series(700, 3)));
  const auto go_on = [](std::int64_t /*bytes*/) { return true; };
  convert_csv(path("data.csv"), path("data.bin"), go_on);
  RunOptions options = options_of(GetParam(), path("run"));
  options.data = path("data.bin");
  run_training(options, recorder, at_question(1));
  const std::string good = read_bytes(path("data.bin"));
  std::string bad = good;
  bad.back() = bad.back() == '\0' ? '\1' : '\0';
  write_bytes(path("data.bin"), bad);
  EXPECT_EQ(bad_files("run"), std::set<std::string>{"data.bin"}) << "a symbol has changed";
  bad[40] ^= 1;
  write_bytes(path("data.bin"), bad);
  EXPECT_EQ(bad_files("run"), std::set<std::string>{"data.bin"}) << "the digest has changed";
  EXPECT_THROW(resume("run"), FileError);
  fs::remove(path("data.bin"));
  EXPECT_EQ(bad_files("run"), std::set<std::string>()) << "data that moved are no damage";

  write_bytes(path("moved.bin"), good);
  RunOptions asked;
  const auto resume_with = [&](const std::string& name) {
    asked.data = path(name);
    return resume_training({.run_directory = path("run"), .options = asked, .given = {"data"}},
                           recorder, never_stop);
  };
  EXPECT_THROW(resume_with("data.csv"), InvalidOption) << "its digest is another";
  EXPECT_TRUE(resume_with("moved.bin").summary.has_value());
}

TEST_P(DurableRunFiles, RefusesACheckpointWithAnotherOptimizersState) {
  stop_after(9, "run");
  const std::string last = path("run/checkpoints/last.safetensors");
  Checkpoint checkpoint = read_checkpoint(last);
  checkpoint.optimizer.erase(checkpoint.optimizer.begin());
  CheckpointFolder(path("run")).save_last(checkpoint);
  expect_refused("run", "last.safetensors: the optimizer's state has no ");
}

TEST_P(DurableRunFiles, VerificationHoldsFilesAgainstEachOther) {
  stop_after(29, "run");
  const std::string metrics = read_bytes(path("run/metrics.csv"));
  write_bytes(path("run/metrics.csv"), kMetricsHeader);
  EXPECT_EQ(bad_files("run").size(), 4U) << "no checkpoint goes on from there";
  write_bytes(path("run/metrics.csv"), metrics);
  const std::string config = read_bytes(path("run/config.json"));
  std::string other = config;
  const std::string rate = R"("learning_rate": )";
  other.insert(other.find(rate) + rate.size(), "1");
  write_bytes(path("run/config.json"), other);
  EXPECT_EQ(bad_files("run").size(), 4U) << "every checkpoint has another learning rate";
  write_bytes(path("run/config.json"), config);
  write_bytes(path("run/weights.safetensors"), "nothing");
  EXPECT_EQ(bad_files("run"), std::set<std::string>{"weights.safetensors"});
  const RunLock lock(path("run"));
  EXPECT_THROW(verify_run(path("run")), FileError);
}

TEST_P(DurableRunFiles, RunsOnWhenItIsGivenMoreEpochs) {
  RunOptions longer = options_of(GetParam(), path("longer"));
  longer.trainer.epochs = 5;
  run_training(longer, recorder);
  whole();
  RunOptions asked;
  asked.trainer.epochs = 5;
  resume_training({.run_directory = path("whole"), .options = asked, .given = {"epochs"}},
                  recorder);
  EXPECT_EQ(differing(remains(path("whole")), remains(path("longer"))), std::set<std::string>());
}

TEST_P(DurableRunFiles, AFinishedRunThatIsResumedStaysAsItIs) {
  const auto expected = whole();
  const RunOutcome outcome = resume("whole");
  EXPECT_TRUE(outcome.summary.has_value());
  EXPECT_EQ(differing(remains(path("whole")), expected), std::set<std::string>());
}

TEST_P(DurableRunFiles, RefusesOptionsThatContradictTheRun) {
  stop_after(3, "run");
  RunOptions asked;
  asked.model.hidden_size = 9;
  const auto resume_asking = [&](const char* option) {
    resume_training({.run_directory = path("run"), .options = asked, .given = {option}}, recorder,
                    at_question(1));
  };
  try {
    resume_asking("hidden_size");
    FAIL() << "it was taken";
  } catch (const InvalidOption& error) {
    EXPECT_EQ(error.option(), "hidden_size");
    EXPECT_NE(error.problem().find("got 9"), std::string::npos) << error.problem();
    EXPECT_NE(error.problem().find("has 4"), std::string::npos) << error.problem();
  }
  asked.model.hidden_size = 4;
  EXPECT_NO_THROW(resume_asking("hidden_size"));
  asked.trainer.epochs = 0;
  EXPECT_THROW(resume_asking("epochs"), InvalidOption);
  asked.trainer.log_every = 3;
  EXPECT_NO_THROW(resume_asking("log_every"));
  EXPECT_TRUE(recorder.warnings.empty());
}

TEST_P(DurableRunFiles, OneProcessARunDirectory) {
  stop_after(3, "run");
  {
    const RunLock lock(path("run"));
    EXPECT_THROW(resume("run"), FileError);
  }
  EXPECT_NO_THROW(resume("run"));
  EXPECT_THROW(RunLock(path("nothing")), FileError);
}

TEST_P(DurableRunFiles, RefusesMetricsWithoutTheRowBeforeTheCheckpoint) {
  stop_after(9, "run");
  write_bytes(path("run/metrics.csv"), "epoch,window,mean_loss,train_seconds\n");
  const std::string checkpoint = read_bytes(path("run/checkpoints/last.safetensors"));
  EXPECT_THROW(resume("run"), FileError);
  EXPECT_EQ(read_bytes(path("run/checkpoints/last.safetensors")), checkpoint);
}

TEST_P(DurableRunFiles, GoesByTheCheckpointsConfigWhereTheFileIsDamaged) {
  const auto expected = whole();
  stop_after(9, "run");
  write_bytes(path("run/config.json"), "{");
  resume("run");
  EXPECT_EQ(recorder.warnings.size(), 1U);
  EXPECT_EQ(differing(remains(path("run")), expected), std::set<std::string>());
}

// A number that is not finite never gets into a checkpoint, and the last good one stays.
TEST_P(DurableRunFiles, DivergenceLeavesTheLastGoodCheckpoint) {
  RunOptions options = options_of(GetParam(), path("run"));
  options.dtype = Precision::kFloat32;
  options.optimizer = {.optimizer = OptimizerKind::kSgd, .learning_rate = 3e38};
  EXPECT_THROW(run_training(options, recorder), DivergenceError);

  stop_after(29, "later");  // with weights that are finite, and whose next loss is not
  Checkpoint large = read_checkpoint(path("later/checkpoints/last.safetensors"));
  large.weights.readout_weight.fill_(1e308);
  large.weights.readout_weight[0].fill_(-1e308);
  CheckpointFolder(path("later")).save_last(large);
  const auto checkpoints = bytes_in("later/checkpoints");
  ASSERT_EQ(checkpoints.size(), 4U);
  EXPECT_THROW(resume("later"), DivergenceError);
  EXPECT_EQ(differing(bytes_in("later/checkpoints"), checkpoints), std::set<std::string>());

  stop_after(3, "other");
  Checkpoint checkpoint = read_checkpoint(path("other/checkpoints/last.safetensors"));
  const std::string before = read_bytes(path("other/checkpoints/last.safetensors"));
  checkpoint.state[0][0] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(CheckpointFolder(path("other")).save_last(checkpoint), DivergenceError);
  EXPECT_EQ(read_bytes(path("other/checkpoints/last.safetensors")), before);
  EXPECT_EQ(testing::names_in(path("other/checkpoints")),
            std::set<std::string>{"last.safetensors"});
}

TEST_P(DurableRunFiles, VerificationFindsAFlippedBitInAnyFile) {
  whole();
  std::vector<std::string> files = CheckpointFolder::paths(path("whole"));
  for (const char* name :
       {"config.json", "metrics.csv", "summary.json", "weights.safetensors", "SHA256SUMS"}) {
    files.push_back(path("whole/") + name);
  }
  const auto damaged = [&] {
    std::set<std::string> names;
    for (const FileCheck& check : verify_run(path("whole"))) {
      if (!check.is_good) {
        names.insert(check.file);
      }
    }
    return names;
  };
  EXPECT_EQ(damaged(), std::set<std::string>());
  for (const std::string& file : files) {
    const std::string good = read_bytes(file);
    for (std::size_t i = 0; i < good.size(); i += is_in_full() ? 1U : 211U) {
      std::string bytes = good;
      bytes[i] ^= 4;
      write_bytes(file, bytes);
      ASSERT_FALSE(damaged().empty()) << file << " byte " << i;
    }
    write_bytes(file, good);
  }
}

}  // namespace
}  // namespace unroll
