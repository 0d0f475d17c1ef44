// unroll-sweep, run as its users run it: what it leaves, what it says, and that it goes on after
// anything.

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <ostream>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "sweep_program.h"

namespace unroll {
namespace {

namespace fs = std::filesystem;
using namespace testing;

/// What a finished sweep has, and nothing else.
const std::set<std::string> sweep_files = {"cells-1-of-1.csv", "sweep.csv",  "sweep.gp",
                                           "sweep.html",       "sweep.json", "sweep.svg"};

/// Flags of a sweep of eight cells, without the length of their series: at 9,000 symbols a cell
/// takes some tenths of a second.
constexpr const char* kSlowSweep =
    " --num-steps 2,5 --hidden-size 3,4 --seeds 2 --eval-length 2000 --engine autograd --workers 2 "
    "--quiet ";

TEST(Sweep, LeavesExactlyItsFiles) {
  const TempDir folder;
  expect_sweeps(folder, "--out sweep" + std::string(kSmallSweep));
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"sweep"});
  EXPECT_EQ(names_in(folder / "sweep"), sweep_files);
}

TEST(Sweep, LeavesNoReportIfItIsNotAskedFor) {
  const TempDir folder;
  expect_sweeps(folder, "--out sweep --no-report" + std::string(kSmallSweep));
  EXPECT_EQ(names_in(folder / "sweep"),
            (std::set<std::string>{"cells-1-of-1.csv", "sweep.csv", "sweep.json"}));
}

TEST(Sweep, DefaultFolderIsUnderSweeps) {
  const TempDir folder;
  const Outcome outcome = expect_sweeps(folder, "--json" + std::string(kSmallSweep));
  const std::string name = "sweeps/" + *names_in(folder / "sweeps").begin();
  EXPECT_TRUE(std::regex_match(name, std::regex(R"(sweeps/\d{8}T\d{6}Z)"))) << name;
  EXPECT_EQ(Json::parse(outcome.out)["sweep_directory"], name);
}

TEST(Sweep, HasARowForEveryCellInTheGridsOrder) {
  const TempDir folder;
  expect_sweeps(folder, "--out sweep" + std::string(kSmallSweep));
  const std::vector<std::string> lines = lines_of(read_bytes(folder / "sweep/sweep.csv"));
  ASSERT_EQ(lines.size(), 9U);
  const std::vector<std::string> cells = {"2,3,0.2,0,50", "2,3,0.2,1,50", "2,4,0.2,0,50",
                                          "2,4,0.2,1,50", "5,3,0.2,0,20", "5,3,0.2,1,20",
                                          "5,4,0.2,0,20", "5,4,0.2,1,20"};
  for (std::size_t i = 0; i < cells.size(); ++i) {
    EXPECT_TRUE(lines[1 + i].starts_with(cells[i] + ",no,")) << lines[1 + i];
  }
}

TEST(Sweep, SaysWhatItDoesOnStderrAndWhatCameOfItOnStdout) {
  const TempDir folder;
  const Outcome outcome =
      expect_sweeps(folder, "--out sweep --workers 1" + std::string(kSmallSweep));
  EXPECT_EQ(lines_of(outcome.err).front(),
            "grid     num_steps 2,5 x hidden_size 3,4 x learning_rate 0.2 x 2 seeds");
  EXPECT_TRUE(lines_of(outcome.err).back().starts_with("8/8 cells  ")) << outcome.err;
  EXPECT_TRUE(outcome.out.starts_with("8 cells; sweep\n")) << outcome.out;
  EXPECT_NE(outcome.out.find("num_steps  no carry  hidden_size 3"), std::string::npos);
  EXPECT_EQ(expect_sweeps(folder, "--out other --quiet" + std::string(kSmallSweep)).err, "");
}

TEST(Sweep, OnATerminalProgressIsOneLine) {
  const TempDir folder;
  const Outcome outcome = run_shell(
      "TERM=xterm script -qec " +
          shell_word(sweep_command("--out sweep" + std::string(kSmallSweep))) + " /dev/null",
      folder.path());
  if (outcome.exit_code == 127) {
    GTEST_SKIP() << "there is no script(1) to make a terminal";
  }
  EXPECT_NE(outcome.out.find("\r\033[K8/8 cells"), std::string::npos) << outcome.out;
  EXPECT_FALSE(std::regex_search(outcome.out, std::regex(R"(\d/8 cells[^\r\n]*\r?\n)")))
      << outcome.out;
}

TEST(Sweep, JsonIsAllOfStdout) {
  const TempDir folder;
  const Outcome outcome = expect_sweeps(folder, "--json --out sweep" + std::string(kSmallSweep));
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["groups"].size(), 4U);
  EXPECT_EQ(json["options"]["series_length"], "300");
}

TEST(Sweep, AFinishedOneTrainsNothingAndSaysSo) {
  const TempDir folder;
  const std::string flags = "--out sweep" + std::string(kSmallSweep);
  const Outcome first = expect_sweeps(folder, flags);
  const std::string before = read_bytes(folder / "sweep/sweep.csv");
  const Outcome again = expect_sweeps(folder, flags);
  EXPECT_EQ(again.err, "nothing was left to train in sweep\n");
  EXPECT_EQ(again.out, first.out);
  EXPECT_EQ(read_bytes(folder / "sweep/sweep.csv"), before);
}

TEST(Sweep, ShardsJoinToTheWhole) {
  const TempDir folder;
  expect_sweeps(folder, "--out whole" + std::string(kSmallSweep));
  // All at once, as a job array starts them.
  const std::string flags = "--out sweep --quiet" + std::string(kSmallSweep);
  const Outcome shards = run_shell(sweep_command("--shard 1/3 " + flags) + " & " +
                                       sweep_command("--shard 2/3 " + flags) + " & " +
                                       sweep_command("--shard 3/3 " + flags) + "; wait",
                                   folder.path());
  EXPECT_EQ(shards.err, "");
  EXPECT_NE(
      shards.out.find("shard 3/3: 2 cells done; when every shard is, unroll-sweep --merge sweep\n"),
      std::string::npos)
      << shards.out;
  EXPECT_FALSE(fs::exists(folder / "sweep/sweep.csv"));
  const Outcome merged = expect_sweeps(folder, "--merge sweep");
  EXPECT_TRUE(merged.out.starts_with("8 cells; sweep\n")) << merged.out;
  EXPECT_EQ(read_sweep(folder, "sweep"), read_sweep(folder, "whole"));
}

TEST(Sweep, AShardsJsonSaysWhatItDid) {
  const TempDir folder;
  const Outcome outcome =
      expect_sweeps(folder, "--shard 3/3 --json --out sweep" + std::string(kSmallSweep));
  EXPECT_EQ(Json::parse(outcome.out),
            Json::parse(R"({"sweep_directory": "sweep", "shard": "3/3", "cells": 2})"));
}

// Stops.

struct Stop {
  std::string signal;
  int exit_code;
};

std::ostream& operator<<(std::ostream& stream, const Stop& stop) { return stream << stop.signal; }

class SweepStoppedBy : public ::testing::TestWithParam<Stop> {};

TEST_P(SweepStoppedBy, GoesOnToTheSameBytes) {
  const TempDir folder;
  const auto& [signal, exit_code] = GetParam();
  // A job in the background of such a shell does not see SIGINT unless it is set anew.
  const auto stopped_sweep = [&](const std::string& sweep_flags) {
    return "env --default-signal=INT " + sweep_command("--out stopped" + sweep_flags) +
           " & while [ \"$(cat stopped/cells-1-of-1.csv 2>/dev/null | wc -l)\" -lt 4 ]; do sleep "
           "0.01; done; kill -" +
           signal + " $!; wait $!";
  };
  std::string flags;
  Outcome stopped = {};
  for (std::int64_t length = 9'000; stopped.exit_code == 0; length *= 4) {
    // A signal that comes after the end has to come sooner in a longer sweep.
    fs::remove_all(folder / "stopped");
    flags = kSlowSweep;
    flags.append("--series-length ").append(std::to_string(length)).append(" ");
    stopped = run_shell(stopped_sweep(flags), folder.path());
  }
  expect_sweeps(folder, "--out whole" + flags);
  EXPECT_EQ(stopped.exit_code, exit_code) << stopped.err;
  EXPECT_FALSE(fs::exists(folder / "stopped/sweep.csv"));
  if (signal != "KILL") {
    const std::vector<std::string> lines = lines_of(stopped.err);
    ASSERT_EQ(lines.size(), 2U) << stopped.err;
    EXPECT_TRUE(std::regex_match(
        lines[0],
        std::regex("stopped by SIG" + signal + " with [2-7] of 8 cells done and kept; go on with")))
        << lines[0];
    EXPECT_EQ(run_shell(lines[1], folder.path()).exit_code, 0) << lines[1];
  } else {
    expect_sweeps(folder, "--out stopped" + flags);
  }
  EXPECT_EQ(read_sweep(folder, "stopped"), read_sweep(folder, "whole"));
  EXPECT_EQ(names_in(folder / "stopped"), names_in(folder / "whole"));
}

INSTANTIATE_TEST_SUITE_P(All, SweepStoppedBy,
                         ::testing::Values(Stop{"INT", 130}, Stop{"TERM", 143}, Stop{"KILL", 137}),
                         [](const auto& stop) { return stop.param.signal; });

// Refusals.

struct BadSweep {
  std::string test_name;
  std::string flags;
  int exit_code;
  std::string message;
};

std::ostream& operator<<(std::ostream& stream, const BadSweep& bad) {
  return stream << bad.test_name;
}

/// Checks that unroll-sweep is refused in one line, and makes nothing.
void expect_sweep_refused(const TempDir& folder, const std::string& flags, int exit_code,
                          const std::string& message) {
  const std::set<std::string> before = names_in(folder.path());
  const Outcome outcome = sweep(folder, flags);
  EXPECT_EQ(outcome.exit_code, exit_code);
  EXPECT_EQ(outcome.err, "unroll-sweep: " + message + "\n");
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(names_in(folder.path()), before);
}

class SweepRefuses : public ::testing::TestWithParam<BadSweep> {};

TEST_P(SweepRefuses, InOneLine) {
  const TempDir folder;
  expect_sweep_refused(folder, GetParam().flags, GetParam().exit_code, GetParam().message);
}

const std::vector<BadSweep> bad_sweeps = {
    {"NoList", "--num-steps 1,x", 2,
     "--num-steps must be a list of integers of at least 1, got '1,x'"},
    {"Zero", "--num-steps 1,0", 2,
     "--num-steps must be a list of integers of at least 1, got '1,0'"},
    {"Fraction", "--hidden-size 2.5", 2,
     "--hidden-size must be a list of integers of at least 1, got '2.5'"},
    {"EmptyItem", "--hidden-size 2,,4", 2,
     "--hidden-size must be a list of integers of at least 1, got '2,,4'"},
    {"CommaAtTheEnd", "--hidden-size 2,", 2,
     "--hidden-size must be a list of integers of at least 1, got '2,'"},
    {"EmptyList", "--hidden-size=", 2,
     "--hidden-size must be a list of integers of at least 1, got ''"},
    {"Twice", "--num-steps 5,2,5", 2, "--num-steps must have each value once, got '5,2,5'"},
    {"NoNumber", "--learning-rate 0.1,fast", 2,
     "--learning-rate must be a list of numbers, got '0.1,fast'"},
    {"NumberTwice", "--learning-rate 0.1,0.10", 2,
     "--learning-rate must have each value once, got '0.1,0.10'"},
    {"LearningRateZero", "--learning-rate 0.1,0", 2,
     "--learning-rate must be a finite positive number, got 0"},
    {"LearningRateNan", "--learning-rate nan", 2,
     "--learning-rate must be a finite positive number, got nan"},
    {"WindowLongerThanARow", "--series-length 30", 2,
     "--num-steps must be at most 10, the length of a row (30 symbols in 3 rows), got 15; "
     "--batch-size 2 --num-steps 15 would fit"},
    {"SeedsZero", "--seeds 0", 2, "--seeds must be at least 1, got 0"},
    {"WorkersZero", "--workers 0", 2, "--workers must be from 1 to 1024, got 0"},
    {"NoEvaluation", "--eval-length 0", 2, "--eval-length must be at least 1, got 0"},
    {"ShardBeyondTheLast", "--out a --shard 9/8", 2,
     "--shard must be I/N with I from 1 to N, got '9/8'"},
    {"ShardZero", "--out a --shard 0/8", 2, "--shard must be I/N with I from 1 to N, got '0/8'"},
    {"ShardWord", "--out a --shard 1of8", 2, "--shard must be I/N with I from 1 to N, got '1of8'"},
    {"ShardHalf", "--out a --shard 1/", 2, "--shard must be I/N with I from 1 to N, got '1/'"},
    {"ShardWithoutOut", "--shard 1/8", 2, "--shard needs --out, the folder that all shards share"},
    {"MergeWithOthers", "--merge a --seeds 3", 2, "--seeds cannot be combined with --merge"},
    {"MergeOfNothing", "--merge a", 1, "a/sweep.json: cannot be opened: No such file or directory"},
    {"Data", "--data my.csv", 2,
     "--data cannot be swept: which lag is learned is known for the sampled process only"},
    {"Seed", "--seed 3", 2,
     "--seed is no flag of a sweep: --seeds N trains with the seeds from 0 to N-1"},
    {"FusedAdam", "--engine fused --optimizer adam", 2,
     "--engine fused trains with the optimizer sgd only, got adam"},
};

INSTANTIATE_TEST_SUITE_P(All, SweepRefuses, ::testing::ValuesIn(bad_sweeps),
                         [](const auto& bad) { return bad.param.test_name; });

TEST(SweepRefusesToGoOn, WithOtherOptions) {
  const TempDir folder;
  expect_sweeps(folder, "--out sweep" + std::string(kSmallSweep));
  expect_sweep_refused(folder, "--out sweep --batch-size 4" + std::string(kSmallSweep), 2,
                       "--batch-size cannot change when a sweep goes on: got 4, sweep has 3");
}

TEST(SweepRefusesToGoOn, BehindADamagedRow) {
  const TempDir folder;
  const std::string flags = "--out sweep --shard 1/2" + std::string(kSmallSweep);
  expect_sweeps(folder, flags);
  const std::string part = folder / "sweep/cells-1-of-2.csv";
  std::string text = read_bytes(part);
  text[text.find("seconds\n") + 8] = 'x';
  write_bytes(part, text);
  const std::string message =
      "sweep/cells-1-of-2.csv: line 3: expected a row of "
      "num_steps,hidden_size,learning_rate,seed,..";
  expect_sweep_refused(folder, flags, 1, message);
  expect_sweep_refused(folder, "--merge sweep", 1, message);
}

TEST(SweepRefusesToMerge, APartOfAnotherSweep) {
  const TempDir folder;
  expect_sweeps(folder, "--out sweep --shard 1/2" + std::string(kSmallSweep));
  expect_sweeps(folder, "--out other --epochs 2 --shard 2/2" + std::string(kSmallSweep));
  fs::copy(folder / "other/cells-2-of-2.csv", folder / "sweep/cells-2-of-2.csv");
  expect_sweep_refused(
      folder, "--merge sweep", 1,
      "sweep/cells-2-of-2.csv: is a part of another sweep than the folder's sweep.json "
      "describes");
  EXPECT_FALSE(fs::exists(folder / "sweep/sweep.csv"));
}

}  // namespace
}  // namespace unroll
