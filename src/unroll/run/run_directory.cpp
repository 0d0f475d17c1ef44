#include <unroll/run/run_directory.h>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <filesystem>
#include <system_error>

#include <unroll/base/error.h>
#include <unroll/base/file.h>

namespace unroll {
namespace {

namespace fs = std::filesystem;

/// Makes the folder with its parents, whose names are on the disk then; whether it was not there
/// before.
bool make_folder(const fs::path& path) {
  bool is_new = false;
  fs::path folder;
  for (const fs::path& name : path) {
    if (name.empty()) {  // behind a slash at the end
      continue;
    }
    folder /= name;
    std::error_code error;
    is_new = !fs::is_directory(folder, error) && fs::create_directory(folder, error);
    if (error == std::errc::file_exists && folder != path) {
      error = std::make_error_code(std::errc::not_a_directory);
    }
    if (error) {
      throw FileError(path.string(), "cannot be made a run directory: " + error.message());
    }
    if (is_new) {
      sync_name(folder.string());
    }
  }
  return is_new;
}

/// The time, in UTC, as folders have it in their names.
std::string utc_time() { return fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(std::time(nullptr))); }

std::string make_unique_folder(const std::string& stem) {
  std::string path = stem;
  for (int copy = 2; !make_folder(path); ++copy) {
    path = fmt::format("{}-{}", stem, copy);
  }
  return path;
}

}  // namespace

std::string make_run_directory(const std::string& path, const std::string& model) {
  if (path.empty()) {
    return make_unique_folder(fmt::format("runs/{}-{}", utc_time(), model));
  }
  if (!make_folder(path)) {
    check_is_empty(path);
  }
  return path;
}

std::string make_sweep_directory(const std::string& path) {
  if (path.empty()) {
    return make_unique_folder("sweeps/" + utc_time());
  }
  make_folder(path);
  return path;
}

void check_is_empty(const std::string& path) {
  std::error_code error;
  for (const std::string& name : list_folder(path, error)) {
    if (!is_temporary(name)) {
      throw FileError(path, "is not empty; a run needs a new or empty folder");
    }
  }
  if (error) {
    throw FileError(path, error.message());
  }
}

}  // namespace unroll
