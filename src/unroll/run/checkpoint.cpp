#include <unroll/run/checkpoint.h>

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include <unroll/base/error.h>
#include <unroll/base/quote.h>
#include <unroll/base/sha256.h>
#include <unroll/run/checkpoint_file.h>
#include <unroll/run/config.h>
#include <unroll/run/json.h>
#include <unroll/run/preparation.h>
#include <unroll/run/tensor_file.h>
#include <unroll/run/weights_file.h>

namespace unroll {
namespace {

constexpr const char* kConfig = "config";
constexpr const char* kProgress = "progress";
constexpr const char* kState = "state";
constexpr const char* kOptimizer = "optimizer.";

Json to_json(const TrainingProgress& progress, const CheckpointSpan& span) {
  return {{"epoch", progress.epoch},
          {"window", progress.window},
          {"windows_per_epoch", progress.windows_per_epoch},
          {"windows", progress.windows},
          {"row_windows", progress.row_windows},
          {"row_sum", progress.row_sum},
          {"epoch_sum", progress.epoch_sum},
          {"final_loss", progress.final_loss},
          {"last_epoch_loss", progress.last_epoch_loss},
          {"first_loss", progress.first_loss},
          {"recent_loss", progress.recent_loss},
          {"span_windows", span.windows},
          {"span_sum", span.sum},
          {"best_mean_loss", span.best_mean_loss ? Json(*span.best_mean_loss) : Json()}};
}

/// Reads what to_json has written; a class so that every error knows the file's name.
class ProgressReader {
 public:
  ProgressReader(std::string_view text, const std::string& path)
      : json_(parse_json(text, path, "its progress")), path_(path) {}

  [[nodiscard]] TrainingProgress progress() const {
    const TrainingProgress progress = {.epoch = count("epoch"),
                                       .window = count("window"),
                                       .windows_per_epoch = count("windows_per_epoch"),
                                       .windows = count("windows"),
                                       .row_windows = count("row_windows"),
                                       .row_sum = number("row_sum"),
                                       .epoch_sum = number("epoch_sum"),
                                       .final_loss = number("final_loss"),
                                       .last_epoch_loss = number("last_epoch_loss"),
                                       .first_loss = number_or_zero("first_loss"),
                                       .recent_loss = number_or_zero("recent_loss")};
    const auto before =
        static_cast<double>(progress.epoch - 1) * static_cast<double>(progress.windows_per_epoch);
    if (progress.epoch < 1 || progress.window < 1 || progress.window > progress.windows_per_epoch ||
        before + static_cast<double>(progress.window) != static_cast<double>(progress.windows)) {
      throw FileError(path_, "has a progress that contradicts itself");
    }
    return progress;
  }

  [[nodiscard]] CheckpointSpan span() const {
    CheckpointSpan span = {.windows = count("span_windows"), .sum = number("span_sum")};
    if (!at("best_mean_loss").is_null()) {
      span.best_mean_loss = number("best_mean_loss");
    }
    return span;
  }

 private:
  [[nodiscard]] nlohmann::json at(const char* key) const {
    return json_.is_object() ? json_.value(key, nlohmann::json()) : nlohmann::json();
  }

  [[nodiscard]] std::int64_t count(const char* key) const {
    const nlohmann::json value = at(key);
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > std::uint64_t{INT64_MAX}) {
      throw FileError(path_, fmt::format("has a progress without the count {}", key));
    }
    return value.get<std::int64_t>();
  }

  [[nodiscard]] double number(const char* key) const {
    const nlohmann::json value = at(key);
    if (!value.is_number()) {
      throw FileError(path_, fmt::format("has a progress without the number {}", key));
    }
    return value.get<double>();
  }

  /// What checkpoints of version 0.1.0 do not have.
  [[nodiscard]] double number_or_zero(const char* key) const {
    return at(key).is_null() ? 0.0 : number(key);
  }

  nlohmann::json json_;
  std::string path_;
};

/// Every tensor of a checkpoint, fit for a file.
std::vector<std::pair<std::string, torch::Tensor>> tensors_of(const Checkpoint& checkpoint) {
  auto tensors = unroll::tensors_of(checkpoint.weights);
  tensors.emplace_back(kState, fit_for_view(checkpoint.state));
  for (const auto& [name, tensor] : checkpoint.optimizer) {
    tensors.emplace_back(kOptimizer + name, fit_for_view(tensor));
  }
  return tensors;
}

void check_finite(const std::string& name, const torch::Tensor& tensor,
                  const TrainingProgress& progress) {
  const auto [least, most] = torch::aminmax(tensor);  // both NaN if any is; needs no memory
  if (!std::isfinite(least.item<double>()) || !std::isfinite(most.item<double>())) {
    throw DivergenceError(
        fmt::format("by the update of window {} of epoch {} {} is not finite; try a smaller "
                    "learning rate",
                    progress.window, progress.epoch, name));
  }
}

std::string metadata_of(const SafeTensorsFile& file, const char* key, const std::string& path) {
  const auto entry = file.metadata.find(key);
  if (entry == file.metadata.end()) {
    throw FileError(path, fmt::format("is no checkpoint: its metadata has no {}", key));
  }
  return entry->second;
}

}  // namespace

void write_checkpoint(WholeFile& file, const Checkpoint& checkpoint) {
  const auto tensors = tensors_of(checkpoint);  // owners of the bytes that the views see
  std::vector<SafeTensorView> views;
  for (const auto& [name, tensor] : tensors) {
    check_finite(name, tensor, checkpoint.progress);
    views.push_back(view_of(name, tensor));
  }
  Sha256::Digest digest{};  // of all before it: of the header, which has its place, and the tensors
  views.push_back({.name = kDigestTensor,
                   .dtype = "U8",
                   .shape = {Sha256::kBytes},
                   .bytes = {digest.data(), digest.size()}});
  const std::string header = safetensors_header(
      views, {{kCheckpointKey, kCheckpointVersion},
              {kConfig, checkpoint.config},
              {kProgress, to_json(checkpoint.progress, checkpoint.span).dump()}});
  views.pop_back();

  Sha256 sha256;
  const auto write = [&](std::string_view bytes) {
    sha256.add(bytes);
    file.write(bytes);
  };
  write(header);
  for (const SafeTensorView& view : views) {
    write(view.bytes);
  }
  digest = sha256.finish();
  file.write({digest.data(), digest.size()});
  file.finish();
}

Checkpoint read_checkpoint(const std::string& path) {
  return parse_checkpoint(read_file(path), path);
}

Checkpoint parse_checkpoint(std::string_view bytes, const std::string& path) {
  check_digest(bytes, path);
  SafeTensorsFile file = parse_safetensors(bytes, path);
  const std::string version = metadata_of(file, kCheckpointKey, path);
  if (version != kCheckpointVersion) {
    throw OtherVersion(path, fmt::format("is a checkpoint of version {}, this program reads {}",
                                         printable(version), kCheckpointVersion));
  }
  file.tensors.erase(kDigestTensor);
  const std::string config_text = metadata_of(file, kConfig, path);
  const RunOptions options = parse_config(config_text, path).options;
  const ProgressReader progress(metadata_of(file, kProgress, path), path);
  TensorReader reader(std::move(file.tensors), path);
  const torch::Dtype dtype = to_torch(options.dtype);
  Checkpoint checkpoint = {
      .config = config_text,
      .progress = progress.progress(),
      .span = progress.span(),
      .weights = take_weights(reader, options.model, dtype),
      .state = reader.take(kState, {options.windows.batch_size, options.model.hidden_size}, dtype),
      .optimizer = {}};
  for (std::string name; !(name = reader.first_name(kOptimizer)).empty();) {
    checkpoint.optimizer[name.substr(std::string_view(kOptimizer).size())] = reader.take_any(name);
  }
  reader.check_nothing_left();
  return checkpoint;
}

}  // namespace unroll
