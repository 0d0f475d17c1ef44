// The files of a sweep's rows: their form, and what is said of one that is damaged.

#include <unroll/run/sweep_rows.h>

#include <gtest/gtest.h>

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <unroll/base/error.h>

#include "../support/temp_dir.h"

namespace unroll {
namespace {

using testing::TempDir;
using testing::write_bytes;

constexpr const char* kSweepHeader =
    "num_steps,hidden_size,learning_rate,seed,windows,diverged,last_epoch_loss,held_out_loss,"
    "held_out_error,lag3_effect,lag3_error,lag3_learned,lag8_effect,lag8_error,lag8_learned,"
    "train_seconds\n";
constexpr const char* kTrained =
    "2,3,0.2,0,50,no,0.523456789,0.512345678,0.00012,0.45,0.001,yes,-0.125,0.002,partly,0.250000\n";
constexpr const char* kDiverged = "2,3,0.2,1,17,yes,,,,,,no,,,no,0.125000\n";

/// Two cells.
const SweepGrid& grid() {
  static const SweepGrid two = {
      .num_steps = {2}, .hidden_size = {3}, .learning_rate = {0.2}, .seeds = 2};
  return two;
}

SweepPart parse_rows(const std::string& text) {
  return parse_sweep(text, "part", grid(), LaggedProcess::tutorial());
}

/// A sweep of this grid.
SweepConfig config_of(const SweepGrid& cells) { return {.grid = cells, .options = {}}; }

/// The first lines of its parts.
std::string part_header() {
  return sweep_part_header(config_of(grid()), LaggedProcess::tutorial());
}

SweepPart parse_part(const std::string& text) {
  return parse_sweep_part(text, "part", config_of(grid()), LaggedProcess::tutorial());
}

SweepRow trained_row() {
  return {.cell = {.num_steps = 2, .hidden_size = 3, .learning_rate = 0.2, .seed = 0},
          .windows = 50,
          .last_epoch_loss = 0.523456789,
          .held_out_loss = {.value = 0.512345678, .standard_error = 0.00012},
          .lags = {{.lag = 3,
                    .effect = {.value = 0.45, .standard_error = 0.001},
                    .learned = Learned::kYes},
                   {.lag = 8,
                    .effect = {.value = -0.125, .standard_error = 0.002},
                    .learned = Learned::kPartly}},
          .train_seconds = 0.25};
}

TEST(SweepRows, HaveTheirForm) {
  EXPECT_EQ(sweep_header(LaggedProcess::tutorial()), kSweepHeader);
  EXPECT_EQ(format_sweep_row(trained_row()), kTrained);
}

TEST(SweepRows, OfACellThatDivergedHaveNoLosses) {
  SweepRow row = {.cell = {.num_steps = 2, .hidden_size = 3, .learning_rate = 0.2, .seed = 1},
                  .windows = 17,
                  .is_diverged = true,
                  .lags = {{.lag = 3}, {.lag = 8}},
                  .train_seconds = 0.125};
  EXPECT_EQ(format_sweep_row(row), kDiverged);
}

TEST(SweepRows, AreReadAsTheyWereWritten) {
  const std::string text = std::string(kSweepHeader) + kTrained + kDiverged;
  const SweepPart part = parse_rows(text);
  EXPECT_EQ(format_sweep(part.rows, LaggedProcess::tutorial()), text);
  EXPECT_EQ(part.bytes, static_cast<std::int64_t>(text.size()));
  const SweepRow& row = part.rows.at(0);
  EXPECT_EQ(row.cell, trained_row().cell);
  EXPECT_EQ(row.held_out_loss.value, 0.512345678);
  EXPECT_EQ(row.lags.at(1).effect.value, -0.125);
  EXPECT_EQ(row.lags.at(1).learned, Learned::kPartly);
  EXPECT_FALSE(row.is_diverged);
  EXPECT_TRUE(part.rows.at(1).is_diverged);
}

TEST(SweepRows, MayLackTheErrorsOfASmallSample) {
  const std::string line = "2,3,0.2,0,50,no,0.5,0.5,,0.4,,yes,-0.1,,no,0.250000\n";
  const SweepPart part = parse_rows(kSweepHeader + line);
  EXPECT_FALSE(part.rows.at(0).held_out_loss.standard_error);
  EXPECT_EQ(format_sweep_row(part.rows.at(0)), line);
}

TEST(SweepRows, ATornLastLineIsNotRead) {
  const std::string whole = std::string(kSweepHeader) + kTrained;
  for (std::size_t torn = 0; torn < std::string(kDiverged).size(); ++torn) {
    const SweepPart part = parse_rows(whole + std::string(kDiverged).substr(0, torn));
    EXPECT_EQ(part.rows.size(), 1U) << torn;
    EXPECT_EQ(part.bytes, static_cast<std::int64_t>(whole.size())) << torn;
  }
}

TEST(SweepRows, ATornHeaderIsAnEmptyPart) {
  for (std::size_t torn = 0; torn < std::string(kSweepHeader).size(); ++torn) {
    const SweepPart part = parse_rows(std::string(kSweepHeader).substr(0, torn));
    EXPECT_TRUE(part.rows.empty()) << torn;
    EXPECT_EQ(part.bytes, 0) << torn;
  }
}

struct Damage {
  std::string test_name;
  std::string text;
  std::string message;
};

std::ostream& operator<<(std::ostream& stream, const Damage& damage) {
  return stream << damage.test_name;
}

class SweepRowsRefuse : public ::testing::TestWithParam<Damage> {};

TEST_P(SweepRowsRefuse, ByFileAndLine) {
  try {
    parse_rows(GetParam().text);
    FAIL() << "accepted";
  } catch (const FileError& error) {
    EXPECT_EQ(error.what(), "part: " + GetParam().message);
  }
}

/// A file of one row in which one text stands for another.
std::string file_with(const std::string& before, const std::string& after) {
  std::string row = kTrained;
  row.replace(row.find(before), before.size(), after);
  return kSweepHeader + row;
}

constexpr const char* kNoRow =
    "line 2: expected a row of num_steps,hidden_size,learning_rate,seed,..";

const std::vector<Damage> damages = {
    {"AnotherFile", "epoch,window,mean_loss,train_seconds\n1,2,0.5,0.1\n",
     "line 1: expected " +
         std::string(kSweepHeader).substr(0, std::string(kSweepHeader).size() - 1)},
    {"NoNumber", file_with("0.512345678", "0.5123x5678"), kNoRow},
    {"NoFiniteNumber", file_with("0.512345678", "nan"), kNoRow},
    {"NoName", file_with("partly", "mostly"), kNoRow},
    {"NoFlag", file_with("50,no", "50,maybe"), kNoRow},
    {"TooFewFields", file_with(",0.250000", ""), kNoRow},
    {"TooManyFields", file_with("0.250000", "0.250000,1"), kNoRow},
    {"EmptyLine", kSweepHeader + std::string("\n"), kNoRow},
    {"NoLossThoughTrained", file_with("0.512345678", ""), kNoRow},
    {"LossThoughDiverged", file_with("50,no", "50,yes"), kNoRow},
    {"ForeignCell", file_with("2,3,0.2,0,", "2,4,0.2,0,"),
     "line 2: num_steps 2, hidden_size 4, learning_rate 0.2, seed 0 is no cell of the sweep"},
    {"ForeignSeed", file_with("2,3,0.2,0,", "2,3,0.2,2,"),
     "line 2: num_steps 2, hidden_size 3, learning_rate 0.2, seed 2 is no cell of the sweep"},
    {"CellTwice", std::string(kSweepHeader) + kTrained + kDiverged + kTrained,
     "line 4: has the cell of line 2 again"},
};

INSTANTIATE_TEST_SUITE_P(All, SweepRowsRefuse, ::testing::ValuesIn(damages),
                         [](const auto& damage) { return damage.param.test_name; });

TEST(SweepParts, BeginWithTheirSweepsDigest) {
  EXPECT_EQ(part_header(), "# sweep " + sweep_digest(config_of(grid())) + "\n" + kSweepHeader);
  const std::string text = part_header() + kTrained;
  EXPECT_EQ(parse_part(text).rows.size(), 1U);
  EXPECT_EQ(parse_part(text).bytes, static_cast<std::int64_t>(text.size()));
  for (std::size_t torn = 0; torn < part_header().size(); ++torn) {
    EXPECT_EQ(parse_part(text.substr(0, torn)).bytes, 0) << torn;
  }
}

TEST(SweepParts, OfAnotherSweepAreRefused) {
  const auto refusal = [](const std::string& text) -> std::string {
    try {
      parse_part(text);
    } catch (const FileError& error) {
      return error.what();
    }
    return "accepted";
  };
  SweepGrid other = grid();
  other.seeds = 3;
  const std::string text =
      sweep_part_header(config_of(other), LaggedProcess::tutorial()) + kTrained;
  EXPECT_EQ(refusal(text),
            "part: is a part of another sweep than the folder's sweep.json describes");
  EXPECT_EQ(refusal(kSweepHeader),
            "part: line 1: expected # sweep " + sweep_digest(config_of(grid())));
  EXPECT_EQ(refusal("# sweep " + sweep_digest(config_of(grid())) + "\nnum_steps\n"),
            "part: line 2: expected " +
                std::string(kSweepHeader).substr(0, std::string(kSweepHeader).size() - 1));
  EXPECT_EQ(refusal(part_header() + kTrained + kTrained),
            "part: line 4: has the cell of line 3 again");
}

TEST(SweepParts, AreFoundByTheirNames) {
  const TempDir folder;
  write_bytes(folder / "cells-2-of-2.csv", part_header() + kDiverged);
  write_bytes(folder / "cells-1-of-2.csv", part_header() + kTrained);
  write_bytes(folder / "cells-1-of-2.csv.bak", "anything");
  write_bytes(folder / "sweep.csv", std::string(kSweepHeader) + kTrained + kDiverged);
  const std::vector<SweepPart> parts =
      read_sweep_parts(folder.path(), config_of(grid()), LaggedProcess::tutorial());
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_TRUE(parts[2].shard.is_whole());
  EXPECT_EQ(parts[0].path, folder / "cells-1-of-2.csv");
  EXPECT_EQ(parts[1].shard.index, 2);
  EXPECT_EQ(parts[1].shard.count, 2);
  EXPECT_EQ(sweep_part_name(parts[1].shard), "cells-2-of-2.csv");
}

TEST(SweepParts, JoinInTheGridsOrder) {
  const std::vector<std::optional<SweepRow>> rows =
      join_sweep_parts({parse_rows(std::string(kSweepHeader) + kDiverged)}, grid());
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_FALSE(rows[0]);
  ASSERT_TRUE(rows[1]);
  EXPECT_EQ(rows[1]->cell.seed, 1);
}

TEST(SweepParts, MayShareACellIfTheyAgree) {
  SweepPart first = parse_rows(std::string(kSweepHeader) + kTrained);
  SweepPart second = first;
  first.path = "first";
  second.rows.at(0).train_seconds = 9.0;
  EXPECT_EQ(join_sweep_parts({first, second}, grid()).at(0)->train_seconds, 0.25);
  second.rows.at(0).last_epoch_loss = 0.6;
  try {
    join_sweep_parts({first, second}, grid());
    FAIL() << "accepted";
  } catch (const FileError& error) {
    EXPECT_STREQ(
        error.what(),
        "part: has another result of num_steps 2, hidden_size 3, learning_rate 0.2, seed 0 "
        "than first");
  }
}

}  // namespace
}  // namespace unroll
