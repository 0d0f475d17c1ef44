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

/// Makes the folder; whether it was not there before.
bool make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path.parent_path().empty() ? "." : path.parent_path(), error);
  const bool is_new = !error && fs::create_directory(path, error);
  if (error) {
    throw FileError(path.string(), "cannot be made a run directory: " + error.message());
  }
  if (is_new) {
    sync_name(path.string());
  }
  return is_new;
}

std::string make_unique_folder(const std::string& model) {
  const std::string stem =
      fmt::format("runs/{:%Y%m%dT%H%M%SZ}-{}", fmt::gmtime(std::time(nullptr)), model);
  std::string path = stem;
  for (int copy = 2; !make_folder(path); ++copy) {
    path = fmt::format("{}-{}", stem, copy);
  }
  return path;
}

}  // namespace

std::string make_run_directory(const std::string& path, const std::string& model) {
  if (path.empty()) {
    return make_unique_folder(model);
  }
  if (!make_folder(path)) {
    check_is_empty(path);
  }
  return path;
}

void check_is_empty(const std::string& path) {
  std::error_code error;
  const bool is_empty = fs::is_empty(path, error);
  if (error || !is_empty) {
    throw FileError(path,
                    error ? error.message() : "is not empty; a run needs a new or empty folder");
  }
}

}  // namespace unroll
