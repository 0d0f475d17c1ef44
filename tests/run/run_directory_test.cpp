// A run's folder is new or empty, whoever names it.

#include <unroll/run/run_directory.h>

#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <set>
#include <string>

#include <unroll/base/error.h>

#include "../support/temp_dir.h"

namespace unroll {
namespace {

namespace fs = std::filesystem;
using testing::names_in;
using testing::read_bytes;
using testing::TempDir;
using testing::write_bytes;

/// What this path is refused with.
std::string folder_refusal(const std::string& path) {
  try {
    make_run_directory(path, "manual");
  } catch (const FileError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(RunDirectory, MakesANewFolder) {
  const TempDir folder;
  EXPECT_EQ(make_run_directory(folder / "run", "manual"), folder / "run");
  EXPECT_TRUE(fs::is_directory(folder / "run"));
  EXPECT_TRUE(fs::is_empty(folder / "run"));
}

TEST(RunDirectory, MakesItsParents) {
  const TempDir folder;
  make_run_directory(folder / "a/b/run", "manual");
  EXPECT_TRUE(fs::is_directory(folder / "a/b/run"));
}

TEST(RunDirectory, TakesATrailingSlash) {
  const TempDir folder;
  make_run_directory(folder / "run/", "manual");
  EXPECT_TRUE(fs::is_directory(folder / "run"));
}

TEST(RunDirectory, TakesAnEmptyFolder) {
  const TempDir folder;
  EXPECT_EQ(make_run_directory(folder.path(), "manual"), folder.path());
}

TEST(RunDirectory, TakesALinkToAnEmptyFolder) {
  const TempDir folder;
  fs::create_directory(folder / "real");
  fs::create_directory_symlink(folder / "real", folder / "link");
  EXPECT_EQ(make_run_directory(folder / "link", "manual"), folder / "link");
}

TEST(RunDirectory, RefusesAFolderWithAnythingInIt) {
  const TempDir folder;
  write_bytes(folder / ".hidden", "kept");
  EXPECT_EQ(folder_refusal(folder.path()),
            folder.path() + ": is not empty; a run needs a new or empty folder");
  EXPECT_EQ(read_bytes(folder / ".hidden"), "kept");
}

TEST(RunDirectory, TakesAFolderWhereAProcessDiedBeforeItsFirstFile) {
  const TempDir folder;
  write_bytes(folder / "config.json.123.tmp", "a part of it");
  EXPECT_EQ(make_run_directory(folder.path(), "manual"), folder.path());
  write_bytes(folder / "notes.2024.tmp", "kept");
  EXPECT_NE(folder_refusal(folder.path()), "accepted");
}

TEST(RunDirectory, RefusesAFile) {
  const TempDir folder;
  write_bytes(folder / "file", "kept");
  EXPECT_EQ(
      folder_refusal(folder / "file").rfind(folder / "file: cannot be made a run directory", 0), 0U)
      << folder_refusal(folder / "file");
  EXPECT_EQ(read_bytes(folder / "file"), "kept");
}

TEST(RunDirectory, RefusesAFolderBelowAFile) {
  const TempDir folder;
  write_bytes(folder / "file", "kept");
  EXPECT_EQ(folder_refusal(folder / "file/run"),
            folder / "file/run: cannot be made a run directory: Not a directory");
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"file"});
}

TEST(RunDirectory, RefusesAFolderFarBelowAFile) {
  const TempDir folder;
  write_bytes(folder / "file", "kept");
  EXPECT_EQ(folder_refusal(folder / "file/a/b/run"),
            folder / "file/a/b/run: cannot be made a run directory: Not a directory");
}

TEST(RunDirectory, RefusesADanglingLink) {
  const TempDir folder;
  fs::create_symlink(folder / "none", folder / "link");
  EXPECT_NE(folder_refusal(folder / "link"), "accepted");
}

TEST(RunDirectory, DefaultNamesTimeAndModelAndIsUnique) {
  const TempDir folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  std::set<std::string> made;
  for (int i = 0; i < 5; ++i) {  // within a second or two, so that names collide
    made.insert(make_run_directory("", "builtin"));
  }
  fs::current_path(before);
  EXPECT_EQ(made.size(), 5U);
  const std::regex form(R"(runs/\d{8}T\d{6}Z-builtin(-[2-5])?)");
  for (const std::string& path : made) {
    EXPECT_TRUE(std::regex_match(path, form)) << path;
    EXPECT_TRUE(fs::is_empty(folder / path));
  }
}

TEST(RunDirectory, DefaultCannotBeMadeWhereRunsIsAFile) {
  const TempDir folder;
  write_bytes(folder / "runs", "kept");
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  const std::string message = folder_refusal("");
  fs::current_path(before);
  EXPECT_EQ(message.rfind("runs/", 0), 0U) << message;
  EXPECT_EQ(read_bytes(folder / "runs"), "kept");
}

}  // namespace
}  // namespace unroll
