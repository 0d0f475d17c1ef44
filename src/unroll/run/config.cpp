#include <unroll/run/config.h>

#include <fmt/format.h>
#include <torch/version.h>

#include <filesystem>
#include <set>

#include <unroll/base/error.h>
#include <unroll/base/quote.h>
#include <unroll/run/json.h>
#include <unroll/version.h>

namespace unroll {
namespace {

/// A path that still names the file when the run is repeated from another folder; null for none.
Json absolute(const std::string& path) {
  return path.empty() ? Json() : Json(std::filesystem::absolute(path).lexically_normal().string());
}

Json to_json(const std::optional<LaggedProcess>& process) {
  if (!process) {
    return nullptr;
  }
  Json effects = Json::array();
  for (const auto& [lag, effect] : process->effects()) {
    effects.push_back({{"lag", lag}, {"effect", effect}});
  }
  return {{"base", process->base()}, {"effects", effects}};
}

/// None for an empty text.
Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

/// The options under their flags' names.
Json to_json(const RunOptions& options) {
  return {{"model", name_of(options.model.model)},
          {"engine", name_of(options.engine)},
          {"device", name_of(options.device)},
          {"epochs", options.trainer.epochs},
          {"series_length", options.series.series_length},
          {"batch_size", options.windows.batch_size},
          {"num_steps", options.windows.num_steps},
          {"num_classes", options.model.num_classes},
          {"hidden_size", options.model.hidden_size},
          {"learning_rate", options.optimizer.learning_rate},
          {"optimizer", name_of(options.optimizer.optimizer)},
          {"dtype", name_of(options.dtype)},
          {"seed", options.seed},
          {"threads", options.threads},
          {"log_every", options.trainer.log_every},
          {"checkpoint_every", options.checkpoint_every},
          {"eval_length", options.evaluation.eval_length},
          {"data", absolute(options.data)},
          {"init", absolute(options.init)}};
}

Json versions() {
  return {{"unroll", kVersion}, {"libtorch", TORCH_VERSION}, {"compiler", __VERSION__}};
}

/// Reads one config; a class so that every error knows the file's name.
class ConfigReader {
 public:
  ConfigReader(std::string_view text, const std::string& name)
      : json_(parse_json(text, name, "it")), name_(name) {
    if (!json_.is_object()) {
      throw FileError(name_, "is no JSON object");
    }
  }

  [[nodiscard]] std::int64_t integer(const char* key) const {
    const nlohmann::json& value = at(key);
    if (!value.is_number_integer() ||
        (value.is_number_unsigned() && value.get<std::uint64_t>() > std::uint64_t{INT64_MAX})) {
      fail(key, "an integer of at most 63 bits");
    }
    return value.get<std::int64_t>();
  }

  /// A count of at least `least`, which is what a config has that is older than the key.
  [[nodiscard]] std::int64_t count_from(const char* key, std::int64_t least) const {
    const std::int64_t value = json_.contains(key) ? integer(key) : least;
    if (value < least) {
      fail(key, fmt::format("at least {}", least));
    }
    return value;
  }

  [[nodiscard]] double number(const char* key) const {
    if (!at(key).is_number()) {
      fail(key, "a number");
    }
    return at(key).get<double>();
  }

  /// Empty for null.
  [[nodiscard]] std::string text(const char* key) const {
    if (!at(key).is_null() && !at(key).is_string()) {
      fail(key, "a text or null");
    }
    std::string value = at(key).is_null() ? "" : at(key).get<std::string>();
    if (value.find('\0') != std::string::npos) {  // where a path would end
      fail(key, "a text without NUL");
    }
    return value;
  }

  template <class Enum>
  [[nodiscard]] Enum choice(const char* key) const {
    const auto value = from_name<Enum>(text(key));
    if (!value) {
      fail(key, "one of " + all_names<Enum>());
    }
    return *value;
  }

  /// "cpu", "cuda" or "cuda:0".
  [[nodiscard]] DeviceChoice device() const {
    const std::string device = text("device");
    const auto value = from_name<DeviceChoice>(device.substr(0, device.find(':')));
    if (!value) {
      fail("device", "one of " + all_names<DeviceChoice>());
    }
    return *value;
  }

  [[nodiscard]] const nlohmann::json& at(const char* key) const {
    const auto entry = json_.find(key);
    if (entry == json_.end()) {
      throw FileError(name_, std::string("has no ") + key);
    }
    return *entry;
  }

 private:
  [[noreturn]] void fail(const char* key, const std::string& expected) const {
    throw FileError(name_,
                    fmt::format("{} must be {}, got {}", key, expected, printable(at(key).dump())));
  }

  nlohmann::json json_;
  std::string name_;
};

}  // namespace

std::string config_json(const RunOptions& options, const ResolvedRun& resolved,
                        const std::optional<LaggedProcess>& process) {
  Json json = to_json(options);
  json["engine"] = name_of(resolved.engine);
  json["device"] = resolved.device;
  json["unused_symbols"] = options.windows.unused_symbols(options.series.series_length);
  json["learning_rate_from_window"] = resolved.learning_rate_from;
  json["ranks"] = resolved.ranks;
  json["data_sha256"] = text_or_null(resolved.digests.data);
  json["init_sha256"] = text_or_null(resolved.digests.init);
  json["process"] = to_json(process);
  json["versions"] = versions();
  if (!resolved.fault.empty()) {
    json["fault"] = resolved.fault;
  }
  return to_text(json);
}

RunConfig parse_config(std::string_view text, const std::string& name) {
  const ConfigReader reader(text, name);
  const RunOptions options = {
      .model = {.model = reader.choice<ModelKind>("model"),
                .num_classes = reader.integer("num_classes"),
                .hidden_size = reader.integer("hidden_size")},
      .series = {.series_length = reader.integer("series_length")},
      .windows = {.batch_size = reader.integer("batch_size"),
                  .num_steps = reader.integer("num_steps")},
      .optimizer = {.optimizer = reader.choice<OptimizerKind>("optimizer"),
                    .learning_rate = reader.number("learning_rate")},
      .trainer = {.epochs = reader.integer("epochs"), .log_every = reader.integer("log_every")},
      .evaluation = {.eval_length = reader.integer("eval_length")},
      .engine = reader.choice<EngineChoice>("engine"),
      .device = reader.device(),
      .dtype = reader.choice<Precision>("dtype"),
      .seed = reader.integer("seed"),
      .threads = reader.integer("threads"),
      .checkpoint_every = reader.integer("checkpoint_every"),
      .data = reader.text("data"),
      .init = reader.text("init"),
      .out = {}};
  try {
    options.validate();
    options.windows.validate_for(options.series.series_length);
  } catch (const InvalidOption& error) {
    throw FileError(name, error.what());
  }
  const auto process =
      options.data.empty() ? std::optional(LaggedProcess::tutorial()) : std::nullopt;
  if (reader.at("process") != nlohmann::json(to_json(process))) {
    throw FileError(name, "has another process than this version can sample");
  }
  return {.options = options,
          .digests = {.data = reader.text("data_sha256"), .init = reader.text("init_sha256")},
          .ranks = reader.count_from("ranks", 1),
          .learning_rate_from = reader.count_from("learning_rate_from_window", 0),
          .versions = reader.at("versions").dump()};
}

// Through the same type as what was read, which orders its keys.
std::string current_versions() { return nlohmann::json(versions()).dump(); }

bool may_change(const std::string& option) {
  static const std::set<std::string> changing = {"epochs",           "learning_rate", "log_every",
                                                 "checkpoint_every", "eval_length",   "device",
                                                 "threads",          "engine"};
  return changing.count(option) > 0;
}

std::optional<Contradiction> find_contradiction(const RunConfig& config, const RunConfig& other) {
  for (const std::string& option : option_names()) {
    const std::string value = config_value(config.options, option);
    const std::string other_value = config_value(other.options, option);
    // A learning rate changes together with the window from which it holds.
    const bool may_differ = option == "learning_rate"
                                ? config.learning_rate_from != other.learning_rate_from
                                : may_change(option) || option == "data";
    if (!may_differ && value != other_value) {
      return Contradiction{.option = option, .value = value, .other = other_value};
    }
  }
  if (config.digests.data != other.digests.data) {
    return Contradiction{
        .option = "data_sha256", .value = config.digests.data, .other = other.digests.data};
  }
  return std::nullopt;
}

std::vector<std::string> option_names() {
  const Json json = to_json(RunOptions());
  std::vector<std::string> names;
  for (const auto& [name, value] : json.items()) {
    names.push_back(name);
  }
  return names;
}

std::string config_value(const RunOptions& options, const std::string& key) {
  const Json value = to_json(options).value(key, Json());
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace unroll
