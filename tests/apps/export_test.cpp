// unroll-export, run as its users run it, and what it wrote, read by programs that do not know
// Unroll.

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "train_program.h"

namespace unroll {
namespace {

using namespace testing;

class ExportTest : public ::testing::Test {
 protected:
  ExportTest() { expect_trains(folder, "--out run --quiet" + std::string(kSmall)); }

  [[nodiscard]] Outcome run(const std::string& flags) const {
    return run_shell(shell_word(UNROLL_BINARY_DIR "/unroll-export") + " " + flags, folder.path());
  }

  /// Runs it and expects one line on stderr with this code, no output, and no new file.
  void expect_refused(const std::string& flags, int exit_code, const std::string& part) const {
    SCOPED_TRACE(flags);
    const auto before = names_in(folder.path());
    const Outcome outcome = run(flags);
    EXPECT_EQ(outcome.exit_code, exit_code);
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(outcome.err.starts_with("unroll-export: ")) << outcome.err;
    EXPECT_EQ(outcome.err.find('\n') + 1, outcome.err.size()) << outcome.err;
    EXPECT_NE(outcome.err.find(part), std::string::npos) << outcome.err;
    EXPECT_EQ(names_in(folder.path()), before);
  }

  TempDir folder;
};

TEST_F(ExportTest, ARunDirectoryGivesAModuleAndItsWeights) {
  const Outcome outcome = run("run --output model.pt --weights weights.safetensors");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(outcome.out.starts_with("model.pt: 2 classes, 4 hidden units, float32; "))
      << outcome.out;
  EXPECT_EQ(names_in(folder.path()),
            (std::set<std::string>{"model.pt", "run", "weights.safetensors"}));
  EXPECT_EQ(read_bytes(folder / "weights.safetensors"), read_weights(folder, "run"));
}

TEST_F(ExportTest, AWeightsFileIsEnough) {
  const Outcome outcome = run("run/weights.safetensors --output model.pt");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
}

TEST_F(ExportTest, AnOutputThatExistsIsReplacedOnlyByForce) {
  write_bytes(folder / "model.pt", "mine");
  expect_refused("run --output model.pt", 1, "model.pt: exists; --force replaces it");
  write_bytes(folder / "w.safetensors", "mine");
  expect_refused("run --output new.pt --weights w.safetensors", 1,
                 "w.safetensors: exists; --force replaces it");
  EXPECT_EQ(read_bytes(folder / "model.pt"), "mine");
  EXPECT_EQ(run("run --output model.pt --force").exit_code, 0);
  EXPECT_NE(read_bytes(folder / "model.pt"), "mine");
}

TEST_F(ExportTest, OneFileForBothOutputsIsRefused) {
  const std::string part = "--weights must name another file than --output, got '";
  expect_refused("run --output both --weights both", 2, part + "both'");
  expect_refused("run --output both --weights ./run/../both", 2, part + "./run/../both'");
  write_bytes(folder / "both", "mine");
  std::filesystem::create_symlink("both", folder / "link");
  expect_refused("run --output both --weights link --force", 2, part + "link'");
  EXPECT_EQ(read_bytes(folder / "both"), "mine");
}

TEST_F(ExportTest, OnlyARegularFileIsReplaced) {
  const std::string part = ": exists and is no regular file";
  std::filesystem::create_directory(folder / "folder");
  std::filesystem::create_symlink("nowhere", folder / "dangling");
  ASSERT_EQ(run_shell("mkfifo fifo", folder.path()).exit_code, 0);
  for (const std::string name : {"folder", "dangling", "fifo", "/dev/null"}) {
    expect_refused("run --output " + name + " --force", 1, name + part);
    expect_refused("run --output new.pt --weights " + name + " --force", 1, name + part);
  }
  EXPECT_TRUE(std::filesystem::is_fifo(folder / "fifo"));
}

TEST_F(ExportTest, ALinkToAFileIsWrittenAtItsEnd) {
  std::filesystem::create_directory(folder / "folder");
  write_bytes(folder / "folder/model.pt", "mine");
  std::filesystem::create_symlink("folder/model.pt", folder / "link");
  expect_refused("run --output link", 1, "link: exists; --force replaces it");
  EXPECT_EQ(run("run --output link --force").exit_code, 0);
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_NE(read_bytes(folder / "folder/model.pt"), "mine");
  EXPECT_EQ(names_in(folder / "folder"), std::set<std::string>{"model.pt"});
}

TEST_F(ExportTest, AWrongCommandLineIsRefused) {
  expect_refused("", 2, "RUN_DIR|FILE.safetensors is missing");
  expect_refused("'' --output model.pt", 2, "RUN_DIR|FILE.safetensors must not be empty");
  expect_refused("run", 2, "--output is missing");
  expect_refused("run --output", 2, "output");
  expect_refused("run other --output model.pt", 2, "unexpected argument 'other'");
  expect_refused("run --output model.pt --fast", 2, "unknown flag '--fast'");
}

TEST_F(ExportTest, ASourceThatIsNoModelIsRefused) {
  expect_refused("nowhere --output model.pt", 1,
                 "nowhere: cannot be opened: No such file or directory");
  write_bytes(folder / "empty", "");
  expect_refused("empty --output model.pt", 1, "empty: is not a safetensors file");
  write_bytes(folder / "foreign", "PK\x03\x04 and then something else entirely");
  expect_refused("foreign --output model.pt", 1, "foreign: ");
  const std::string weights = read_weights(folder, "run");
  write_bytes(folder / "truncated", weights.substr(0, weights.size() - 1));
  expect_refused("truncated --output model.pt", 1, "truncated: ");
  write_bytes(folder / "other", safetensors({{"embedding", "F32", {4, 2}}}));
  expect_refused("other --output model.pt", 1, "other: has no vector ");
  write_bytes(folder / "half",
              safetensors({{"rnn.bias_ih_l0", "F32", {4}}, {"readout.bias", "F32", {2}}}));
  expect_refused("half --output model.pt", 1, "half: has no tensor ");
}

TEST_F(ExportTest, ARunThatDidNotFinishIsRefusedWithWhatIsMissing) {
  for (const char* file : {"config.json", "weights.safetensors", "summary.json"}) {
    std::filesystem::rename(folder / (std::string("run/") + file), folder / "aside");
    expect_refused("run --output model.pt", 1,
                   std::string("run: is no finished run: ") + file + " is missing");
    std::filesystem::rename(folder / "aside", folder / (std::string("run/") + file));
  }
  for (const std::string bad : {"{", "[]", "5", ""}) {
    for (const std::string file : {"run/config.json", "run/summary.json"}) {
      const std::string good = read_bytes(folder / file);
      write_bytes(folder / file, bad);
      expect_refused("run --output model.pt", 1, file + ": is no valid JSON object");
      write_bytes(folder / file, good);
    }
  }
}

TEST_F(ExportTest, AnOutputThatCannotBeWrittenIsRefused) {
  expect_refused("run --output no/model.pt", 1,
                 "no/model.pt: cannot be written: No such file or directory");
  expect_refused("run --output model.pt --weights no/weights", 1,
                 "no/weights: cannot be written: No such file or directory");
}

}  // namespace
}  // namespace unroll
