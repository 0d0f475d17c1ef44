// metrics.csv, byte by byte.

#include <unroll/run/metrics.h>

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>

#include <unroll/base/error.h>

#include "../support/file_size_limit.h"
#include "../support/temp_dir.h"

namespace unroll {
namespace {

using testing::FileSizeLimit;
using testing::read_bytes;
using testing::TempDir;
using testing::write_bytes;

constexpr const char* kHeader = "epoch,window,mean_loss,train_seconds\n";

LogRow row(std::int64_t epoch, std::int64_t window, double mean_loss, double train_seconds) {
  return {.epoch = epoch,
          .window = window,
          .windows_per_epoch = 1000,
          .mean_loss = mean_loss,
          .epoch_mean_loss = -1.0,
          .train_seconds = train_seconds};
}

TEST(FormatLoss, HasNineSignificantDigits) {
  EXPECT_EQ(format_loss(0.6615632381579821), "0.661563238");
  EXPECT_EQ(format_loss(123.456789012345), "123.456789");
  EXPECT_EQ(format_loss(0.000123456789012), "0.000123456789");
  EXPECT_EQ(format_loss(1.23456789012e-7), "1.23456789e-07");
  EXPECT_EQ(format_loss(0.5), "0.5");
  EXPECT_EQ(format_loss(0.0), "0");
}

TEST(FormatLoss, TellsNeighbouringFloatsApart) {
  float loss = 0.45F;
  for (int i = 0; i < 1000; ++i) {
    const float next = std::nextafterf(loss, 1.0F);
    EXPECT_NE(format_loss(loss), format_loss(next));
    EXPECT_EQ(std::stof(format_loss(loss)), loss);
    loss = next;
  }
}

TEST(MetricsFile, BeginsWithItsHeader) {
  const TempDir folder;
  const MetricsFile metrics(folder / "metrics.csv");
  EXPECT_EQ(read_bytes(folder / "metrics.csv"), kHeader);
}

TEST(MetricsFile, ARowCanBeReadAtOnce) {
  const TempDir folder;
  MetricsFile metrics(folder / "metrics.csv");
  metrics.append(row(1, 100, 0.5, 0.25));
  EXPECT_EQ(read_bytes(folder / "metrics.csv"), kHeader + std::string("1,100,0.5,0.250000\n"));
  metrics.append(row(1'000'000'000, 33'333, 0.4544543674, 86'400.0));
  EXPECT_EQ(
      read_bytes(folder / "metrics.csv"),
      kHeader + std::string("1,100,0.5,0.250000\n1000000000,33333,0.454454367,86400.000000\n"));
}

TEST(MetricsFile, KeepsNoPartOfARowThatDoesNotFit) {
  const TempDir folder;
  MetricsFile metrics(folder / "metrics.csv");
  metrics.append(row(1, 100, 0.5, 0.25));
  const std::string whole = read_bytes(folder / "metrics.csv");
  {
    const FileSizeLimit limit(whole.size() + 5);
    EXPECT_THROW(metrics.append(row(1, 200, 0.5, 0.25)), FileError);
  }
  EXPECT_EQ(read_bytes(folder / "metrics.csv"), whole);
}

TEST(MetricsFile, NeverOverwrites) {
  const TempDir folder;
  write_bytes(folder / "metrics.csv", "an earlier run's");
  EXPECT_THROW(MetricsFile(folder / "metrics.csv"), FileError);
  EXPECT_EQ(read_bytes(folder / "metrics.csv"), "an earlier run's");
}

}  // namespace
}  // namespace unroll
