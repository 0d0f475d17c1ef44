// Programs that are run: what they are given, and how they end.

#include <unroll/base/process.h>

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <set>
#include <string>

#include "../support/temp_dir.h"

namespace unroll {
namespace {

using namespace std::chrono_literals;
using testing::names_in;
using testing::TempDir;

constexpr auto kLong = 60s;

/// Runs a shell script in the root folder.
ProcessEnd run_script(const std::string& script, std::chrono::milliseconds limit = kLong) {
  return run_process({"sh", "-c", script}, "/", limit);
}

TEST(Process, GivesWhatTheProgramWroteAndItsExitCode) {
  const ProcessEnd end = run_script("echo said; echo complained >&2; exit 3");
  EXPECT_EQ(end.start_error, 0);
  EXPECT_FALSE(end.is_too_slow);
  EXPECT_EQ(end.exit_code, 3);
  EXPECT_EQ(end.out, "said\n");
  EXPECT_EQ(end.err, "complained\n");
}

TEST(Process, GivesAllOfMuchOutput) {
  // More than the pipes hold, on both: a reader of one after the other would wait for ever.
  const ProcessEnd end =
      run_script("head -c 1000000 /dev/zero >&2; head -c 1000000 /dev/zero; echo end");
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_EQ(end.err.size(), 1'000'000U);
  EXPECT_EQ(end.out.size(), 1'000'004U);
}

TEST(Process, TakesItsArgumentsAsTheyAre) {
  const std::string odd = "a b\"c'd$HOME;\xE9\n*";
  EXPECT_EQ(run_process({"printf", "%s", odd}, "/", kLong).out, odd);
}

TEST(Process, RunsInItsFolder) {
  const TempDir folder;
  const std::string odd = folder / "a \"b' $HOME \xE9";
  std::filesystem::create_directory(odd);
  EXPECT_EQ(run_process({"touch", "here"}, odd, kLong).exit_code, 0);
  EXPECT_EQ(names_in(odd), std::set<std::string>{"here"});
}

TEST(Process, HasNothingOnStdin) { EXPECT_EQ(run_script("cat; echo end").out, "end\n"); }

TEST(Process, SaysWhyNothingRan) {
  EXPECT_EQ(run_process({"no-such-program"}, "/", kLong).start_error, ENOENT);
  EXPECT_EQ(run_process({"/etc/passwd"}, "/", kLong).start_error, EACCES);
}

TEST(Process, NamesTheSignalThatKilledIt) {
  EXPECT_EQ(run_script("kill -KILL $$").exit_code, 128 + SIGKILL);
}

TEST(Process, IsKilledAtItsLimitWithWhatItStarted) {
  const auto begin = std::chrono::steady_clock::now();
  const ProcessEnd end = run_script("echo begun; sleep 60 & echo $!; sleep 60", 200ms);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 30s);
  EXPECT_TRUE(end.is_too_slow);
  ASSERT_TRUE(end.out.starts_with("begun\n"));
  const pid_t started = std::stoi(end.out.substr(6));
  // It is not ours to wait for: it is gone when another process has.
  for (int i = 0; i < 500 && ::kill(started, 0) == 0; ++i) {
    std::filesystem::path state("/proc/" + std::to_string(started) + "/stat");
    if (!std::filesystem::exists(state) ||
        testing::read_bytes(state.string()).find(") Z ") != std::string::npos) {
      break;
    }
    ASSERT_LT(i, 499) << "it still runs";
    ::usleep(10'000);
  }
}

TEST(Process, MayCloseItsStreamsAndGoOn) {
  const ProcessEnd end = run_script("exec >&- 2>&-; sleep 0.1; exit 4");
  EXPECT_EQ(end.exit_code, 4);
}

TEST(Process, LeavesNoZombieAndNoOpenFile) {
  const auto open_files = [] { return names_in("/proc/self/fd").size(); };
  const std::size_t before = open_files();
  run_script("true");
  run_script("sleep 60", 50ms);
  run_process({"no-such-program"}, "/", kLong);
  EXPECT_EQ(open_files(), before);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

}  // namespace
}  // namespace unroll
