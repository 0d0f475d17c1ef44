// A run that cannot fit in memory is refused before it starts, by the option that is to blame.

#include <unroll/train/memory.h>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <limits>
#include <string>

#include <unroll/base/error.h>

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
};

/// What a run is refused with where so many bytes are available.
std::string refusal(const Sizes& sizes, double available) {
  try {
    check_memory(sizes.series_length, sizes.windows, sizes.model, {.optimizer = sizes.optimizer},
                 sizes.precision, available);
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

TEST(CheckMemory, ANetworkNeedsItsWeightsAndTheirGradients) {
  // H = 1000: a million recurrent weights, of 4 bytes and with a gradient each.
  const Sizes sizes = {.model = {.num_classes = 2, .hidden_size = 1000}};
  EXPECT_EQ(refused_option(sizes, 8e6), "hidden_size");
  EXPECT_EQ(refusal(sizes, 4 * 8e6), "accepted");
}

TEST(CheckMemory, OptimizersKeepCopiesOfTheWeights) {
  // Adagrad keeps one more number a weight than SGD, Adam two.
  Sizes sizes = {.model = {.num_classes = 2, .hidden_size = 1000},
                 .optimizer = OptimizerKind::kAdagrad};
  EXPECT_EQ(refused_option(sizes, 12e6), "hidden_size");
  EXPECT_EQ(refusal(sizes, 4 * 12e6), "accepted");
  sizes.optimizer = OptimizerKind::kAdam;
  EXPECT_EQ(refused_option(sizes, 16e6), "hidden_size");
  EXPECT_EQ(refusal(sizes, 4 * 16e6), "accepted");
}

TEST(CheckMemory, Float64TakesTwiceAsMuch) {
  const Sizes sizes = {.model = {.num_classes = 2, .hidden_size = 1000},
                       .precision = Precision::kFloat64};
  EXPECT_EQ(refused_option(sizes, 16e6), "hidden_size");
  EXPECT_EQ(refusal(sizes, 4 * 16e6), "accepted");
}

TEST(CheckMemory, ManyClassesAreCounted) {
  // A readout of 65,536 x 500 and an input matrix of the same size, with gradients: 524 MB.
  const Sizes sizes = {.model = {.num_classes = 65'536, .hidden_size = 500}};
  EXPECT_EQ(refused_option(sizes, 520e6), "hidden_size");
  EXPECT_EQ(refusal(sizes, 4 * 524e6), "accepted");
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
