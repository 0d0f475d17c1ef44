// Files appear whole or not at all.

#include <unroll/base/file.h>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>

#include <unroll/base/error.h>

#include "../support/file_size_limit.h"
#include "../support/sanitizer.h"
#include "../support/temp_dir.h"

namespace unroll {
namespace {

namespace fs = std::filesystem;
using testing::FileSizeLimit;
using testing::names_in;
using testing::read_bytes;
using testing::TempDir;
using testing::write_bytes;

/// What a FileError says, or nothing if `body` throws none.
template <typename Body>
std::string file_error(const Body& body) {
  try {
    body();
  } catch (const FileError& error) {
    return error.what();
  }
  return {};
}

TEST(ReadFile, GivesEveryByte) {
  const TempDir folder;
  std::string bytes;
  for (int i = 0; i < 200'000; ++i) {  // several of the reader's buffers, every byte value
    bytes += static_cast<char>(i % 256);
  }
  write_bytes(folder / "file", bytes);
  EXPECT_EQ(read_file(folder / "file"), bytes);
}

TEST(ReadFile, GivesNothingOfAnEmptyFile) {
  const TempDir folder;
  write_bytes(folder / "file", "");
  EXPECT_EQ(read_file(folder / "file"), "");
}

TEST(ReadFile, ReadsWhatHasNoSize) {
  // /proc's files say that they are 0 bytes long, as pipes do.
  EXPECT_NE(read_file("/proc/self/status").find("Name:"), std::string::npos);
}

TEST(ReadFile, NamesAMissingFile) {
  const TempDir folder;
  const std::string path = folder / "none";
  EXPECT_EQ(file_error([&] { read_file(path); }),
            path + ": cannot be opened: No such file or directory");
}

TEST(ReadFile, RefusesAFolder) {
  const TempDir folder;
  EXPECT_EQ(file_error([&] { read_file(folder.path()); }),
            folder.path() + ": cannot be read: Is a directory");
}

TEST(ReadFile, RefusesADevice) {
  EXPECT_EQ(file_error([] { read_file("/dev/zero"); }),
            "/dev/zero: is a device; a file or a pipe is needed");
}

TEST(ReadFile, SaysWhatDoesNotFitInMemory) {
  if (testing::has_sanitizer()) {
    GTEST_SKIP() << "a sanitizer stops the program instead";
  }
  const TempDir folder;
  write_bytes(folder / "file", "");
  fs::resize_file(folder / "file", std::uintmax_t{1} << 42);  // a hole of 4 TiB
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_AS, &before), 0);
  const rlimit limit = {.rlim_cur = rlim_t{1} << 41, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &limit), 0);
  const std::string error = file_error([&] { read_file(folder / "file"); });
  ::setrlimit(RLIMIT_AS, &before);
  EXPECT_EQ(error, folder / "file" + ": does not fit in memory");
}

TEST(WriteFile, WritesEveryByteAndNothingElse) {
  const TempDir folder;
  const std::string bytes("a\0b\r\n\xFF", 6);
  write_file(folder / "file", bytes);
  EXPECT_EQ(read_bytes(folder / "file"), bytes);
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"file"});
}

TEST(WriteFile, WritesAnEmptyFile) {
  const TempDir folder;
  write_file(folder / "file", "");
  EXPECT_EQ(read_bytes(folder / "file"), "");
}

TEST(WriteFile, ReplacesALongerFile) {
  const TempDir folder;
  write_bytes(folder / "file", "a longer old content");
  write_file(folder / "file", "new");
  EXPECT_EQ(read_bytes(folder / "file"), "new");
}

TEST(WriteFile, LeavesAnotherNameOfTheOldFileAlone) {
  // A reader that has the old file open, or another link to it, never sees a byte of the new one.
  const TempDir folder;
  write_bytes(folder / "file", "old");
  fs::create_hard_link(folder / "file", folder / "link");
  write_file(folder / "file", "new");
  EXPECT_EQ(read_bytes(folder / "link"), "old");
}

TEST(WriteFile, LeavesFilesNamedLikeItsTemporaryAlone) {
  const TempDir folder;
  write_bytes(folder / "file.tmp", "mine");
  std::string taken;
  {
    WholeFile first(folder / "file");
    taken = first.temporary();
  }
  write_bytes(taken, "mine too");
  write_file(folder / "file", "new");
  EXPECT_EQ(read_bytes(folder / "file"), "new");
  EXPECT_EQ(read_bytes(folder / "file.tmp"), "mine");
  EXPECT_EQ(read_bytes(taken), "mine too");
  EXPECT_EQ(names_in(folder.path()).size(), 3U);
}

TEST(WriteFile, TheUmaskDecidesOnTheMode) {
  const TempDir folder;
  const mode_t before = ::umask(0027);
  write_file(folder / "file", "new");
  ::umask(before);
  EXPECT_EQ(fs::status(folder / "file").permissions(), static_cast<fs::perms>(0640));
}

TEST(WholeFile, GrowsBesideItsNameUntilItIsPublished) {
  const TempDir folder;
  write_bytes(folder / "file", "old");
  WholeFile file(folder / "file");
  file.write("one ");
  file.write("two");
  file.finish();
  EXPECT_EQ(read_bytes(folder / "file"), "old");
  EXPECT_EQ(read_bytes(file.temporary()), "one two");
  file.publish();
  EXPECT_EQ(read_bytes(folder / "file"), "one two");
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"file"});
}

TEST(WholeFile, LeavesNothingIfItIsNeverPublished) {
  const TempDir folder;
  {
    WholeFile file(folder / "file");
    file.write("half of");
  }
  EXPECT_TRUE(names_in(folder.path()).empty());
}

TEST(WholeFile, TakesOnlyANameThatIsFreeIfItMustBeNew) {
  const TempDir folder;
  WholeFile first(folder / "file");
  WholeFile second(folder / "file");
  first.write("first");
  second.write("second");
  first.finish();
  second.finish();
  EXPECT_TRUE(first.publish_new());
  EXPECT_FALSE(second.publish_new());
  EXPECT_EQ(read_bytes(folder / "file"), "first");
}

TEST(WholeFile, LeavesNoTemporaryWhereItIsNotTheFirst) {
  const TempDir folder;
  for (const char* content : {"first", "second"}) {
    WholeFile file(folder / "file");
    file.write(content);
    file.finish();
    file.publish_new();
  }
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"file"});
}

TEST(WriteFile, WritesIntoTheCurrentFolder) {
  const TempDir folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  write_file("file", "new");
  fs::current_path(before);
  EXPECT_EQ(read_bytes(folder / "file"), "new");
}

TEST(WriteFile, KeepsTheOldFileAndNoTemporaryWhenItFails) {
  const TempDir folder;
  const std::string path = folder / "file";
  write_bytes(path, "old");
  std::string error;
  {
    const FileSizeLimit limit(1000);
    error = file_error([&] { write_file(path, std::string(5000, 'x')); });
  }
  EXPECT_EQ(error, path + ": cannot be written: File too large");
  EXPECT_EQ(read_bytes(path), "old");
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"file"});
}

TEST(WriteFile, LeavesNothingWhenANewFileFails) {
  const TempDir folder;
  {
    const FileSizeLimit limit(1000);
    EXPECT_THROW(write_file(folder / "file", std::string(1001, 'x')), FileError);
  }
  EXPECT_TRUE(names_in(folder.path()).empty());
}

TEST(WriteFile, LeavesNothingWhenTheNameIsAFolders) {
  const TempDir folder;
  fs::create_directory(folder / "file");
  EXPECT_EQ(file_error([&] { write_file(folder / "file", "new"); }),
            folder / "file" + ": cannot be written: Is a directory");
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"file"});
}

TEST(WriteFile, NamesAMissingFolder) {
  const TempDir folder;
  const std::string path = folder / "none/file";
  EXPECT_EQ(file_error([&] { write_file(path, "new"); }),
            path + ": cannot be written: No such file or directory");
}

TEST(AppendFile, AppendsInOrderAtOnce) {
  const TempDir folder;
  AppendFile file(folder / "file");
  file.append("one\n");
  EXPECT_EQ(read_bytes(folder / "file"), "one\n");
  file.append("");
  file.append("two\n");
  EXPECT_EQ(read_bytes(folder / "file"), "one\ntwo\n");
  file.sync();
  EXPECT_EQ(read_bytes(folder / "file"), "one\ntwo\n");
}

TEST(AppendFile, NeverTouchesAFileThatExists) {
  const TempDir folder;
  const std::string path = folder / "file";
  write_bytes(path, "old");
  EXPECT_EQ(file_error([&] { const AppendFile file(path); }),
            path + ": cannot be written: File exists");
  EXPECT_EQ(read_bytes(path), "old");
}

TEST(AppendFile, KeepsNoPartOfAFailedAppend) {
  const TempDir folder;
  const std::string path = folder / "file";
  AppendFile file(path);
  const std::string kept(90, 'a');
  file.append(kept);
  std::string error;
  {
    const FileSizeLimit limit(100);  // leaves room for 10 of 20 bytes
    error = file_error([&] { file.append(std::string(20, 'b')); });
  }
  EXPECT_EQ(error, path + ": cannot be written: File too large");
  EXPECT_EQ(read_bytes(path), kept);
}

TEST(AppendFile, GoesOnAfterAFailedAppend) {
  const TempDir folder;
  AppendFile file(folder / "file");
  file.append("one\n");
  {
    const FileSizeLimit limit(6);
    EXPECT_THROW(file.append("a row too long\n"), FileError);
  }
  file.append("two\n");
  EXPECT_EQ(read_bytes(folder / "file"), "one\ntwo\n");
}

TEST(AppendFile, NamesAMissingFolder) {
  const TempDir folder;
  const std::string path = folder / "none/file";
  EXPECT_EQ(file_error([&] { const AppendFile file(path); }),
            path + ": cannot be written: No such file or directory");
}

TEST(InputFile, IsReadPieceByPieceAndAnywhere) {
  const TempDir folder;
  write_bytes(folder / "file", "0123456789");
  InputFile file(folder / "file");
  EXPECT_EQ(file.size(), 10);
  std::string four(4, ' ');
  EXPECT_EQ(file.read(four), 4U);
  EXPECT_EQ(four, "0123");
  EXPECT_EQ(file.read_at(8, four), 2U);
  EXPECT_EQ(four, "8923");
  EXPECT_EQ(file.read_at(10, four), 0U);
  EXPECT_EQ(file.read(four), 4U) << "goes on where it was";
  EXPECT_EQ(four, "4567");
  EXPECT_EQ(file.read(four), 2U);
  EXPECT_EQ(file.read(four), 0U);
}

TEST(IsStream, APipeIsOneAndAFileIsNot) {
  const TempDir folder;
  write_bytes(folder / "file", "abc");
  EXPECT_FALSE(is_stream(folder / "file"));
  EXPECT_FALSE(is_stream(folder / "nothing"));
  EXPECT_FALSE(is_stream(folder.path()));
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_TRUE(is_stream(folder / "pipe"));
  std::filesystem::create_symlink(folder / "pipe", folder / "link");
  EXPECT_TRUE(is_stream(folder / "link"));
}

TEST(IsStream, ANameThatEachProcessHasForItsOwnIsOneWhateverItLeadsTo) {
  for (const char* name : {"/dev/stdin", "/dev/fd/99", "/proc/self/fd/0", "/dev/../dev/stdin"}) {
    EXPECT_TRUE(is_stream(name)) << name;
  }
}

TEST(InputFile, OfAFolderHasNoSizeAndNoBytes) {
  const TempDir folder;
  InputFile file(folder.path());
  EXPECT_FALSE(file.size());
  std::string bytes(4, ' ');
  EXPECT_THROW((void)file.read(bytes), FileError);
  EXPECT_THROW((void)file.read_at(0, bytes), FileError);
}

TEST(WholeFile, MayHaveItsStartWrittenLast) {
  const TempDir folder;
  WholeFile file(folder / "file");
  file.write("....one");
  file.write_over_start("zero");
  file.write("two");
  file.finish();
  file.publish();
  EXPECT_EQ(read_bytes(folder / "file"), "zeroonetwo");
}

}  // namespace
}  // namespace unroll
