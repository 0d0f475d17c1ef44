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
#include <vector>

#include <unroll/base/error.h>

#include "../support/temp_dir.h"

namespace unroll {
namespace {

constexpr double kMebibyte = 1024.0 * 1024.0;
constexpr double kGibibyte = 1024.0 * kMebibyte;

/// A run of one symbol a window and one hidden unit, with autograd.
MemoryDemand small_run() {
  return {.series_length = 1000,
          .windows = {.batch_size = 1, .num_steps = 1},
          .model = {.num_classes = 2, .hidden_size = 1},
          .engines = {EngineChoice::kAutograd}};
}

/// What a run is refused with where so many bytes are available.
std::string refusal(const MemoryDemand& demand, double available) {
  try {
    check_memory(demand, available);
  } catch (const InvalidOption& error) {
    return error.what();
  }
  return "accepted";
}

/// The option that a run is refused by.
std::string refused_option(const MemoryDemand& demand, double available) {
  const std::string message = refusal(demand, available);
  return message.substr(0, message.find(' '));
}

TEST(CheckMemory, AcceptsTheDefaultsInAHundredMebibytes) {
  EXPECT_EQ(refusal({.series_length = SeriesOptions().series_length,
                     .series_held = 2,
                     .engines = {EngineChoice::kFused}},
                    100 * kMebibyte),
            "accepted");
}

TEST(CheckMemory, ASeriesNeedsSixteenBytesASymbol) {
  MemoryDemand demand = small_run();
  demand.series_length = 1'000'000;  // an input and a target of eight bytes each
  EXPECT_EQ(refusal(demand, 16e6 - 1),
            "series_length must fit in memory, got 1000000: the series needs 15.3 MiB, 15.3 MiB is "
            "available");
  EXPECT_EQ(refusal(demand, 16e6 + 100'000), "accepted");
}

// Measured: 3,000,000 symbols and two epochs take 48 MB more than one epoch.
TEST(CheckMemory, TheNextEpochsSeriesIsCounted) {
  MemoryDemand demand = small_run();
  demand.series_length = 1'000'000;
  demand.series_held = 2;
  EXPECT_EQ(refusal(demand, 32e6 - 1),
            "series_length must fit in memory, got 1000000: an epoch's series with the next one "
            "needs 30.5 MiB, 30.5 MiB is available");
  EXPECT_EQ(refusal(demand, 32e6 + 100'000), "accepted");
}

// How many tensors of the weights' size a run has at its worst moment was measured, with H = 4000,
// as the resident memory beyond that of a run with H = 4.
struct Copies {
  const char* name;
  double measured;
  std::vector<EngineChoice> engines;
  std::int64_t num_steps = 2;
  OptimizerKind optimizer = OptimizerKind::kSgd;
  Precision precision = Precision::kFloat32;
  bool in_ranks = false;
};

std::ostream& operator<<(std::ostream& stream, const Copies& copies) {
  return stream << copies.name;
}

class CheckMemoryCounts : public ::testing::TestWithParam<Copies> {};

TEST_P(CheckMemoryCounts, TheCopiesOfTheWeights) {
  const Copies& copies = GetParam();
  const MemoryDemand demand = {
      .series_length = 1000,
      .windows = {.batch_size = 1, .num_steps = copies.num_steps},
      .model = {.num_classes = 2, .hidden_size = 1000},  // a million recurrent weights
      .optimizer = {.optimizer = copies.optimizer},
      .precision = copies.precision,
      .engines = copies.engines,
      .in_ranks = copies.in_ranks};
  const double bytes = copies.measured * (copies.precision == Precision::kFloat64 ? 8e6 : 4e6);
  EXPECT_EQ(refused_option(demand, 0.99 * bytes), "hidden_size");
  EXPECT_EQ(refusal(demand, 1.02 * bytes), "accepted");
}

constexpr EngineChoice kAutograd = EngineChoice::kAutograd;
constexpr EngineChoice kFused = EngineChoice::kFused;

INSTANTIATE_TEST_SUITE_P(
    Of, CheckMemoryCounts,
    ::testing::Values(
        Copies{"OneStep", 3.01, {kAutograd}, 1}, Copies{"SeveralSteps", 2.98, {kAutograd}},
        Copies{.name = "Float64",
               .measured = 3.02,
               .engines = {kAutograd},
               .precision = Precision::kFloat64},
        Copies{"Adagrad", 4.05, {kAutograd}, 2, OptimizerKind::kAdagrad},
        Copies{"Adam", 6.01, {kAutograd}, 2, OptimizerKind::kAdam},
        Copies{"TwoModels", 9.00, {kAutograd, kAutograd}},
        Copies{"FourModels", 13.02, {kAutograd, kAutograd, kAutograd, kAutograd}},
        Copies{"TwoModelsWithAdam", 13.03, {kAutograd, kAutograd}, 2, OptimizerKind::kAdam},
        Copies{"FusedOfOneStep", 3.99, {kFused}, 1}, Copies{"Fused", 3.99, {kFused}},
        Copies{"FusedBesideAutograd", 10.01, {kAutograd, kFused}},
        Copies{.name = "FusedInRanks", .measured = 5.07, .engines = {kFused}, .in_ranks = true},
        Copies{.name = "AdamInRanks",
               .measured = 7.04,
               .engines = {kAutograd},
               .optimizer = OptimizerKind::kAdam,
               .in_ranks = true}),
    [](const auto& instance) { return instance.param.name; });

// Measured with B = 1000, T = 500, H = 256: 1.05 GB with the fused engine, 2.1 GB with autograd.
TEST(CheckMemory, TheFusedEngineKeepsLessOfAWindow) {
  MemoryDemand demand = {.windows = {.batch_size = 1000, .num_steps = 500},
                         .model = {.num_classes = 2, .hidden_size = 256},
                         .engines = {kFused}};
  EXPECT_EQ(refusal(demand, 1.05e9), "accepted");
  EXPECT_EQ(refused_option(demand, 1.0e9), "batch_size");
  demand.engines = {kAutograd};
  EXPECT_EQ(refused_option(demand, 1.5e9), "batch_size");
  demand.engines = {kAutograd, kFused};
  EXPECT_EQ(refused_option(demand, 2.5e9), "batch_size");
}

TEST(CheckMemory, ManyClassesAreCounted) {
  // A readout of 65,536 x 500 and an input matrix of the same size, three times: 786 MB.
  MemoryDemand demand = small_run();
  demand.model = {.num_classes = 65'536, .hidden_size = 500};
  EXPECT_EQ(refused_option(demand, 780e6), "hidden_size");
  EXPECT_EQ(refusal(demand, 2 * 786e6), "accepted");
}

TEST(CheckMemory, AWideBatchIsToBlameForItsWindow) {
  // A million rows with ten hidden units: 40 MB for the states of one step alone.
  const MemoryDemand demand = {.series_length = 1'000'000,
                               .windows = {.batch_size = 1'000'000, .num_steps = 1},
                               .model = {.num_classes = 2, .hidden_size = 10},
                               .engines = {kAutograd}};
  EXPECT_EQ(refused_option(demand, 50e6), "batch_size");
  EXPECT_EQ(refusal(demand, 1e9), "accepted");
}

TEST(CheckMemory, ALongWindowIsToBlameForItself) {
  const MemoryDemand demand = {.series_length = 1'000'000,
                               .windows = {.batch_size = 1, .num_steps = 1'000'000},
                               .model = {.num_classes = 2, .hidden_size = 10},
                               .engines = {kAutograd}};
  EXPECT_EQ(refused_option(demand, 50e6), "num_steps");
  EXPECT_EQ(refusal(demand, 1e9), "accepted");
}

TEST(CheckMemory, TheSeriesIsToBlameWhereItIsTheLargest) {
  const MemoryDemand demand = {.series_length = 1'000'000'000,
                               .windows = {.batch_size = 1000, .num_steps = 1000},
                               .model = {.num_classes = 2, .hidden_size = 100},
                               .engines = {kAutograd}};
  EXPECT_EQ(refused_option(demand, kGibibyte), "series_length");
}

TEST(CheckMemory, TheLargestSizesOverflowNothing) {
  constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
  MemoryDemand demand = small_run();
  demand.series_length = kLargest;
  EXPECT_EQ(refusal(demand, 8 * kGibibyte),
            "series_length must fit in memory, got 9223372036854775807: the series needs 128.0 "
            "EiB, 8.0 GiB is available");
  demand.windows.batch_size = kLargest;
  EXPECT_EQ(refused_option(demand, 8 * kGibibyte), "batch_size");
  demand = small_run();
  demand.model.hidden_size = kLargest;
  EXPECT_EQ(refused_option(demand, 8 * kGibibyte), "hidden_size");
}

TEST(CheckMemory, ASeriesThatIsInMemoryIsNotCountedAgain) {
  MemoryDemand demand = small_run();
  demand.series_length = 0;
  EXPECT_EQ(refusal(demand, kMebibyte), "accepted");
}

TEST(CheckMemory, AWindowFromAFileNeedsSixteenBytesASymbolMore) {
  MemoryDemand demand = {.windows = {.batch_size = 1'000'000, .num_steps = 1},
                         .model = {.num_classes = 2, .hidden_size = 1},
                         .engines = {EngineChoice::kFused}};
  // Two states and two logits, each of four bytes, beside a network of next to nothing.
  EXPECT_EQ(refused_option(demand, 15.9e6), "batch_size");
  EXPECT_EQ(refusal(demand, 16.1e6), "accepted");
  demand.series_in_file = true;
  EXPECT_EQ(refused_option(demand, 31.9e6), "batch_size");
  EXPECT_EQ(refusal(demand, 32.1e6), "accepted");
}

TEST(CheckMemory, EverythingFitsWithoutALimit) {
  MemoryDemand demand = small_run();
  demand.series_length = 1'000'000'000'000;
  EXPECT_EQ(refusal(demand, std::numeric_limits<double>::infinity()), "accepted");
}

TEST(CheckMemory, NothingFitsInNothing) { EXPECT_NE(refusal(small_run(), 0.0), "accepted"); }

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

TEST(CheckMemory, CountsTheSeriesOfTheEvaluation) {
  MemoryDemand demand = {.series_length = 1, .engines = {EngineChoice::kFused}};
  EXPECT_NO_THROW(check_memory(demand, 1e6));
  demand.eval_length = 1'000'000'000;
  try {
    check_memory(demand, 1e9);
    FAIL() << "it was taken";
  } catch (const InvalidOption& error) {
    EXPECT_EQ(error.option(), "eval_length");
    EXPECT_NE(error.problem().find("needs 14.9 GiB"), std::string::npos) << error.problem();
  }
  EXPECT_NO_THROW(check_memory(demand, 2e10));
}

}  // namespace
}  // namespace unroll
