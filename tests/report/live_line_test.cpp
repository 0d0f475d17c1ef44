// The line that says where a run is, at every width.

#include <unroll/report/live_line.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace unroll {
namespace {

/// The middle of the third epoch of five, 80,000 windows of 160,000 in 20 seconds.
LiveStatus a_status() {
  return {.epoch = 3,
          .epochs = 5,
          .windows = 80'000,
          .total_windows = 160'000,
          .windows_here = 80'000,
          .seconds_here = 20.0,
          .mean_loss = 0.52206,
          .floor = 0.45445};
}

std::string line_of(const LiveStatus& status, std::size_t width) {
  return describe_live(status, {.width = width, .colour = false});
}

/// What is seen of a line with colour codes.
std::string without_codes(const std::string& line) {
  std::string text;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\x1b') {
      i = line.find('m', i);
    } else {
      text += line[i];
    }
  }
  return text;
}

TEST(LiveLine, SaysAllOnAWideTerminal) {
  EXPECT_EQ(line_of(a_status(), 200),
            "[###############---------------]   50%  epoch 3/5  4000 windows/s  0:20 left  "
            "mean loss 0.5221  floor +0.0676");
}

TEST(LiveLine, LeavesOutWhatDoesNotFit) {
  EXPECT_EQ(line_of(a_status(), 99),
            "[##########----------]   50%  epoch 3/5  4000 windows/s  0:20 left  mean loss 0.5221  "
            "floor +0.0676");
  EXPECT_EQ(line_of(a_status(), 80),
            "[#######-------]   50%  epoch 3/5  4000/s  0:20 left  loss 0.5221  floor +0.0676");
  EXPECT_EQ(line_of(a_status(), 60),
            "[####-----]   50%  epoch 3/5  4000/s  0:20 left  loss 0.5221");
  EXPECT_EQ(line_of(a_status(), 46), " 50%  epoch 3/5  0:20 left  loss 0.5221");
  EXPECT_EQ(line_of(a_status(), 37), " 50%  4000/s  0:20 left  loss 0.5221");
  EXPECT_EQ(line_of(a_status(), 22), " 50%  loss 0.5221");
  EXPECT_EQ(line_of(a_status(), 19), " 50%");
  EXPECT_EQ(line_of(a_status(), 4), " 50%");
  EXPECT_EQ(line_of(a_status(), 3), "");
}

TEST(LiveLine, SaysAllInEightyColumns) {
  LiveStatus status = a_status();
  status.epoch = 12;
  status.epochs = 20;
  status.seconds_here = 0.128;
  constexpr std::size_t kFree = 3;  // for what the terminal echoes
  EXPECT_EQ(line_of(status, 80 - kFree),
            "[####-----]   50%  epoch 12/20  625k/s  0:00 left  loss 0.5221  floor +0.0676");
}

TEST(LiveLine, IsNeverWiderThanItMayBe) {
  LiveStatus early = a_status();
  early.windows = 1;
  early.windows_here = 1;
  early.seconds_here = 1e9;
  LiveStatus done = a_status();
  done.epoch = 5;
  done.windows = done.total_windows;
  LiveStatus large = {.epoch = 999'999,
                      .epochs = 1'000'000,
                      .windows = 7'000'000'000'000,
                      .total_windows = 8'000'000'000'000,
                      .windows_here = 7'000'000'000'000,
                      .seconds_here = 3.0,
                      .mean_loss = 1e5,
                      .floor = 0.4};
  for (const LiveStatus& status : {a_status(), early, done, large}) {
    for (std::size_t width = 0; width <= 200; ++width) {
      const std::string line = line_of(status, width);
      EXPECT_LE(line.size(), width) << line;
      EXPECT_EQ(without_codes(describe_live(status, {.width = width, .colour = true})), line);
      EXPECT_EQ(line.find_first_of("\r\n\x1b"), std::string::npos) << line;
      if (width >= 4) {
        EXPECT_NE(line.find('%'), std::string::npos) << line;
      }
    }
  }
}

TEST(LiveLine, ColoursOnlyWhereItMay) {
  EXPECT_NE(describe_live(a_status(), {.width = 99, .colour = true}).find("\x1b["),
            std::string::npos);
}

TEST(LiveLine, OfAUsersOwnSeriesNoFloorIsKnown) {
  LiveStatus status = a_status();
  status.floor.reset();
  const std::string line = line_of(status, 200);
  EXPECT_TRUE(line.ends_with("mean loss 0.5221")) << line;
}

TEST(LiveLine, ALossBelowTheFloorShowsAsSuch) {
  LiveStatus status = a_status();
  status.mean_loss = 0.45001;
  const std::string line = line_of(status, 200);
  EXPECT_TRUE(line.ends_with("mean loss 0.4500  floor -0.0044")) << line;
}

TEST(LiveLine, AResumedRunGoesByItsOwnSpeed) {
  // Of the 80,000 windows, this process trained the last 1,000, in two seconds.
  LiveStatus status = a_status();
  status.windows_here = 1'000;
  status.seconds_here = 2.0;
  EXPECT_NE(line_of(status, 200).find("  500 windows/s  2:40 left  "), std::string::npos)
      << line_of(status, 200);
}

TEST(LiveLine, SaysNoSpeedWhereNoneIsKnown) {
  LiveStatus status = a_status();
  status.windows_here = 0;
  status.seconds_here = 0.0;
  EXPECT_EQ(line_of(status, 200).find("left"), std::string::npos);
  EXPECT_EQ(line_of(status, 200).find("windows/s"), std::string::npos);
}

TEST(LiveLine, WritesTimesAsClocksDo) {
  const std::vector<std::pair<double, std::string>> times = {
      {0.4, " 0:00 left"},      {59.6, " 1:00 left"},       {61.0, " 1:01 left"},
      {3'599.0, " 59:59 left"}, {3'723.0, " 1:02:03 left"}, {360'000.0, " 100:00:00 left"}};
  for (const auto& [seconds, text] : times) {
    LiveStatus status = a_status();
    status.seconds_here = seconds;  // as many windows are left as are done
    EXPECT_NE(line_of(status, 200).find(text), std::string::npos) << line_of(status, 200);
  }
}

TEST(LiveLine, IsDoneOnlyWhenItIs) {
  LiveStatus status = a_status();
  status.windows = status.total_windows - 1;
  EXPECT_NE(line_of(status, 200).find(" 99%"), std::string::npos);
  status.windows = status.total_windows;
  EXPECT_NE(line_of(status, 200).find("[##############################]  100%"), std::string::npos);
}

}  // namespace
}  // namespace unroll
