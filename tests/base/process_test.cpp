// Programs that are run: what they are given, and how they end.

#include <unroll/base/process.h>

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
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

/// Whether a process runs. One that was killed may be left as a zombie: it is not ours to wait for.
bool is_running(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  const std::string stat(std::istreambuf_iterator<char>(file), {});
  return !stat.empty() && stat.find(") Z ") == std::string::npos;
}

TEST(Process, IsKilledAtItsLimitWithWhatItStarted) {
  ProcessEnd end;
  std::chrono::milliseconds limit = 100ms;
  do {  // until the limit is long enough for this machine to begin
    limit *= 2;
    end = run_script("sleep 600 & echo $!; sleep 600", limit);
    ASSERT_TRUE(end.is_too_slow);
  } while (end.out.empty());
  while (is_running(std::stoi(end.out))) {
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
