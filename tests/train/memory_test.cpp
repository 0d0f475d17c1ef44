// A run that cannot fit in memory is refused before it starts, by the option that is to blame.

#include <unroll/train/memory.h>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <ostream>
#include <string>

#include <unroll/base/error.h>

#include "../support/temp_dir.h"

namespace unroll {
namespace {

constexpr double kMebibyte = 1024.0 * 1024.0;
constexpr double kGibibyte = 1024.0 * kMebibyte;

/// A run, small but for what a test changes.
struct Sizes {
  std::int64_t series_length = 1000;
  WindowOptions windows = {.batch_size = 1, .num_steps = 1};
  ModelOptions model = {.num_classes = 2, .hidden_size = 1};
  OptimizerKind optimizer = OptimizerKind::kSgd;
  Precision precision = Precision::kFloat32;
  std::int64_t models = 1;
};

/// What a run is refused with where so many bytes are available.
std::string refusal(const Sizes& sizes, double available) {
  try {
    check_memory(sizes.series_length, sizes.windows, sizes.model, {.optimizer = sizes.optimizer},
                 sizes.precision, available, sizes.models);
  } catch (const InvalidOption& error) {
    return error.what();
  }
  return "accepted";
}

/// The option that a run is refused by.
std::string refused_option(const Sizes& sizes, double available) {
  const std::string message = refusal(sizes, available);
  return message.substr(0, message.find(' '));
}

TEST(CheckMemory, AcceptsTheDefaultsInAHundredMebibytes) {
  EXPECT_NO_THROW(check_memory(SeriesOptions().series_length, WindowOptions(), ModelOptions(),
                               OptimizerOptions(), Precision::kFloat32, 100 * kMebibyte));
}

TEST(CheckMemory, ASeriesNeedsSixteenBytesASymbol) {
  const Sizes sizes = {.series_length = 1'000'000};  // an input and a target of eight bytes each
  EXPECT_EQ(refusal(sizes, 16e6 - 1),
            "series_length must fit in memory, got 1000000: the series needs 15.3 MiB, 15.3 MiB is "
            "available");
  EXPECT_EQ(refusal(sizes, 16e6 + 100'000), "accepted");
}

// How many tensors of the weights' size a run has at its worst moment was measured, with H = 4000,
// as the resident memory beyond that of a run with H = 4.
struct Copies {
  const char* name;
  double measured;
  Sizes sizes;
};

std::ostream& operator<<(std::ostream& stream, const Copies& copies) {
  return stream << copies.name;
}

class CheckMemoryCounts : public ::testing::TestWithParam<Copies> {};

TEST_P(CheckMemoryCounts, TheCopiesOfTheWeights) {
  Sizes sizes = GetParam().sizes;
  sizes.model = {.num_classes = 2, .hidden_size = 1000};  // a million recurrent weights
  const double bytes = GetParam().measured * (sizes.precision == Precision::kFloat64 ? 8e6 : 4e6);
  EXPECT_EQ(refused_option(sizes, 0.99 * bytes), "hidden_size");
  EXPECT_EQ(refusal(sizes, 1.02 * bytes), "accepted");
}

constexpr WindowOptions kTwoSteps = {.batch_size = 1, .num_steps = 2};

INSTANTIATE_TEST_SUITE_P(
    Of, CheckMemoryCounts,
    ::testing::Values(
        Copies{"OneStep", 3.01, {}}, Copies{"SeveralSteps", 4.00, {.windows = kTwoSteps}},
        Copies{"Float64", 4.00, {.windows = kTwoSteps, .precision = Precision::kFloat64}},
        Copies{"Adagrad", 5.01, {.windows = kTwoSteps, .optimizer = OptimizerKind::kAdagrad}},
        Copies{"Adam", 6.02, {.windows = kTwoSteps, .optimizer = OptimizerKind::kAdam}},
        Copies{"TwoModels", 9.00, {.windows = kTwoSteps, .models = 2}},
        Copies{"FourModels", 13.02, {.windows = kTwoSteps, .models = 4}},
        Copies{"TwoModelsWithAdam",
               13.03,
               {.windows = kTwoSteps, .optimizer = OptimizerKind::kAdam, .models = 2}}),
    [](const auto& instance) { return instance.param.name; });

TEST(CheckMemory, ManyClassesAreCounted) {
  // A readout of 65,536 x 500 and an input matrix of the same size, three times: 786 MB.
  const Sizes sizes = {.model = {.num_classes = 65'536, .hidden_size = 500}};
  EXPECT_EQ(refused_option(sizes, 780e6), "hidden_size");
  EXPECT_EQ(refusal(sizes, 2 * 786e6), "accepted");
}

TEST(CheckMemory, AWideBatchIsToBlameForItsWindow) {
  // A million rows with ten hidden units: 40 MB for the states of one step alone.
  const Sizes sizes = {.series_length = 1'000'000,
                       .windows = {.batch_size = 1'000'000, .num_steps = 1},
                       .model = {.num_classes = 2, .hidden_size = 10}};
  EXPECT_EQ(refused_option(sizes, 50e6), "batch_size");
  EXPECT_EQ(refusal(sizes, 1e9), "accepted");
}

TEST(CheckMemory, ALongWindowIsToBlameForItself) {
  const Sizes sizes = {.series_length = 1'000'000,
                       .windows = {.batch_size = 1, .num_steps = 1'000'000},
                       .model = {.num_classes = 2, .hidden_size = 10}};
  EXPECT_EQ(refused_option(sizes, 50e6), "num_steps");
  EXPECT_EQ(refusal(sizes, 1e9), "accepted");
}

TEST(CheckMemory, TheSeriesIsToBlameWhereItIsTheLargest) {
  const Sizes sizes = {.series_length = 1'000'000'000,
                       .windows = {.batch_size = 1000, .num_steps = 1000},
                       .model = {.num_classes = 2, .hidden_size = 100}};
  EXPECT_EQ(refused_option(sizes, kGibibyte), "series_length");
}

TEST(CheckMemory, TheLargestSizesOverflowNothing) {
  constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(refusal({.series_length = kLargest}, 8 * kGibibyte),
            "series_length must fit in memory, got 9223372036854775807: the series needs 128.0 "
            "EiB, 8.0 GiB is available");
  EXPECT_EQ(refused_option({.model = {.num_classes = 2, .hidden_size = kLargest}}, 8 * kGibibyte),
            "hidden_size");
  EXPECT_EQ(refused_option(
                {.series_length = kLargest, .windows = {.batch_size = kLargest, .num_steps = 1}},
                8 * kGibibyte),
            "batch_size");
}

TEST(CheckMemory, ASeriesThatIsInMemoryIsNotCountedAgain) {
  EXPECT_EQ(refusal({.series_length = 0}, kMebibyte), "accepted");
}

TEST(CheckMemory, EverythingFitsWithoutALimit) {
  EXPECT_EQ(refusal({.series_length = 1'000'000'000'000}, std::numeric_limits<double>::infinity()),
            "accepted");
}

TEST(CheckMemory, NothingFitsInNothing) { EXPECT_NE(refusal({}, 0.0), "accepted"); }

TEST(AvailableMemory, IsSomeAndNoMoreThanTheMachineHas) {
  const double all =
      static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  EXPECT_GT(available_memory(), 0.0);
  EXPECT_LE(available_memory(), all);
}

/// A file system of control groups, in which a process is in /outer/inner.
class ControlGroups : public ::testing::Test {
 protected:
  ControlGroups() {
    std::filesystem::create_directories(folder / "fs/outer/inner");
    testing::write_bytes(folder / "membership", "1:cpu:/elsewhere\n0::/outer/inner\n");
  }

  void limit(const std::string& group, const std::string& most, const std::string& used) const {
    testing::write_bytes(folder / ("fs" + group + "/memory.max"), most + "\n");
    testing::write_bytes(folder / ("fs" + group + "/memory.current"), used + "\n");
  }

  [[nodiscard]] double memory() const {
    return control_group_memory(folder / "membership", folder / "fs");
  }

  testing::TempDir folder;
};

TEST_F(ControlGroups, WithoutLimitsLeaveEverything) {
  EXPECT_EQ(memory(), std::numeric_limits<double>::infinity());
  limit("/outer/inner", "max", "7");
  EXPECT_EQ(memory(), std::numeric_limits<double>::infinity());
  EXPECT_EQ(control_group_memory(folder / "none", folder / "fs"),
            std::numeric_limits<double>::infinity());
}

TEST_F(ControlGroups, LeaveWhatTheTightestOfThemLeaves) {
  limit("/outer/inner", "1000", "300");
  EXPECT_EQ(memory(), 700.0);
  limit("/outer", "2000", "1500");
  EXPECT_EQ(memory(), 500.0);
  limit("", "100", "200");
  EXPECT_EQ(memory(), 0.0);
}

TEST_F(ControlGroups, CanDropTheFilesThatTheyCache) {
  limit("/outer", "2000", "1900");
  testing::write_bytes(folder / "fs/outer/memory.stat", "anon 100\ninactive_file 1000\n");
  EXPECT_EQ(memory(), 1100.0);
}

TEST(AvailableMemory, RespectsTheAddressSpacesLimit) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_AS, &before), 0);
  double pages = 0.0;
  std::ifstream("/proc/self/statm") >> pages;
  const double used = pages * static_cast<double>(::sysconf(_SC_PAGESIZE));
  const rlimit limit = {.rlim_cur = static_cast<rlim_t>(used + 64 * kMebibyte),
                        .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &limit), 0);
  const double available = available_memory();
  ::setrlimit(RLIMIT_AS, &before);
  EXPECT_LE(available, 64 * kMebibyte);
  EXPECT_GT(available, 32 * kMebibyte);
}

}  // namespace
}  // namespace unroll
