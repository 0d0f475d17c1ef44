// unroll-convert, run as its users run it, and training on what it made.

#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>

#include "train_program.h"

namespace unroll {
namespace {

using namespace testing;

class ConvertTest : public ::testing::Test {
 protected:
  ConvertTest() { write_bytes(folder / "my.csv", four_class_csv()); }

  [[nodiscard]] static std::string command(const std::string& flags) {
    return shell_word(UNROLL_BINARY_DIR "/unroll-convert") + " " + flags;
  }

  [[nodiscard]] Outcome run(const std::string& flags) const {
    return run_shell(command(flags), folder.path());
  }

  /// Runs it and expects this line on stderr with this code, no output, and no new file.
  void expect_refused(const std::string& flags, int exit_code, const std::string& line) const {
    SCOPED_TRACE(flags);
    const auto before = names_in(folder.path());
    const Outcome outcome = run(flags);
    EXPECT_EQ(outcome.exit_code, exit_code);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err, "unroll-convert: " + line + "\n");
    EXPECT_EQ(names_in(folder.path()), before);
  }

  /// Trains on a file, and gives what must not depend on its form: rows and weights.
  [[nodiscard]] std::string trained_on(const std::string& data, const std::string& flags) const {
    std::filesystem::remove_all(folder / "run");
    expect_trains(folder, "--out run --quiet --no-report --log-every 4 --epochs 2 --data " + data +
                              " " + flags);
    std::string text = read_weights(folder, "run");
    for (const Row& row : read_metrics(folder, "run")) {
      text.append("\n").append(row.mean_loss);
    }
    return text;
  }

  TempDir folder;
};

TEST_F(ConvertTest, SaysWhatItWrote) {
  const Outcome outcome = run("my.csv --output my.bin");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.out, "my.bin: 300 symbols of 4 classes, 664 bytes\n");
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(names_in(folder.path()), (std::set<std::string>{"my.bin", "my.csv"}));
  EXPECT_EQ(std::filesystem::file_size(folder / "my.bin"), 664U);
}

TEST_F(ConvertTest, SaysTheSameAsJson) {
  const Outcome outcome = run("my.csv --output my.bin --json");
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["output"], "my.bin");
  EXPECT_EQ(json["series_length"], 300);
  EXPECT_EQ(json["num_classes"], 4);
  EXPECT_EQ(json["bytes"], 664);
  expect_trains(folder, "--out run --data my.bin");
  EXPECT_EQ(read_json(folder / "run/config.json")["data_sha256"], json["sha256"]);
}

TEST_F(ConvertTest, ReadsAPipe) {
  ASSERT_EQ(run("my.csv --output my.bin").exit_code, 0);
  const Outcome outcome =
      run_shell("cat my.csv | " + command("/dev/stdin --output piped.bin"), folder.path());
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(read_bytes(folder / "piped.bin"), read_bytes(folder / "my.bin"));
}

TEST_F(ConvertTest, TrainingOnWhatItMadeIsTrainingOnTheCsvFile) {
  ASSERT_EQ(run("my.csv --output my.bin").exit_code, 0);
  for (const std::string flags :
       {"", "--engine autograd", "--model builtin --engine autograd", "--model builtin",
        "--batch-size 7 --num-steps 4", "--optimizer adam --dtype float64"}) {
    EXPECT_EQ(trained_on("my.bin", flags), trained_on("my.csv", flags)) << flags;
  }
}

TEST_F(ConvertTest, ASymbolThatIsNoClassIsRefusedByItsPlace) {
  ASSERT_EQ(run("my.csv --output my.bin").exit_code, 0);
  std::string bytes = read_bytes(folder / "my.bin");
  bytes[64 + 2 * 200] = 4;
  write_bytes(folder / "my.bin", bytes);
  const Outcome outcome = train(folder, "--out run --quiet --data my.bin");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(one_line(outcome),
            "unroll-train: my.bin: is damaged: input 200 is 4, and its header says 4 classes");
}

TEST_F(ConvertTest, AComparisonTakesWhatItMade) {
  ASSERT_EQ(run("my.csv --output my.bin").exit_code, 0);
  const Outcome outcome = run_shell(
      shell_word(UNROLL_BINARY_DIR "/unroll-compare") + " --quiet --epochs 1 --data my.bin",
      folder.path());
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
}

TEST_F(ConvertTest, AnOutputThatExistsIsReplacedOnlyByForce) {
  write_bytes(folder / "my.bin", "mine");
  expect_refused("my.csv --output my.bin", 1, "my.bin: exists; --force replaces it");
  EXPECT_EQ(read_bytes(folder / "my.bin"), "mine");
  EXPECT_EQ(run("my.csv --output my.bin --force").exit_code, 0);
  EXPECT_NE(read_bytes(folder / "my.bin"), "mine");
}

TEST_F(ConvertTest, ABadCsvFileIsRefusedByFileAndLine) {
  write_bytes(folder / "bad.csv", "input,target\n0,1\n1,x\n");
  expect_refused("bad.csv --output bad.bin", 1,
                 "bad.csv:3: target must be an integer class, got 'x'");
  expect_refused("no.csv --output no.bin", 1,
                 "no.csv: cannot be opened: No such file or directory");
  expect_refused(". --output no.bin", 1, ".: cannot be read: Is a directory");
  expect_refused("my.csv --output no/my.bin", 1,
                 "no/my.bin: cannot be written: No such file or directory");
}

TEST_F(ConvertTest, AWrongCommandLineIsRefused) {
  expect_refused("", 2, "FILE.csv is missing; --help shows the usage");
  expect_refused("my.csv", 2, "--output is missing; --help shows the usage");
  expect_refused("my.csv --output my.bin --fast", 2,
                 "unknown flag '--fast'; --help lists the flags");
}

TEST_F(ConvertTest, ASignalStopsItAndLeavesNothing) {
  const std::string endless = "{ cat my.csv; while echo 0,1; do :; done 2> /dev/null; }";
  const std::string until_it_writes = "until ls my.bin.*.tmp > /dev/null 2>&1; do sleep 0.01; done";
  const Outcome outcome =
      run_shell(endless + " | " + command("/dev/stdin --output my.bin & pid=$!; ") +
                    until_it_writes + "; kill -TERM $pid; wait $pid",
                folder.path());
  EXPECT_EQ(outcome.exit_code, 143);
  EXPECT_EQ(outcome.err, "stopped by SIGTERM; nothing was written\n");
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"my.csv"});
}

TEST_F(ConvertTest, ASignalStopsItWhileItWaitsForAPipe) {
  const std::string stalled = "{ cat my.csv; exec sleep 600; }";
  const std::string until_it_writes = "until ls my.bin.*.tmp > /dev/null 2>&1; do sleep 0.01; done";
  const Outcome outcome =
      run_shell("mkfifo pipe; " + stalled + " > pipe & slow=$!; " +
                    command("pipe --output my.bin & pid=$!; ") + until_it_writes +
                    "; kill -TERM $pid; wait $pid; code=$?; kill $slow && exit $code",
                folder.path());
  EXPECT_EQ(outcome.exit_code, 143);
  EXPECT_EQ(names_in(folder.path()), (std::set<std::string>{"my.csv", "pipe"}));
}

TEST_F(ConvertTest, NeverReplacesItsOwnSource) {
  std::filesystem::rename(folder / "my.csv", folder / "series");
  const std::string before = read_bytes(folder / "series");
  expect_refused("series --output series --force", 2,
                 "--output must be another file than the series, got 'series'");
  EXPECT_EQ(read_bytes(folder / "series"), before);
}

TEST_F(ConvertTest, SaysWhichClassesOccurWhereThereAreGaps) {
  write_bytes(folder / "gaps.csv", "input,target\n10,20\n30,10\n");
  const Outcome outcome = run("gaps.csv --output gaps.bin");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.err,
            "warning: gaps.bin: only the classes 10, 20, 30 occur, but the network gets 31, from 0 "
            "to 30\n");
  EXPECT_EQ(outcome.out, "gaps.bin: 2 symbols of 31 classes, 68 bytes\n");
}

// 100,000,000 symbols, all zero, which take no room on most disks and 1.6 GB in memory.
TEST_F(ConvertTest, ALongSeriesIsNeverInMemory) {
  if (has_sanitizer()) {
    GTEST_SKIP() << "a sanitizer keeps memory to itself";
  }
  constexpr std::int64_t kMostKilobytes = 200'000;
  const std::string length("\0\xE1\xF5\x05\0\0\0\0", 8);
  write_bytes(folder / "long.bin", std::string("\x89UNROLL\n\1\0\0\0\2\0\0\0", 16) + length);
  std::filesystem::resize_file(folder / "long.bin", 64 + 200'000'000);
  const Outcome outcome =
      expect_trains(folder, "--out run --quiet --epochs 1 --data long.bin --log-every 100000");
  EXPECT_LT(outcome.peak_kilobytes, kMostKilobytes);
  EXPECT_EQ(read_metrics(folder, "run").back().window, 3'333'333);
}

}  // namespace
}  // namespace unroll
