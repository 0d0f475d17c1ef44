#include <unroll/run/sweep_options.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <thread>

#include <unroll/base/check.h>
#include <unroll/base/error.h>
#include <unroll/base/quote.h>
#include <unroll/base/sha256.h>
#include <unroll/run/config.h>
#include <unroll/run/json.h>

namespace unroll {
namespace {

constexpr std::int64_t kSeriesLength = 300'000;

/// What a sweep.json has of a run's config beside the grid.
constexpr std::array kShared = {"model",      "engine",    "epochs", "series_length",
                                "batch_size", "optimizer", "dtype",  "eval_length"};

/// What the config of a run with these options says.
Json run_config(const RunOptions& options, EngineChoice engine) {
  return Json::parse(
      config_json(options, {.engine = engine, .device = {}}, LaggedProcess::tutorial()));
}

/// The list under this name, each element of which `is_good`.
template <class Number, class Predicate>
std::vector<Number> read_list(const nlohmann::json& json, const char* key, const std::string& name,
                              const Predicate& is_good) {
  const nlohmann::json value = json.value(key, nlohmann::json());
  if (!value.is_array() || !std::all_of(value.begin(), value.end(), is_good)) {
    throw FileError(name, fmt::format("{} must be a list of numbers", key));
  }
  return value.get<std::vector<Number>>();
}

bool is_count(const nlohmann::json& value) {
  return value.is_number_unsigned() && value.get<std::uint64_t>() <= std::uint64_t{INT64_MAX};
}

bool is_number(const nlohmann::json& value) { return value.is_number(); }

SweepGrid read_grid(const nlohmann::json& json, const std::string& name) {
  const nlohmann::json seeds = json.value("seeds", nlohmann::json());
  if (!is_count(seeds)) {
    throw FileError(name, "seeds must be a count");
  }
  SweepGrid grid = {.num_steps = read_list<std::int64_t>(json, "num_steps", name, is_count),
                    .hidden_size = read_list<std::int64_t>(json, "hidden_size", name, is_count),
                    .learning_rate = read_list<double>(json, "learning_rate", name, is_number),
                    .seeds = seeds.get<std::int64_t>()};
  grid.sort();
  try {
    grid.validate();
  } catch (const InvalidOption& error) {
    throw FileError(name, error.what());
  }
  return grid;
}

/// @throws InvalidOption if the lists are not the same
template <class Values>
void check_same(const char* option, const Values& saved, const Values& asked,
                const std::string& directory) {
  if (saved != asked) {
    throw InvalidOption(option, fmt::format("cannot change when a sweep goes on: got {}, {} has {}",
                                            asked, directory, saved));
  }
}

}  // namespace

SweepOptions::SweepOptions() : workers(std::max(1U, std::thread::hardware_concurrency())) {
  run.trainer.epochs = 1;
  run.series.series_length = kSeriesLength;
}

RunOptions SweepOptions::of_cell(const SweepCell& cell) const {
  RunOptions options = run;
  options.windows.num_steps = cell.num_steps;
  options.model.hidden_size = cell.hidden_size;
  options.optimizer.learning_rate = cell.learning_rate;
  options.seed = cell.seed;
  return options;
}

void SweepOptions::validate() const {
  constexpr std::int64_t kMostWorkers = 1024;
  grid.validate();
  shard.validate();
  check_between("workers", workers, 1, kMostWorkers);
  check_at_least("eval_length", run.evaluation.eval_length, 1);
  if (!shard.is_whole() && out.empty()) {
    throw InvalidOption("shard", "needs --out, the folder that all shards share");
  }
  for (const SweepCell& cell : grid.cells()) {
    const RunOptions options = of_cell(cell);
    options.validate();
    options.windows.validate_for(options.series.series_length);
  }
}

std::string sweep_json(const SweepOptions& options, EngineChoice engine) {
  const Json run = run_config(options.run, engine);
  Json json = {{"num_steps", options.grid.num_steps},
               {"hidden_size", options.grid.hidden_size},
               {"learning_rate", options.grid.learning_rate},
               {"seeds", options.grid.seeds}};
  for (const char* key : kShared) {
    json[key] = run.at(key);
  }
  json["process"] = run.at("process");
  json["versions"] = run.at("versions");
  return to_text(json);
}

SweepConfig parse_sweep_json(std::string_view text, const std::string& name) {
  const nlohmann::json json = parse_json(text, name, "it");
  if (!json.is_object()) {
    throw FileError(name, "is no JSON object");
  }
  SweepConfig config = {.grid = read_grid(json, name), .options = {}};
  config.options.reserve(kShared.size());
  for (const char* key : kShared) {
    const auto value = json.find(key);
    if (value == json.end()) {
      throw FileError(name, fmt::format("has no {}", key));
    }
    config.options.emplace_back(
        key, printable(value->is_string() ? value->get<std::string>() : value->dump()));
  }
  const Json process = run_config({}, EngineChoice::kAuto).at("process");
  if (json.value("process", nlohmann::json()) != nlohmann::json(process)) {
    throw FileError(name, "has another process than this version can sample");
  }
  return config;
}

std::string sweep_digest(const SweepConfig& config) {
  const SweepGrid& grid = config.grid;
  std::string text = fmt::format("num_steps {}\nhidden_size {}\nlearning_rate {}\nseeds {}\n",
                                 fmt::join(grid.num_steps, ","), fmt::join(grid.hidden_size, ","),
                                 fmt::join(grid.learning_rate, ","), grid.seeds);
  for (const auto& [option, value] : config.options) {
    text += fmt::format("{} {}\n", option, value);
  }
  return sha256_hex(text);
}

void check_same_sweep(const SweepConfig& saved, const SweepConfig& asked,
                      const std::string& directory) {
  const auto list = [](const auto& values) { return fmt::format("{}", fmt::join(values, ",")); };
  check_same("num_steps", list(saved.grid.num_steps), list(asked.grid.num_steps), directory);
  check_same("hidden_size", list(saved.grid.hidden_size), list(asked.grid.hidden_size), directory);
  check_same("learning_rate", list(saved.grid.learning_rate), list(asked.grid.learning_rate),
             directory);
  check_same("seeds", saved.grid.seeds, asked.grid.seeds, directory);
  for (std::size_t i = 0; i < kShared.size(); ++i) {
    check_same(kShared[i], saved.options[i].second, asked.options[i].second, directory);
  }
}

}  // namespace unroll
