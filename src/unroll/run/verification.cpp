#include <unroll/run/verification.h>

#include <fmt/format.h>

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include <unroll/base/error.h>
#include <unroll/base/file.h>
#include <unroll/base/sha256.h>
#include <unroll/data/series_file.h>
#include <unroll/run/checkpoint_folder.h>
#include <unroll/run/config.h>
#include <unroll/run/digests.h>
#include <unroll/run/json.h>
#include <unroll/run/metrics.h>
#include <unroll/run/preparation.h>
#include <unroll/run/run_lock.h>
#include <unroll/run/weights_file.h>

namespace unroll {
namespace {

const std::set<std::string>& digested_files() {
  static const std::set<std::string> names = [] {
    std::set<std::string> all = {"config.json", "metrics.csv", "summary.json",
                                 "weights.safetensors"};
    all.insert(kReportFiles.begin(), kReportFiles.end());
    return all;
  }();
  return names;
}

bool is_known(const std::string& name) {
  return name == "SHA256SUMS" || name == "checkpoints" || digested_files().count(name) > 0;
}

/// Checks one run; a class because its files are checked against each other.
class Verification {
 public:
  explicit Verification(std::string directory) : directory_(std::move(directory)) {}

  std::vector<FileCheck> run() {
    const RunLock lock(directory_);  // of a run that trains, files come and go
    const std::set<std::string> names = names_in_directory();
    is_finished_ = names.count("summary.json") > 0;
    if (is_finished_ || names.count("SHA256SUMS") > 0) {
      check("SHA256SUMS", [this] {
        std::map<std::string, std::string> digests = read_digests(directory_);
        if (is_finished_) {
          digests_ = std::move(digests);
          return fmt::format("{} digests", digests_.size());
        }
        return std::string("of a run that has gone on since");
      });
    }
    check("config.json", [this] { return check_config(); });
    check_data();
    check("metrics.csv", [this] { return check_metrics(); });
    for (const std::string& path : CheckpointFolder::paths(directory_)) {
      check(path.substr(directory_.size() + 1), [&] { return check_checkpoint(path); });
    }
    if (is_finished_ || names.count("weights.safetensors") > 0) {
      check("weights.safetensors", [this] { return check_weights(); });
    }
    if (is_finished_) {
      check("summary.json", [this] { return check_summary(); });
      for (const std::string name : kReportFiles) {
        if (names.count(name) > 0 || digests_.count(name) > 0) {
          check(name, [] { return "there"; });
        }
      }
    }
    check_strangers(names);
    return std::move(checks_);
  }

 private:
  [[nodiscard]] std::string path_of(const std::string& name) const {
    return directory_ + "/" + name;
  }

  [[nodiscard]] std::set<std::string> names_in_directory() const {
    std::error_code error;
    std::set<std::string> names = list_folder(directory_, error);
    if (error) {
      throw FileError(directory_, "cannot be read as a run directory: " + error.message());
    }
    return names;
  }

  /// Notes what `look` finds out about a file, or what it throws.
  void note(const std::string& path, const std::function<std::string()>& look) {
    try {
      checks_.push_back({.file = path, .is_good = true, .finding = look()});
    } catch (const Error& error) {
      std::string finding = error.what();
      if (finding.starts_with(path + ": ")) {
        finding.erase(0, path.size() + 2);
      }
      checks_.push_back({.file = path, .is_good = false, .finding = finding});
    }
  }

  /// note() of one of the run's files, with its digest.
  void check(const std::string& name, const std::function<std::string()>& look) {
    const std::string path = path_of(name);
    note(path, [&] {
      std::string finding = look();
      const auto digest = digests_.find(name);
      if (digest != digests_.end()) {
        if (digest->second != sha256_of_file(path)) {
          throw FileError(path, "is damaged: its SHA-256 is not that of SHA256SUMS");
        }
        finding += ", SHA-256 as in SHA256SUMS";
      } else if (is_finished_ && digested_files().count(name) > 0) {
        throw FileError(path, "has no digest in SHA256SUMS");
      }
      return finding;
    });
  }

  std::string check_config() {
    const std::string path = path_of("config.json");
    config_ = parse_config(read_file(path), path);
    return "every option is there";
  }

  /// The user's own series, where it still lies at the place that the run knows.
  void check_data() {
    if (!config_ || config_->options.data.empty()) {
      return;
    }
    const std::string& path = config_->options.data;
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) {
      checks_.push_back({.file = path,
                         .is_good = true,
                         .finding = "the run's data, no file there now; not looked at"});
      return;
    }
    note(path, [&] {
      if (data_digest(path) != config_->digests.data) {
        throw FileError(path, "has changed since the run began");
      }
      if (is_series_file(path)) {
        SeriesFile(path).check_digest();
      }
      return std::string("the run's data, SHA-256 as in config.json");
    });
  }

  std::string check_metrics() {
    const std::string path = path_of("metrics.csv");
    const std::string text = read_file(path);
    const std::vector<MetricsRow> rows = parse_metrics(text, path);
    const std::int64_t end =
        rows.empty() ? static_cast<std::int64_t>(kMetricsHeader.size()) : rows.back().end;
    const bool has_rest = end != static_cast<std::int64_t>(text.size());
    if (has_rest && is_finished_) {
      throw FileError(path, "ends in the middle of a row");
    }
    rows_ = rows;
    return fmt::format("{} rows{}", rows.size(),
                       has_rest ? ", and a part of one that a resume cuts off" : "");
  }

  std::string check_checkpoint(const std::string& path) {
    const Checkpoint checkpoint = read_checkpoint(path);
    const TrainingProgress& progress = checkpoint.progress;
    const std::int64_t rows_end = progress.windows - progress.row_windows;
    if (rows_ && !find_row(*rows_, progress.windows_per_epoch, rows_end)) {
      throw FileError(path, fmt::format("was saved after a row of window {}, which metrics.csv has "
                                        "not",
                                        rows_end));
    }
    const auto contradiction =
        config_ ? find_contradiction(parse_config(checkpoint.config, path), *config_)
                : std::nullopt;
    if (contradiction) {
      throw FileError(path, fmt::format("has {} {}, config.json has {}", contradiction->option,
                                        contradiction->value, contradiction->other));
    }
    return fmt::format("epoch {}, window {}, SHA-256 right", progress.epoch, progress.window);
  }

  std::string check_weights() {
    const std::string path = path_of("weights.safetensors");
    const Weights weights =
        config_ ? load_weights(path, config_->options.model, to_torch(config_->options.dtype))
                : load_weights(path);
    return fmt::format("{} hidden units, {} classes, every number finite",
                       weights.input_weight.size(0), weights.input_weight.size(1));
  }

  std::string check_summary() {
    const std::string path = path_of("summary.json");
    const nlohmann::json summary = parse_json(read_file(path), path, "it");
    const nlohmann::json loss =
        summary.is_object() ? summary.value("final_loss", nlohmann::json()) : nlohmann::json();
    if (!loss.is_number()) {
      throw FileError(path, "has no final_loss");
    }
    if (rows_ && !rows_->empty() && rows_->back().mean_loss != loss.get<double>()) {
      throw FileError(path, fmt::format("has final_loss {}, the last row of metrics.csv has {}",
                                        loss.dump(), format_loss(rows_->back().mean_loss)));
    }
    return "agrees with metrics.csv";
  }

  void check_strangers(const std::set<std::string>& names) {
    for (const std::string& name : names) {
      if (!is_known(name)) {
        checks_.push_back(
            {.file = path_of(name), .is_good = true, .finding = "not Unroll's; not looked at"});
      }
    }
  }

  std::string directory_;
  bool is_finished_ = false;
  std::map<std::string, std::string> digests_;
  std::optional<RunConfig> config_;              // none if config.json is damaged
  std::optional<std::vector<MetricsRow>> rows_;  // none if metrics.csv is damaged
  std::vector<FileCheck> checks_;
};

}  // namespace

std::vector<FileCheck> verify_run(const std::string& run_directory) {
  return Verification(run_directory).run();
}

}  // namespace unroll
