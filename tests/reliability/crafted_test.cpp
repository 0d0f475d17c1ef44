// The files of crafted/, wrong on purpose: each is refused with a typed error of one line that
// names it, and in memory that its size bounds.

#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <new>
#include <set>
#include <string>

#include <unroll/base/error.h>
#include <unroll/base/file.h>
#include <unroll/data/csv.h>
#include <unroll/data/series_file.h>
#include <unroll/run/config.h>
#include <unroll/run/safetensors.h>
#include <unroll/run/weights_file.h>

#include "../support/temp_dir.h"

namespace {

/// What this thread has allocated with `new` and not freed, in bytes, and the most of it at once.
struct Allocated {
  std::ptrdiff_t now = 0;
  std::ptrdiff_t most = 0;
};

thread_local Allocated allocated;

std::ptrdiff_t usable_size(void* memory) {
  return static_cast<std::ptrdiff_t>(::malloc_usable_size(memory));
}

}  // namespace

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  void* const memory = std::malloc(size);
  allocated.now += usable_size(memory);
  allocated.most = std::max(allocated.most, allocated.now);
  return memory;
}

void* operator new(std::size_t size) {
  void* const memory = ::operator new(size, std::nothrow);
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return memory;
}

void operator delete(void* memory) noexcept {
  allocated.now -= usable_size(memory);
  std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept { ::operator delete(memory); }

namespace unroll {
namespace {

using testing::names_in;
using testing::TempDir;
using testing::write_bytes;

/// A reader may take this much for whatever it reads: messages, the parser's own buffers, and what
/// LibTorch sets up at its first operation.
constexpr std::size_t kFixedBytes = 65'536;

/// And this much for each byte of the file, which is one of them. The dearest is JSON, whose parser
/// makes of the three bytes `{},` a value of 16, up to three times over while their array grows to
/// twice its size, and an object of 48. With a copy of the array that is 60 a byte, measured.
constexpr std::size_t kBytesPerByte = 64;

const std::filesystem::path crafted_folder = UNROLL_CRAFTED_DIR;

std::string message_fault(const std::string& message, const std::string& path) {
  constexpr std::size_t kLongestProblem = 500;
  const auto is_printable = [](char c) { return c >= 0x20 && c <= 0x7E; };
  if (!message.starts_with(path + ":")) {
    return "its message does not begin with its name: " + message;
  }
  if (!std::all_of(message.begin(), message.end(), is_printable) ||
      message.size() > path.size() + kLongestProblem) {
    return "its message is no short printable line: " + message;
  }
  return {};
}

/// What is wrong with the way `read` takes the bad file at `path`; empty if it refuses it as it
/// should.
template <typename Read>
std::string fault(const std::string& path, const Read& read) {
  const std::ptrdiff_t before = allocated.now;
  allocated.most = before;
  try {
    read(path);
    return "it was read";
  } catch (const FileError& error) {
    const auto taken = static_cast<std::size_t>(allocated.most - before);
    const std::size_t allowed = kFixedBytes + kBytesPerByte * std::filesystem::file_size(path);
    if (taken > allowed) {
      return "it took " + std::to_string(taken) + " bytes of memory, " + std::to_string(allowed) +
             " are allowed";
    }
    return message_fault(error.what(), path);
  } catch (const std::exception& error) {
    return std::string("it was refused with another error than FileError: ") + error.what();
  }
}

/// Every file of a folder of crafted_folder must be refused.
template <typename Read>
void expect_all_refused(const std::string& folder, const Read& read) {
  constexpr std::size_t kFewest = 30;
  const std::set<std::string> names = names_in(crafted_folder / folder);
  EXPECT_GE(names.size(), kFewest);
  for (const std::string& name : names) {
    EXPECT_EQ(fault(crafted_folder / folder / name, read), "") << name;
  }
}

template <typename Read>
void expect_all_read(const std::string& folder, const Read& read) {
  for (const std::string& name : names_in(crafted_folder / folder)) {
    EXPECT_NO_THROW(read(crafted_folder / folder / name)) << name;
  }
}

void read_as_safetensors(const std::string& path) { parse_safetensors(read_file(path), path); }
void read_as_csv(const std::string& path) { parse_csv(read_file(path), path); }
void read_as_series(const std::string& path) {
  const SeriesFile file(path);
  const auto count = static_cast<std::size_t>(file.length());
  std::vector<std::int64_t> inputs(count);
  std::vector<std::int64_t> targets(count);
  file.read(0, file.length(), inputs.data(), targets.data());
  file.check_digest();
}
void read_as_config(const std::string& path) { parse_config(read_file(path), path); }

/// As the weights of generate.py's network. The tensors' own bytes, at most the file's, come from
/// LibTorch's allocator and are not counted.
void read_as_weights(const std::string& path) {
  load_weights(path, {.num_classes = 2, .hidden_size = 4}, torch::kFloat32);
}

TEST(CraftedFiles, SafetensorsAreRefused) {
  expect_all_refused("safetensors", read_as_safetensors);
}

TEST(CraftedFiles, WeightsAreRefused) { expect_all_refused("weights", read_as_weights); }

TEST(CraftedFiles, CsvIsRefused) { expect_all_refused("csv", read_as_csv); }

TEST(CraftedFiles, SeriesAreRefused) { expect_all_refused("series", read_as_series); }

TEST(CraftedFiles, ConfigsAreRefused) { expect_all_refused("config", read_as_config); }

TEST(CraftedFiles, ManyObjectsDoNotTakeTheSquareOfTheirTime) {
  // A reader that looks over all objects at the end of each takes the better part of a minute.
  constexpr int kObjects = 300'000;
  constexpr std::chrono::seconds kLongest{10};
  std::string header = R"({"x":[)";
  for (int i = 0; i < kObjects; ++i) {
    header += "{},";
  }
  header += "{}]}";
  std::string file(sizeof(std::uint64_t), '\0');
  const std::uint64_t length = header.size();
  std::memcpy(file.data(), &length, sizeof length);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THROW(parse_safetensors(file + header, "my.safetensors"), FileError);
  EXPECT_THROW(parse_config(header, "config.json"), FileError);
  EXPECT_LT(std::chrono::steady_clock::now() - start, kLongest);
}

TEST(CraftedFiles, WeightsFailForTheNetworkNotTheFormat) {
  expect_all_read("weights", read_as_safetensors);
}

TEST(CraftedFiles, ThoseTheyWereMadeFromAreRead) {
  expect_all_read("valid/safetensors", read_as_safetensors);
  expect_all_read("valid/csv", read_as_csv);
  expect_all_read("valid/series", read_as_series);
  expect_all_read("valid/config", read_as_config);
  EXPECT_NO_THROW(read_as_weights(crafted_folder / "valid/safetensors/network.safetensors"));
}

TEST(CraftedFiles, TheCheckCatchesABadReader) {
  const TempDir dir;
  const std::string path = dir / "small";
  write_bytes(path, "0123456789");
  const auto fault_of = [&path](const auto& read) { return fault(path, read); };
  EXPECT_EQ(fault_of([](const std::string&) {}), "it was read");
  EXPECT_EQ(fault_of([](const std::string& name) { throw FileError(name, "is bad"); }), "");
  EXPECT_EQ(fault_of([](const std::string&) { throw std::bad_alloc(); }),
            "it was refused with another error than FileError: std::bad_alloc");
  EXPECT_EQ(fault_of([](const std::string&) { throw FileError("other", "is bad"); }),
            "its message does not begin with its name: other: is bad");
  EXPECT_NE(fault_of([](const std::string& name) { throw FileError(name, "is\nbad"); }), "");
  EXPECT_NE(fault_of([](const std::string& name) {
              const std::string greedy(1'000'000, 'x');
              throw FileError(name, "is bad: " + greedy.substr(0, 1));
            }),
            "");
}

}  // namespace
}  // namespace unroll
