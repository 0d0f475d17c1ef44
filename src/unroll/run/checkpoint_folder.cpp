#include <unroll/run/checkpoint_folder.h>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include <unroll/base/error.h>

namespace unroll {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRegular = "window-";
constexpr std::string_view kSuffix = ".safetensors";
constexpr const char* kBest = "best.safetensors";
constexpr const char* kLast = "last.safetensors";
constexpr std::size_t kKept = 3;

std::string regular_name(std::int64_t windows) {
  return fmt::format("{}{:012}{}", kRegular, windows, kSuffix);
}

std::string folder_of(const std::string& run_directory) { return run_directory + "/checkpoints"; }

/// The files of a folder that may be checkpoints, by name; none if there is no such folder.
std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  if (!fs::exists(folder, error)) {
    return names;
  }
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    std::string name = entry.path().filename().string();
    if (name.ends_with(kSuffix)) {
      names.push_back(std::move(name));
    }
  }
  if (error) {
    throw FileError(folder, error.message());
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// The regular ones, the oldest first.
std::vector<std::string> regular_in(const std::string& folder) {
  std::vector<std::string> names = names_in(folder);
  std::erase_if(names, [](const std::string& name) { return !name.starts_with(kRegular); });
  return names;
}

void remove_file(const std::string& path) {
  std::error_code error;
  fs::remove(path, error);
  if (error) {
    throw FileError(path, "cannot be removed: " + error.message());
  }
}

}  // namespace

CheckpointFolder::CheckpointFolder(const std::string& run_directory)
    : path_(folder_of(run_directory)) {
  std::error_code error;
  fs::create_directory(path_, error);
  if (error) {
    throw FileError(path_, "cannot be made: " + error.message());
  }
  sync_name(path_);
  remove_temporaries(path_);
}

void CheckpointFolder::save(const Checkpoint& checkpoint, const std::string& name) {
  WholeFile file(path_ + "/" + name);
  write_checkpoint(file, checkpoint);
  file.publish();
}

void CheckpointFolder::save_regular(const Checkpoint& checkpoint, bool is_best) {
  if (is_best) {
    save(checkpoint, kBest);  // first: who stops in between comes here again
  }
  save(checkpoint, regular_name(checkpoint.progress.windows));
  remove_replaced();
}

void CheckpointFolder::remove_replaced() {
  remove_file(path_ + "/" + kLast);
  const std::vector<std::string> names = regular_in(path_);
  for (std::size_t i = 0; i + kKept < names.size(); ++i) {
    remove_file(path_ + "/" + names[i]);
  }
}

void CheckpointFolder::save_last(const Checkpoint& checkpoint) { save(checkpoint, kLast); }

NewestCheckpoint CheckpointFolder::newest(const std::string& run_directory) {
  const std::string folder = folder_of(run_directory);
  NewestCheckpoint newest;
  std::vector<std::string> names = regular_in(folder);
  names.emplace_back(kLast);
  std::reverse(names.begin(), names.end());  // the newest first
  for (const std::string& name : names) {
    const std::string path = fmt::format("{}/{}", folder, name);
    if (!fs::exists(path)) {
      continue;
    }
    try {
      FoundCheckpoint found = {.path = path, .checkpoint = read_checkpoint(path)};
      // `last` is the older one if the run died while it removed it.
      if (!newest.found ||
          newest.found->checkpoint.progress.windows < found.checkpoint.progress.windows) {
        newest.found = std::move(found);
      }
      if (name != kLast) {
        break;
      }
    } catch (const FileError& error) {
      newest.damaged.emplace_back(error.what());
    }
  }
  return newest;
}

std::vector<std::string> CheckpointFolder::paths(const std::string& run_directory) {
  std::vector<std::string> paths;
  for (const std::string& name : names_in(folder_of(run_directory))) {
    paths.push_back(folder_of(run_directory) + "/" + name);
  }
  return paths;
}

void CheckpointFolder::go_on_from(const FoundCheckpoint& found) {
  for (const std::string& name : regular_in(path_)) {
    if (name > regular_name(found.checkpoint.progress.windows)) {
      remove_file(path_ + "/" + name);
    }
  }
  if (!found.path.ends_with(kLast)) {
    remove_replaced();
  }
}

}  // namespace unroll
