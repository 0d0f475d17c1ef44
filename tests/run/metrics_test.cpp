// metrics.csv, byte by byte.

#include <unroll/run/metrics.h>

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

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

std::vector<MetricsRow> parse(const std::string& rows) {
  return parse_metrics(kHeader + rows, "my/metrics.csv");
}

TEST(ParseMetrics, ReadsWhatIsWrittenAndWhereEachLineEnds) {
  const TempDir folder;
  MetricsFile file(folder / "metrics.csv");
  file.append(row(1, 400, 0.25, 1.5));
  file.append(row(1, 1000, 0.125, 2.0));
  file.append(row(2, 400, 1e-7, 2.25));
  const std::string text = read_bytes(folder / "metrics.csv");
  const std::vector<MetricsRow> rows = parse_metrics(text, "m");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[1].epoch, 1);
  EXPECT_EQ(rows[1].window, 1000);
  EXPECT_EQ(rows[1].mean_loss, 0.125);
  EXPECT_EQ(rows[1].train_seconds, 2.0);
  EXPECT_EQ(text.substr(static_cast<std::size_t>(rows[1].end)), "2,400,1e-07,2.250000\n");
  EXPECT_EQ(rows[2].end, static_cast<std::int64_t>(text.size()));
}

TEST(ParseMetrics, DoesNotReadALineWithoutItsEnd) {
  EXPECT_EQ(parse("1,1,0.5,0.1\n1,2,0.").size(), 1U);
  EXPECT_TRUE(parse("").empty());
}

TEST(ParseMetrics, RefusesWhatIsNoRowOrDoesNotFollow) {
  for (const char* second :
       {"1,1,0.5,0.1", "1,0,0.5,0.1", "3,1,0.5,0.1", "2,0,0.5,0.1", "1,2,nan,0.1", "1,2,0.5,inf",
        "1,2,0.5", "1,2,0.5,0.1,7", "", "x,2,1,1", "1,2, 0.5,0.1", "1.0,2,0.5,0.1"}) {
    const std::string text = std::string("1,1,0.5,0.1\n") + second + "\n2,1,0.5,0.1\n";
    try {
      parse(text);
      ADD_FAILURE() << second << " was taken";
    } catch (const FileError& error) {
      EXPECT_STREQ(
          error.what(),
          "my/metrics.csv: line 3: expected the next epoch,window,mean_loss,train_seconds");
    }
    EXPECT_EQ(parse_first_metrics(kHeader + text, "m").size(), 1U) << second;
  }
  EXPECT_THROW(parse_metrics("epoch,window\n", "m"), FileError);
  EXPECT_THROW(parse_first_metrics("", "m"), FileError);
}

}  // namespace
}  // namespace unroll
