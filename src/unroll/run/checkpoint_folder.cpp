#include <unroll/run/checkpoint_folder.h>

#include <fmt/format.h>

#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include <unroll/base/error.h>
#include <unroll/base/file.h>

namespace unroll {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRegular = "window-";
constexpr std::string_view kSuffix = ".safetensors";
constexpr std::size_t kKept = 3;

std::string regular_name(std::int64_t windows) {
  return fmt::format("{}{:012}{}", kRegular, windows, kSuffix);
}

std::string folder_of(const std::string& run_directory) { return run_directory + "/checkpoints"; }

/// The files of a folder that may be checkpoints, by name; none if there is no such folder.
std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  if (fs::symlink_status(folder, error).type() == fs::file_type::not_found) {
    return names;
  }
  for (const std::string& name : list_folder(folder, error)) {
    if (name.ends_with(kSuffix)) {
      names.push_back(name);
    }
  }
  if (error) {
    throw FileError(folder, "cannot be read: " + error.message());
  }
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

void CheckpointFolder::remove_if(const std::function<bool(const Checkpoint&)>& is_bad) {
  std::vector<std::string> bad;
  bool has_good = false;
  for (const std::string& name : names_in(path_)) {
    const std::string path = path_ + "/" + name;
    try {
      if (is_bad(read_checkpoint(path))) {
        bad.push_back(path);
      } else {
        has_good = true;
      }
    } catch (const FileError&) {
      continue;  // it is damaged, and a resume will say so
    }
  }
  if (has_good) {
    for (const std::string& path : bad) {
      remove_file(path);
    }
  }
}

NewestCheckpoint CheckpointFolder::newest(const std::string& run_directory) {
  NewestCheckpoint newest;
  std::optional<FoundCheckpoint> best;
  for (const std::string& path : paths(run_directory)) {
    const std::string bytes = read_file(path);
    try {
      FoundCheckpoint found = {.path = path, .checkpoint = parse_checkpoint(bytes, path)};
      // Of two of the same window it is the regular one, which comes after last.
      if (path.ends_with(kBest)) {
        best = std::move(found);
      } else if (!newest.found ||
                 newest.found->checkpoint.progress.windows <= found.checkpoint.progress.windows) {
        newest.found = std::move(found);
      }
    } catch (const OtherVersion&) {
      throw;
    } catch (const FileError& error) {
      newest.damaged.push_back({.path = path, .problem = error.what()});
    }
  }
  // Only for want of another: it is saved before the regular one of its window, which who went on
  // from it would not save.
  if (!newest.found) {
    newest.found = std::move(best);
  } else if (best) {
    newest.best_is_ahead =
        best->checkpoint.progress.windows > newest.found->checkpoint.progress.windows;
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

void CheckpointFolder::go_on_from(const NewestCheckpoint& newest) {
  for (const DamagedCheckpoint& damaged : newest.damaged) {
    remove_file(damaged.path);
  }
  if (newest.best_is_ahead) {  // it is saved again, and its row is not in metrics.csv until then
    remove_file(path_ + "/" + kBest);
    sync_name(path_ + "/" + kBest);
  }
  if (!newest.found->path.ends_with(kLast)) {
    remove_replaced();
  }
}

}  // namespace unroll
