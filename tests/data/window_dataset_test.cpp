// The dataset on a ramp, where a wrong index shows as a wrong number: input t is t, target t is
// 1000 + t.

#include <unroll/data/window_dataset.h>

#include <gtest/gtest.h>
#include <torch/data/dataloader.h>
#include <torch/data/samplers/sequential.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <unroll/base/error.h>
#include <unroll/data/conversion.h>

#include "../support/temp_dir.h"
#include "../support/tensors.h"

namespace unroll {
namespace {

using Symbols = std::vector<std::int64_t>;

constexpr std::int64_t kFirstTarget = 1000;

std::shared_ptr<const Series> ramp(std::int64_t length) {
  const auto series = std::make_shared<Series>();
  series->inputs.resize(static_cast<std::size_t>(length));
  series->targets.resize(static_cast<std::size_t>(length));
  std::iota(series->inputs.begin(), series->inputs.end(), 0);
  std::iota(series->targets.begin(), series->targets.end(), kFirstTarget);
  series->num_classes = kFirstTarget + length;
  return series;
}

WindowDataset cut(const std::shared_ptr<const Series>& series, std::int64_t batch_size,
                  std::int64_t num_steps) {
  return {series, {.batch_size = batch_size, .num_steps = num_steps}, torch::kCPU};
}

/// Every input that the dataset gives, each as often as it is given.
std::multiset<std::int64_t> all_inputs(const WindowDataset& dataset) {
  std::multiset<std::int64_t> all;
  for (std::int64_t k = 0; k < dataset.window_count(); ++k) {
    for (const std::int64_t symbol : testing::symbols(dataset.window(k).inputs)) {
      all.insert(symbol);
    }
  }
  return all;
}

TEST(WindowDataset, GivesInt64InputsAndTargetsOfBatchTimesSteps) {
  const WindowDataset dataset = cut(ramp(60), 3, 5);
  for (std::int64_t k = 0; k < dataset.window_count(); ++k) {
    const Window window = dataset.window(k);
    EXPECT_EQ(window.inputs.sizes().vec(), (Symbols{3, 5}));
    EXPECT_EQ(window.targets.sizes().vec(), (Symbols{3, 5}));
    EXPECT_EQ(window.inputs.scalar_type(), torch::kInt64);
    EXPECT_EQ(window.targets.scalar_type(), torch::kInt64);
    EXPECT_TRUE(window.inputs.device().is_cpu());
  }
}

TEST(WindowDataset, CutsTheSeriesIntoContiguousRowsAndRowsIntoWindows) {
  const WindowDataset dataset = cut(ramp(12), 2, 3);  // rows 0..5 and 6..11
  ASSERT_EQ(dataset.window_count(), 2);
  EXPECT_EQ(testing::symbols(dataset.window(0).inputs), (Symbols{0, 1, 2, 6, 7, 8}));
  EXPECT_EQ(testing::symbols(dataset.window(1).inputs), (Symbols{3, 4, 5, 9, 10, 11}));
  EXPECT_EQ(testing::symbols(dataset.window(0).targets),
            (Symbols{1000, 1001, 1002, 1006, 1007, 1008}));
  EXPECT_EQ(testing::symbols(dataset.window(1).targets),
            (Symbols{1003, 1004, 1005, 1009, 1010, 1011}));
}

TEST(WindowDataset, PutsEverySymbolWhereItsRowWindowAndStepSay) {
  const std::int64_t N = 1237;
  const std::int64_t B = 7;
  const std::int64_t T = 11;
  const std::int64_t row_length = 176;  // 1237 / 7
  const WindowDataset dataset = cut(ramp(N), B, T);
  ASSERT_EQ(dataset.window_count(), 16);  // 176 / 11
  for (std::int64_t k = 0; k < 16; ++k) {
    const Symbols inputs = testing::symbols(dataset.window(k).inputs);
    const Symbols targets = testing::symbols(dataset.window(k).targets);
    for (std::int64_t row = 0; row < B; ++row) {
      for (std::int64_t step = 0; step < T; ++step) {
        const auto place = static_cast<std::size_t>(row * T + step);
        ASSERT_EQ(inputs[place], row * row_length + k * T + step) << "window " << k;
        ASSERT_EQ(targets[place], kFirstTarget + inputs[place]) << "window " << k;
      }
    }
  }
}

TEST(WindowDataset, DropsTheTail) {
  const WindowDataset dataset = cut(ramp(22), 2, 3);  // rows 0..10 and 11..21
  ASSERT_EQ(dataset.window_count(), 3);
  EXPECT_EQ(testing::symbols(dataset.window(2).inputs), (Symbols{6, 7, 8, 17, 18, 19}));
  const std::multiset<std::int64_t> all = all_inputs(dataset);
  for (const std::int64_t dropped : {9, 10, 20, 21}) {
    EXPECT_EQ(all.count(dropped), 0U) << dropped;
  }
  EXPECT_EQ(all.size(), 18U);
}

TEST(WindowDataset, DropsWhatDoesNotFillARow) {
  const WindowDataset dataset = cut(ramp(14), 3, 2);  // rows 0..3, 4..7 and 8..11
  ASSERT_EQ(dataset.window_count(), 2);
  EXPECT_EQ(testing::symbols(dataset.window(0).inputs), (Symbols{0, 1, 4, 5, 8, 9}));
  EXPECT_EQ(testing::symbols(dataset.window(1).inputs), (Symbols{2, 3, 6, 7, 10, 11}));
}

TEST(WindowDataset, GivesEverySymbolOnceIfNothingIsLeftOver) {
  const std::multiset<std::int64_t> all = all_inputs(cut(ramp(60), 3, 5));
  ASSERT_EQ(all.size(), 60U);
  for (std::int64_t symbol = 0; symbol < 60; ++symbol) {
    EXPECT_EQ(all.count(symbol), 1U) << symbol;
  }
}

TEST(WindowDataset, TakesTheSmallestAndTheLargestSizesThatFit) {
  EXPECT_EQ(cut(ramp(1), 1, 1).window_count(), 1);
  EXPECT_EQ(cut(ramp(9), 1, 1).window_count(), 9);
  EXPECT_EQ(cut(ramp(9), 9, 1).window_count(), 1);
  EXPECT_EQ(cut(ramp(9), 1, 9).window_count(), 1);
  EXPECT_EQ(cut(ramp(9), 2, 4).window_count(), 1);
  EXPECT_EQ(testing::symbols(cut(ramp(9), 9, 1).window(0).inputs),
            (Symbols{0, 1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(WindowDataset, WindowsAreViewsOfTheSeriesOwnMemory) {
  const auto series = ramp(23);
  const WindowDataset dataset = cut(series, 2, 3);
  for (std::int64_t k = 0; k < dataset.window_count(); ++k) {
    const Window window = dataset.window(k);
    EXPECT_EQ(window.inputs.const_data_ptr<std::int64_t>(), series->inputs.data() + k * 3);
    EXPECT_EQ(window.targets.const_data_ptr<std::int64_t>(), series->targets.data() + k * 3);
    EXPECT_EQ(window.inputs.strides().vec(), (Symbols{11, 1}));
    EXPECT_EQ(window.targets.strides().vec(), (Symbols{11, 1}));
  }
}

TEST(WindowDataset, KeepsTheSeriesAliveAsLongAsAWindowLives) {
  auto series = ramp(12);
  const std::weak_ptr<const Series> watch = series;
  std::optional<WindowDataset> dataset = cut(series, 2, 3);
  series.reset();
  std::optional<Window> window = dataset->window(1);
  dataset.reset();
  ASSERT_FALSE(watch.expired());
  window->inputs.reset();
  ASSERT_FALSE(watch.expired());
  EXPECT_EQ(testing::symbols(window->targets), (Symbols{1003, 1004, 1005, 1009, 1010, 1011}));
  window.reset();
  EXPECT_TRUE(watch.expired());
}

TEST(WindowDataset, LetsTheSeriesGoWithItself) {
  auto series = ramp(12);
  const std::weak_ptr<const Series> watch = series;
  {
    const WindowDataset dataset = cut(series, 2, 3);
    series.reset();
    ASSERT_FALSE(watch.expired());
  }
  EXPECT_TRUE(watch.expired());
}

TEST(WindowDataset, ThrowsOutOfRangeNamingWindowAndCount) {
  WindowDataset dataset = cut(ramp(12), 2, 3);
  EXPECT_THROW(static_cast<void>(dataset.window(-1)), std::out_of_range);
  EXPECT_THROW(static_cast<void>(dataset.window(std::numeric_limits<std::int64_t>::max())),
               std::out_of_range);
  EXPECT_THROW(static_cast<void>(dataset.window(std::numeric_limits<std::int64_t>::min())),
               std::out_of_range);
  EXPECT_THROW(dataset.get(std::numeric_limits<std::size_t>::max()), std::out_of_range);
  try {
    static_cast<void>(dataset.window(2));
    FAIL() << "window 2 of 2 was given";
  } catch (const std::out_of_range& error) {
    EXPECT_STREQ(error.what(), "window 2 of a dataset of 2 windows");
  }
}

TEST(WindowDataset, SaysItsSizeInBothTongues) {
  const WindowDataset dataset = cut(ramp(23), 2, 3);
  EXPECT_EQ(dataset.window_count(), 3);
  EXPECT_EQ(dataset.size(), std::optional<std::size_t>(3));
}

/// The inputs of every window that a DataLoader gives, window by window; `sizes` are its batches'.
template <typename Loader>
std::vector<Symbols> loaded_inputs(Loader& loader, std::vector<std::size_t>& sizes) {
  std::vector<Symbols> inputs;
  for (const std::vector<Window>& batch : loader) {
    sizes.push_back(batch.size());
    for (const Window& window : batch) {
      inputs.push_back(testing::symbols(window.inputs));
      for (std::size_t i = 0; i < inputs.back().size(); ++i) {
        EXPECT_EQ(testing::symbols(window.targets)[i], kFirstTarget + inputs.back()[i]);
      }
    }
  }
  return inputs;
}

// 26 symbols in 2 rows of 13: 4 windows of 3.
std::vector<Symbols> loaded_in_order() {
  return {
      {0, 1, 2, 13, 14, 15}, {3, 4, 5, 16, 17, 18}, {6, 7, 8, 19, 20, 21}, {9, 10, 11, 22, 23, 24}};
}

TEST(WindowDataset, ADataLoaderGivesItsWindowsInOrder) {
  auto loader = torch::data::make_data_loader<torch::data::samplers::SequentialSampler>(
      cut(ramp(26), 2, 3), torch::data::DataLoaderOptions().batch_size(1));
  std::vector<std::size_t> sizes;
  EXPECT_EQ(loaded_inputs(*loader, sizes), loaded_in_order());
  EXPECT_EQ(sizes, (std::vector<std::size_t>{1, 1, 1, 1}));
}

TEST(WindowDataset, ADataLoaderGivesSeveralWindowsAtATime) {
  auto loader = torch::data::make_data_loader<torch::data::samplers::SequentialSampler>(
      cut(ramp(26), 2, 3), torch::data::DataLoaderOptions().batch_size(3));
  std::vector<std::size_t> sizes;
  EXPECT_EQ(loaded_inputs(*loader, sizes), loaded_in_order());
  EXPECT_EQ(sizes, (std::vector<std::size_t>{3, 1}));
}

TEST(WindowDataset, ADataLoaderWithWorkersGivesTheSameWindows) {
  auto loader = torch::data::make_data_loader<torch::data::samplers::SequentialSampler>(
      cut(ramp(26), 2, 3), torch::data::DataLoaderOptions().batch_size(1).workers(2));
  std::vector<std::size_t> sizes;
  EXPECT_EQ(loaded_inputs(*loader, sizes), loaded_in_order());
}

struct BadSize {
  std::int64_t length;
  std::int64_t batch_size;
  std::int64_t num_steps;
  std::string option;
  std::string problem;
};

TEST(WindowDataset, RefusesSizesOfWhichNoWindowFits) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  const std::vector<BadSize> cases = {
      {12, 0, 3, "batch_size", "must be at least 1, got 0"},
      {12, -1, 3, "batch_size", "must be at least 1, got -1"},
      {12, kLeast, 3, "batch_size", "must be at least 1, got -9223372036854775808"},
      {12, 2, 0, "num_steps", "must be at least 1, got 0"},
      {12, 2, -4, "num_steps", "must be at least 1, got -4"},
      {12, 13, 1, "batch_size",
       "must be at most the series' 12 symbols, got 13; --batch-size 12 --num-steps 1 would fit"},
      {12, kMost, 1, "batch_size",
       "must be at most the series' 12 symbols, got 9223372036854775807; --batch-size 12 "
       "--num-steps 1 would fit"},
      {0, 1, 1, "batch_size", "must be at most the series' 0 symbols, got 1"},
      {12, 2, 7, "num_steps",
       "must be at most 6, the length of a row (12 symbols in 2 rows), got 7; --batch-size 1 "
       "--num-steps 7 would fit"},
      {13, 2, kMost, "num_steps",
       "must be at most 6, the length of a row (13 symbols in 2 rows), got 9223372036854775807; "
       "--batch-size 1 --num-steps 13 would fit"},
  };
  for (const BadSize& bad : cases) {
    SCOPED_TRACE(bad.option + " " + bad.problem);
    try {
      cut(ramp(bad.length), bad.batch_size, bad.num_steps);
      ADD_FAILURE() << "was taken";
    } catch (const InvalidOption& error) {
      EXPECT_EQ(error.option(), bad.option);
      EXPECT_EQ(error.problem(), bad.problem);
    }
  }
}

TEST(WindowDataset, RefusesASeriesWithATargetMissing) {
  const auto series = std::make_shared<Series>();
  series->inputs = {0, 1, 0, 1};
  series->targets = {0, 1, 0};
  EXPECT_THROW(WindowDataset(series, {.batch_size = 1, .num_steps = 2}, torch::kCPU),
               std::invalid_argument);
}

TEST(WindowDataset, GivesSeveralWindowsOneBehindTheOther) {
  const WindowDataset dataset = cut(ramp(60), 3, 5);
  const Window both = dataset.windows(1, 2);
  EXPECT_TRUE(torch::equal(both.inputs,
                           torch::cat({dataset.window(1).inputs, dataset.window(2).inputs}, 1)));
  EXPECT_TRUE(torch::equal(both.targets,
                           torch::cat({dataset.window(1).targets, dataset.window(2).targets}, 1)));
  EXPECT_EQ(dataset.windows(4, 0).inputs.sizes(), (std::vector<std::int64_t>{3, 0}));
  EXPECT_THROW(dataset.windows(3, 2), std::out_of_range);
  EXPECT_THROW(dataset.windows(1, -1), std::out_of_range);
}

TEST(WindowDataset, GivesTheSameWindowsOfSomeOfItsRows) {
  const WindowDataset some = cut(ramp(18), 3, 2).select_rows(1, 2);  // rows 6..11 and 12..17
  EXPECT_EQ(some.batch_size(), 2);
  ASSERT_EQ(some.window_count(), 3);
  EXPECT_EQ(testing::symbols(some.window(1).inputs), (Symbols{8, 9, 14, 15}));
  EXPECT_EQ(testing::symbols(some.window(1).targets), (Symbols{1008, 1009, 1014, 1015}));
}

TEST(WindowDataset, ThrowsOutOfRangeForRowsThatItHasNot) {
  const WindowDataset dataset = cut(ramp(18), 3, 2);
  EXPECT_THROW((void)dataset.select_rows(-1, 2), std::out_of_range);
  EXPECT_THROW((void)dataset.select_rows(2, 2), std::out_of_range);
  EXPECT_THROW((void)dataset.select_rows(0, 0), std::out_of_range);
}

TEST(WindowDataset, RefusesASymbolThatIsNoClass) {
  const auto series = std::make_shared<Series>(
      Series{.inputs = {0, 1, 1, 0}, .targets = {0, 1, 2, 1}, .num_classes = 2});
  try {
    cut(series, 1, 2);
    FAIL() << "no exception";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "the symbol 2 at 2 of a series of 2 classes");
  }
}

/// A series whose symbols are in a file, and the same in memory.
class WindowsOfAFile : public ::testing::Test {
 protected:
  void make(std::int64_t length, std::int64_t num_classes) {
    series = testing::scrambled_series(length, num_classes);
    testing::write_bytes(folder / "series.csv", testing::csv_of(*series));
    const auto go_on = [](std::int64_t /*bytes*/) { return true; };
    convert_csv(folder / "series.csv", folder / "series.bin", go_on);
    in_file = std::make_shared<const Series>(
        series_in(std::make_shared<const SeriesFile>(folder / "series.bin")));
  }

  testing::TempDir folder;
  std::shared_ptr<const Series> series;
  std::shared_ptr<const Series> in_file;
};

bool same(const Window& left, const Window& right) {
  return torch::equal(left.inputs, right.inputs) && torch::equal(left.targets, right.targets);
}

TEST_F(WindowsOfAFile, AreThoseOfMemory) {
  for (const std::int64_t num_classes : {2, 3, 300}) {
    make(100'003, num_classes);  // of several blocks, with remainders of rows and windows
    for (const std::int64_t batch_size : {1, 3, 32, 7'001}) {
      SCOPED_TRACE(batch_size);
      const WindowDataset expected = cut(series, batch_size, 7);
      const WindowDataset actual = cut(in_file, batch_size, 7);
      ASSERT_EQ(actual.window_count(), expected.window_count());
      EXPECT_EQ(actual.batch_size(), batch_size);
      EXPECT_EQ(actual.num_classes(), expected.num_classes());
      for (std::int64_t k = 0; k < expected.window_count(); ++k) {
        ASSERT_TRUE(same(actual.window(k), expected.window(k))) << k;
      }
      const std::int64_t all = expected.window_count();
      EXPECT_TRUE(same(actual.windows(0, all), expected.windows(0, all)));
    }
  }
}

TEST_F(WindowsOfAFile, MayBeAskedForInAnyOrder) {
  make(500'000, 5);
  const WindowDataset expected = cut(series, 2, 10);
  const WindowDataset actual = cut(in_file, 2, 10);
  const std::int64_t block = actual.left_in_block(0);
  ASSERT_GT(expected.window_count(), 3 * block);
  for (const auto& [first, count] :
       std::vector<std::pair<std::int64_t, std::int64_t>>{{0, 0},
                                                          {0, 1},
                                                          {block - 1, 2},
                                                          {block, 3},
                                                          {block + 1, 1},
                                                          {3 * block, 1},
                                                          {block / 2, 2 * block},
                                                          {5, 5}}) {
    EXPECT_TRUE(same(actual.windows(first, count), expected.windows(first, count))) << first;
  }
  EXPECT_THROW((void)actual.windows(expected.window_count(), 1), std::out_of_range);
}

TEST_F(WindowsOfAFile, AreThoseOfMemoryOfSomeRows) {
  make(500'000, 5);
  const WindowDataset expected = cut(series, 10, 10);
  const WindowDataset all = cut(in_file, 10, 10);
  for (const std::int64_t first : {0, 4999, 100}) {
    for (const std::int64_t row : {0, 3, 9}) {
      const WindowDataset some = all.select_rows(row, 10 - row).select_rows(0, 1);
      EXPECT_EQ(some.batch_size(), 1);
      const Window window = some.windows(first, 1);
      const Window rows = expected.windows(first, 1);
      EXPECT_TRUE(torch::equal(window.inputs, rows.inputs.narrow(0, row, 1))) << first << row;
      EXPECT_TRUE(torch::equal(window.targets, rows.targets.narrow(0, row, 1))) << first << row;
    }
    EXPECT_TRUE(torch::equal(all.window(first).inputs, expected.window(first).inputs)) << first;
  }
}

TEST_F(WindowsOfAFile, OutliveTheirBlock) {
  make(500'000, 5);
  const WindowDataset expected = cut(series, 2, 10);
  const WindowDataset actual = cut(in_file, 2, 10);
  const Window first = actual.window(0);
  (void)actual.window(actual.window_count() - 1);
  EXPECT_TRUE(same(first, expected.window(0)));
}

TEST_F(WindowsOfAFile, ABlockTakesTheMemoryOfTheLastUnlessSomebodyLooksAtIt) {
  make(500'000, 5);
  const WindowDataset dataset = cut(in_file, 2, 10);
  const std::int64_t block = dataset.left_in_block(0);
  const auto memory = [&](std::int64_t window) {
    return dataset.window(window).inputs.storage().data();
  };
  const void* const first = memory(0);
  EXPECT_EQ(memory(block), first);
  EXPECT_EQ(memory(dataset.window_count() - 1), first) << "the last, which is shorter";
  const Window kept = dataset.window(0);
  EXPECT_EQ(kept.inputs.storage().data(), first);
  EXPECT_NE(memory(block), first);
  (void)dataset.windows(0, 3 * block);
  EXPECT_EQ(dataset.window(4 * block).inputs.storage().nbytes(), kept.inputs.storage().nbytes())
      << "and does not keep more than it needs";
}

TEST_F(WindowsOfAFile, ABlockIsSmallAndHoldsAWindowAtLeast) {
  make(1'000'000, 2);
  const std::int64_t block = 32'768 / 20;
  const WindowDataset dataset = cut(in_file, 2, 10);
  EXPECT_EQ(dataset.left_in_block(0), block);
  EXPECT_EQ(dataset.left_in_block(block - 1), 1);
  EXPECT_EQ(dataset.left_in_block(block), block);
  EXPECT_EQ(dataset.left_in_block(49'999), 1) << "the last";
  EXPECT_EQ(cut(in_file, 200, 10).left_in_block(0), 512 / 10) << "of many rows, each a call";
  EXPECT_EQ(cut(in_file, 20'000, 2).left_in_block(0), 262'144 / 20'000 / 2) << "of very many";
  EXPECT_EQ(cut(in_file, 100, 1'000).left_in_block(0), 1);
  EXPECT_EQ(cut(series, 2, 10).left_in_block(1), 49'999) << "of one in memory, all";
}

TEST_F(WindowsOfAFile, ASymbolThatIsNoClassIsFoundBeforeItIsGiven) {
  make(100'000, 3);
  std::string bytes = testing::read_bytes(folder / "series.bin");
  bytes[64 + 2 * 60'000] = 3;
  testing::write_bytes(folder / "series.bin", bytes);
  const WindowDataset dataset = cut(in_file, 1, 10);
  EXPECT_NO_THROW((void)dataset.window(0));
  EXPECT_THROW((void)dataset.window(6'000), FileError);
  EXPECT_NO_THROW((void)dataset.window(0));
}

}  // namespace
}  // namespace unroll
