// The line that unroll-train rewrites on a terminal, on terminals of many kinds.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "../support/terminal.h"
#include "train_program.h"

namespace unroll {
namespace {

using namespace testing;

/// A run of a second: 2,000 windows an epoch, with rows.
constexpr const char* kSecond =
    "--out run --engine autograd --series-length 60000 --epochs 2 --eval-length 0";

/// unroll-train with these flags on a terminal with colours; its result goes elsewhere.
std::string on_terminal(const std::string& flags) {
  return "TERM=xterm exec " + train_command(flags) + " > out";
}

TerminalOutcome expect_runs(const std::string& command, unsigned short columns) {
  const TempDir folder;
  TerminalOutcome outcome = run_on_terminal(command, folder.path(), columns);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.bytes;
  return outcome;
}

bool starts_with_any(const std::string& text, const std::vector<std::string>& beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [&](const std::string& beginning) { return text.starts_with(beginning); });
}

TEST(OnATerminal, TheLiveLineIsRewrittenBelowTheRowsAndGoneAtTheEnd) {
  const TerminalOutcome outcome = expect_runs(on_terminal(kSecond), 200);
  const Screen screen = screen_of(outcome.bytes);
  EXPECT_EQ(screen.last, "");
  ASSERT_FALSE(screen.redrawn.empty());
  const std::regex form(
      "\\[\x1b\\[32m#*\x1b\\[0m-*\\]  [ \\d]{3}%  epoch [12]/2  \\d+ windows/s  "
      "\\d+:\\d\\d left  mean loss \\d\\.\\d{4}  floor \\+\\d\\.\\d{4}");
  for (const std::string& line : screen.redrawn) {
    EXPECT_TRUE(std::regex_match(line, form)) << line;
  }
  EXPECT_NE(screen.redrawn.back().find("100%  epoch 2/2"), std::string::npos);
  for (const std::string& line : screen.lines) {
    EXPECT_TRUE(starts_with_any(line, {"model ", "data ", "windows ", "run ", "epoch "})) << line;
  }
  EXPECT_TRUE(screen.lines.back().starts_with("epoch 2/2  window 2000/2000  mean loss "))
      << screen.lines.back();
}

TEST(OnATerminal, TheLiveLineNeverWraps) {
  for (const unsigned short columns : std::to_array<unsigned short>({200, 80, 40, 15, 5, 1})) {
    const TerminalOutcome outcome =
        expect_runs("NO_COLOR=1 " + on_terminal("--out run" + std::string(kSmall)), columns);
    const Screen screen = screen_of(outcome.bytes);
    EXPECT_EQ(screen.last, "");
    for (const std::string& line : screen.redrawn) {
      EXPECT_LT(line.size(), columns) << line;
      EXPECT_NE(line.find('%'), std::string::npos) << line;
    }
    EXPECT_EQ(screen.redrawn.empty(), columns < 7) << columns;
  }
}

TEST(OnATerminal, NoColorMeansNoColourCodes) {
  const std::string run = on_terminal("--out run" + std::string(kSmall));
  EXPECT_NE(expect_runs(run, 80).bytes.find("\x1b[32m"), std::string::npos);
  EXPECT_NE(expect_runs("NO_COLOR= " + run, 80).bytes.find("\x1b[32m"), std::string::npos);
  const std::string bytes = expect_runs("NO_COLOR=1 " + run, 80).bytes;
  EXPECT_EQ(bytes.find("\x1b[32m"), std::string::npos);
  EXPECT_NE(bytes.find("100%"), std::string::npos);
}

TEST(OnATerminal, QuietMeansNothing) {
  EXPECT_EQ(expect_runs(on_terminal("--out run --quiet" + std::string(kSmall)), 80).bytes, "");
}

TEST(OnATerminal, ADumbOneGetsPlainLines) {
  for (const std::string term : {"TERM=dumb ", "unset TERM; "}) {
    const std::string run = train_command("--out run" + std::string(kSmall));
    const std::string bytes = expect_runs(term + run + " > out", 80).bytes;
    EXPECT_EQ(bytes.find_first_of("\x1b%"), std::string::npos) << bytes;
    EXPECT_NE(bytes.find("epoch 2/2  window 10/10"), std::string::npos) << bytes;
  }
}

TEST(OffATerminal, ThereIsNoEscapeByte) {
  const TempDir folder;
  const Outcome outcome = run_shell("TERM=xterm " + train_command(kSecond), folder.path());
  EXPECT_EQ(outcome.err.find_first_of("\x1b\r%"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("epoch 2/2  window 2000/2000"), std::string::npos) << outcome.err;
}

TEST(OnATerminal, AResultOnTheSameTerminalStandsAlone) {
  const TempDir folder;
  const std::string command = "TERM=xterm exec " + train_command("--out run" + std::string(kSmall));
  const Screen screen = screen_of(run_on_terminal(command, folder.path(), 80).bytes);
  ASSERT_FALSE(screen.redrawn.empty());
  EXPECT_EQ(screen.last, "");
  EXPECT_TRUE(std::any_of(screen.lines.begin(), screen.lines.end(), [](const std::string& line) {
    return line.starts_with("20 windows in ");
  }));
}

TEST(OnATerminal, AnErrorStandsAlone) {
  // The rows of metrics.csv are too many for the largest file that there may be.
  const TempDir folder;
  const TerminalOutcome outcome =
      run_on_terminal("ulimit -f 200 && " + on_terminal(std::string(kSecond) + " --log-every 1"),
                      folder.path(), 80);
  EXPECT_EQ(outcome.exit_code, 1);
  const Screen screen = screen_of(outcome.bytes);
  EXPECT_FALSE(screen.redrawn.empty());
  EXPECT_EQ(screen.last, "");
  EXPECT_EQ(screen.lines.back(),
            "unroll-train: run/metrics.csv: cannot be written: File too large");
}

/// Types Ctrl-C so many times once the live line is there, not so fast that two are one signal.
std::function<std::string(const std::string&)> interrupts(int count) {
  return [left = count](const std::string& bytes) mutable -> std::string {
    if (left == 0 || bytes.find('%') == std::string::npos) {
      return "";
    }
    --left;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return "\x03";
  };
}

TEST(OnATerminal, TheNoteOfAStopStandsAlone) {
  const TempDir folder;
  const TerminalOutcome outcome = run_on_terminal(
      on_terminal("--out run --engine autograd --epochs 100"), folder.path(), 80, interrupts(1));
  EXPECT_EQ(outcome.exit_code, 130);
  const Screen screen = screen_of(outcome.bytes);
  EXPECT_EQ(screen.last, "");
  ASSERT_GE(screen.lines.size(), 2U);
  EXPECT_TRUE(screen.lines[screen.lines.size() - 2].starts_with("stopped by SIGINT after window "))
      << outcome.bytes;
}

TEST(OnATerminal, ASecondInterruptLeavesNoPartOfTheLiveLine) {
  // Windows that take so long that the second comes before the first is answered.
  const TempDir folder;
  const TerminalOutcome outcome = run_on_terminal(
      on_terminal("--out run --engine autograd --hidden-size 256 --batch-size 64 --num-steps 640 "
                  "--series-length 819200"),
      folder.path(), 80, interrupts(2));
  EXPECT_EQ(outcome.exit_code, 130);
  const Screen screen = screen_of(outcome.bytes);
  EXPECT_EQ(screen.last, "");
  EXPECT_FALSE(screen.redrawn.empty());
}

TEST(OnATerminal, AResumedRunSaysItsOwnSpeed) {
  // An earlier process trained 33,333 windows by the fast engine. This one, by the slow one, has
  // trained some hundred when it first says how fast it is: at that speed it would not have trained
  // the earlier ones in all the time that it ran.
  const TempDir folder;
  expect_trains(folder, "--out run --quiet --epochs 1 --eval-length 0");
  const auto begin = std::chrono::steady_clock::now();
  const Screen screen =
      screen_of(run_on_terminal(on_terminal("--resume run --epochs 2 --engine autograd"),
                                folder.path(), 200, interrupts(1))
                    .bytes);
  const std::chrono::duration<double> ran = std::chrono::steady_clock::now() - begin;
  ASSERT_FALSE(screen.redrawn.empty());
  std::smatch match;
  const std::string line = screen.redrawn.front();
  ASSERT_TRUE(std::regex_search(line, match, std::regex(" 50%  epoch 2/2  (\\d+) windows/s")))
      << line;
  EXPECT_LT(std::stod(match[1]) * ran.count(), 33'333);
  EXPECT_TRUE(std::any_of(screen.lines.begin(), screen.lines.end(), [](const std::string& text) {
    return text.starts_with("warning: engine is autograd now");
  }));
}

}  // namespace
}  // namespace unroll
