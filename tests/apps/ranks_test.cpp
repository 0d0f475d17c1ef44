// unroll-train in several processes, as its users start them.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "rank_programs.h"

namespace unroll {
namespace {

using namespace testing;

/// A run of 2,000 windows of six rows, each with a row of metrics.csv. In double precision, for
/// expect_same_losses().
constexpr const char* kRun =
    " --dtype float64 --batch-size 6 --series-length 120000 --epochs 1 --log-every 1"
    " --eval-length 0 --no-report --quiet --checkpoint-every 250 ";
/// A run that does not end by itself in the time of a test.
constexpr const char* kLongRun =
    " --batch-size 6 --series-length 120000 --epochs 1000000 --eval-length 0 --quiet"
    " --checkpoint-every 50 ";
/// For a test that waits until it is over.
constexpr const char* kShortTimeout = " --rank-timeout 5 ";
/// Ends what a test has left behind whose ranks did not end by themselves.
constexpr const char* kLongTimeout = " --rank-timeout 600 ";
/// Waits until a run has its first checkpoint, or has failed.
constexpr const char* kUntilSaved =
    "until [ -e run/checkpoints/best.safetensors ] || ! kill -0 $pid0 2> /dev/null; do sleep 0.05; "
    "done; ";
/// Notes the time.
constexpr const char* kNote = "touch noted; ";

/// Expects a rank to have said why it ended well within kLongTimeout of what was noted.
void expect_spoke_soon(const TempDir& folder, const RankOutcome& outcome) {
  EXPECT_LT(outcome.spoke_at - std::filesystem::last_write_time(folder / "noted"),
            std::chrono::seconds(300));
}

/// Expects the losses of two runs in double precision to be the same but for the last of the nine
/// digits that metrics.csv has: what ranks round otherwise is 1e-12 at most, as gloo_ranks_test.cpp
/// sees, and can bring a loss over the edge between two numbers of nine digits.
void expect_same_losses(const std::vector<double>& losses, const std::vector<double>& expected) {
  constexpr double kLastDigit = 1.1e-9;
  ASSERT_EQ(losses.size(), expected.size());
  for (std::size_t i = 0; i < losses.size(); ++i) {
    ASSERT_NEAR(losses[i], expected[i], kLastDigit) << "in window " << i + 1;
  }
}

std::string verify(const TempDir& folder) { return train(folder, "--verify run").out; }

TEST(TrainInRanks, GivesTheLossesOfOneProcessInEveryWindow) {
  const TempDir folder;
  expect_trains(folder, kRun + std::string("--out alone"));
  const std::vector<double> alone = read_losses(folder, "alone");
  ASSERT_EQ(alone.size(), 2'000);
  for (const int size : {2, 4}) {
    const std::string run = "in" + std::to_string(size);
    const auto outcomes = train_in_ranks(folder, size, kRun + ("--json --out " + run));
    for (const Outcome& outcome : outcomes) {
      EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
      EXPECT_EQ(outcome.err, "");
      EXPECT_EQ(outcome.out.empty(), &outcome != &outcomes.front());  // rank 0 speaks
    }
    expect_same_losses(read_losses(folder, run), alone);
  }
}

TEST(TrainInRanks, GoesOnToTheSameBytesAndInOtherNumbersToTheSameLosses) {
  const TempDir folder;
  const std::string flags =
      " --dtype float64 --batch-size 6 --series-length 24000 --log-every 1 --eval-length 0"
      " --no-report --quiet --checkpoint-every 50 --optimizer adam --learning-rate 0.01 ";
  // It trains until it is stopped, and then to the end of the next epoch.
  const auto stopped = train_in_ranks(folder, 2, flags + "--epochs 1000000 --out run",
                                      kUntilSaved + std::string("kill -TERM $pid1"));
  ASSERT_EQ(exit_codes(stopped), "143 143 ") << stopped[0].err << stopped[1].err;
  EXPECT_NE(stopped[0].err.find("--resume run"), std::string::npos) << stopped[0].err;
  EXPECT_EQ(stopped[1].err, "");
  const std::int64_t epochs = read_metrics(folder, "run").back().epoch + 1;
  const std::string to_the_end = " --epochs " + std::to_string(epochs) + " ";
  EXPECT_EQ(exit_codes(train_in_ranks(folder, 2, flags + to_the_end + "--out whole")), "0 0 ");
  run_shell("cp -r run run1; cp -r run run3", folder.path());

  const std::string resume = "--quiet --no-report" + to_the_end + "--resume ";
  const auto same = train_in_ranks(folder, 2, resume + "run");
  EXPECT_EQ(exit_codes(same), "0 0 ");
  EXPECT_EQ(same[0].err, "");
  EXPECT_EQ(read_weights(folder, "run"), read_weights(folder, "whole"));
  EXPECT_EQ(read_metrics(folder, "run"), read_metrics(folder, "whole"));
  const std::string end = "/checkpoints/" + *names_in(folder / "whole/checkpoints").rbegin();
  EXPECT_EQ(read_bytes(folder / ("run" + end)), read_bytes(folder / ("whole" + end)));

  const std::vector<double> whole = read_losses(folder, "whole");
  expect_trains(folder, resume + "run1");
  expect_same_losses(read_losses(folder, "run1"), whole);
  const auto other = train_in_ranks(folder, 3, resume + "run3");
  EXPECT_EQ(exit_codes(other), "0 0 0 ");
  EXPECT_EQ(other[0].err,
            "warning: the number of ranks is 3 now and was 2: bits may differ from a run that was "
            "never stopped\n");
  expect_same_losses(read_losses(folder, "run3"), whole);
}

TEST(TrainInRanks, GoOnWhereOneProcessHasEnded) {
  const TempDir folder;
  const std::string several =
      " --dtype float64 --batch-size 6 --series-length 12000 --log-every 1 --eval-length 0 "
      "--no-report --quiet ";
  expect_trains(folder, "--epochs 2" + several + "--out whole");
  expect_trains(folder, "--epochs 1" + several + "--out run");
  EXPECT_EQ(exit_codes(train_in_ranks(folder, 2, "--quiet --no-report --epochs 2 --resume run")),
            "0 0 ");
  expect_same_losses(read_losses(folder, "run"), read_losses(folder, "whole"));
}

TEST(TrainInRanks, EachReadsItsRowsOfASeriesFile) {
  const TempDir folder;
  std::string csv = "input,target\n";
  for (int t = 0; t < 6'000; ++t) {
    csv.append(t * t % 7 < 3 ? "1," : "0,").append((t - 2) * (t - 2) % 7 < 3 ? "1\n" : "0\n");
  }
  write_bytes(folder / "series.csv", csv);
  ASSERT_EQ(run_shell(shell_word(UNROLL_BINARY_DIR "/unroll-convert") +
                          " series.csv --output series.bin --quiet",
                      folder.path())
                .exit_code,
            0);
  const std::string flags =
      "--data series.bin --dtype float64 --batch-size 5 --epochs 2 --log-every 1 --eval-length 0 "
      "--no-report --quiet --out ";
  expect_trains(folder, flags + "alone");
  EXPECT_EQ(exit_codes(train_in_ranks(folder, 2, flags + "two")), "0 0 ");
  const std::vector<double> alone = read_losses(folder, "alone");
  EXPECT_EQ(alone.size(), 240U);
  expect_same_losses(read_losses(folder, "two"), alone);
}

TEST(TrainInRanks, EndsNamingTheRankThatWasKilledWithItsCheckpointsGood) {
  const TempDir folder;
  const auto outcomes =
      train_in_ranks(folder, 3, kLongRun + std::string(kLongTimeout) + "--out run",
                     kUntilSaved + std::string(kNote) + "kill -KILL $pid2");
  EXPECT_EQ(exit_codes(outcomes), "1 1 137 ");
  for (const int rank : {0, 1}) {
    const std::string& error = outcomes[static_cast<std::size_t>(rank)].err;
    EXPECT_TRUE(error.starts_with("unroll-train: rank " + std::to_string(rank) + ": rank 2 ("))
        << error;
    EXPECT_TRUE(error.ends_with(") has died, or does not answer any more\n")) << error;
    expect_spoke_soon(folder, outcomes[static_cast<std::size_t>(rank)]);
  }
  EXPECT_EQ(verify(folder).find("damaged"), std::string::npos) << verify(folder);
}

TEST(TrainInRanks, EndsNamingRank0WhenThatWasKilled) {
  const TempDir folder;
  const auto outcomes =
      train_in_ranks(folder, 2, kLongRun + std::string(kLongTimeout) + "--out run",
                     kUntilSaved + std::string(kNote) + "kill -KILL $pid0");
  expect_spoke_soon(folder, outcomes[1]);
  EXPECT_EQ(exit_codes(outcomes), "137 1 ");
  EXPECT_TRUE(outcomes[1].err.starts_with("unroll-train: rank 1: rank 0 at 127.0.0.1:"))
      << outcomes[1].err;
  EXPECT_EQ(std::count(outcomes[1].err.begin(), outcomes[1].err.end(), '\n'), 1) << outcomes[1].err;
  EXPECT_EQ(verify(folder).find("damaged"), std::string::npos) << verify(folder);
}

TEST(TrainInRanks, NamesARankThatHangsAfterTheTimeOut) {
  const TempDir folder;
  const auto outcomes =
      train_in_ranks(folder, 2, kLongRun + std::string(kShortTimeout) + "--out run",
                     kUntilSaved + std::string("kill -STOP $pid1; wait $pid0; kill -KILL $pid1"));
  EXPECT_TRUE(outcomes[0].err.starts_with("unroll-train: rank 0: rank 1 (")) << outcomes[0].err;
}

TEST(TrainInRanks, EndsEverywhereWithTheErrorOfRank0) {
  const TempDir folder;
  run_shell("mkdir run; touch run/something", folder.path());
  const std::string flags = kLongRun + std::string(kLongTimeout);
  const auto taken = train_in_ranks(folder, 2, flags + "--out run");
  EXPECT_EQ(exit_codes(taken), "1 1 ");
  EXPECT_TRUE(taken[0].err.starts_with("unroll-train: rank 0: run: is not empty")) << taken[0].err;
  EXPECT_EQ(taken[1].err, "unroll-train: rank 1: rank 0 has failed: " + taken[0].err.substr(22));

  const auto full = run_ranks(folder, {.size = 2, .command = [&](std::int64_t rank) {
                                         return (rank == 0 ? "ulimit -f 4; exec " : "exec ") +
                                                train_command(flags + "--log-every 1 --out full");
                                       }});
  EXPECT_EQ(exit_codes(full), "1 1 ");
  EXPECT_TRUE(full[0].err.starts_with("unroll-train: rank 0: full/")) << full[0].err;
  EXPECT_EQ(full[1].err, "unroll-train: rank 1: rank 0 has failed: " + full[0].err.substr(22));
}

TEST(TrainInRanks, EndsEverywhereWhereItDiverges) {
  const TempDir folder;
  const auto outcomes =
      train_in_ranks(folder, 2, kLongRun + std::string("--learning-rate 3e38 --out run"));
  EXPECT_EQ(exit_codes(outcomes), "1 1 ");
  for (const Outcome& outcome : outcomes) {
    EXPECT_NE(outcome.err.find(": the loss is "), std::string::npos) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
}

TEST(TrainInRanks, SavesAndEndsEverywhereOnSigint) {
  const TempDir folder;
  const auto outcomes =
      train_in_ranks(folder, 2, kLongRun + std::string(kLongTimeout) + "--out run",
                     kUntilSaved + std::string(kNote) + "kill -INT $pid0");
  EXPECT_EQ(exit_codes(outcomes), "130 130 ");
  EXPECT_NE(outcomes[0].err.find("--resume run"), std::string::npos) << outcomes[0].err;
  expect_spoke_soon(folder, outcomes[0]);
  EXPECT_EQ(verify(folder).find("damaged"), std::string::npos) << verify(folder);
}

TEST(TrainInRanks, NeedsARowForEveryRank) {
  const TempDir folder;
  const auto outcomes = train_in_ranks(folder, 3, "--batch-size 2 --out run");
  EXPECT_EQ(exit_codes(outcomes), "2 1 1 ");
  EXPECT_EQ(outcomes[0].err,
            "unroll-train: rank 0: --batch-size must be at least 3, a row for each of the ranks, "
            "got 2\n");
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>());
}

TEST(TrainInRanks, SaysWhatIsWrongWithTheEnvironment) {
  const TempDir folder;
  struct Case {
    const char* environment;
    const char* message;
  };
  for (const Case& wrong : {
           Case{"WORLD_SIZE=two", "WORLD_SIZE must be an integer from 1 to 1000000, got 'two'"},
           Case{"WORLD_SIZE=0 RANK=0",
                "rank 0: WORLD_SIZE must be an integer from 1 to 1000000, got '0'"},
           Case{"RANK=0", "WORLD_SIZE must be set where RANK is"},
           Case{"WORLD_SIZE=1 RANK=1", "RANK must be an integer from 0 to 0, got '1'"},
           Case{"WORLD_SIZE=2", "RANK must be set where WORLD_SIZE is more than 1"},
           Case{"WORLD_SIZE=2 RANK=2", "rank 2: RANK must be an integer from 0 to 1, got '2'"},
           Case{"WORLD_SIZE=2 RANK=1",
                "rank 1: MASTER_ADDR must be set where WORLD_SIZE is more than 1"},
           Case{"WORLD_SIZE=2 RANK=1 MASTER_ADDR=localhost MASTER_PORT=65536",
                "rank 1: MASTER_PORT must be an integer from 1 to 65535, got '65536'"},
           Case{"WORLD_SIZE=2 RANK=1 LOCAL_RANK=2",
                "rank 1: LOCAL_RANK must be an integer from 0 to 1, got '2'"},
           Case{"RANK=0 WORLD_SIZE=2 MASTER_ADDR=localhost MASTER_PORT=29500 FLAG=--rank-timeout=0",
                "rank 0: --rank-timeout must be from 1 to 86400, got 0"},
       }) {
    const Outcome outcome = run_shell(
        "export " + std::string(wrong.environment) + "; " + train_command("$FLAG"), folder.path());
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_EQ(outcome.err, "unroll-train: " + std::string(wrong.message) + "\n");
  }
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>());
}

TEST(TrainInRanks, SaysWhoHasNotCome) {
  const TempDir folder;
  const std::string flags = "--rank-timeout 1 --out run";
  const Outcome no_master =
      run_shell("export WORLD_SIZE=2 RANK=1 MASTER_ADDR=127.0.0.1 MASTER_PORT=" +
                    std::to_string(free_port()) + "; " + train_command(flags),
                folder.path());
  EXPECT_EQ(no_master.exit_code, 1);
  EXPECT_TRUE(no_master.err.starts_with("unroll-train: rank 1: cannot reach rank 0 at 127.0.0.1:"))
      << no_master.err;
  EXPECT_TRUE(no_master.err.ends_with(" within 1 s\n")) << no_master.err;

  const Outcome no_launcher = run_shell(
      "export WORLD_SIZE=2 RANK=0 MASTER_ADDR=127.0.0.1 TORCHELASTIC_USE_AGENT_STORE=True "
      "MASTER_PORT=" +
          std::to_string(free_port()) + "; " + train_command(flags),
      folder.path());
  EXPECT_EQ(no_launcher.exit_code, 1);
  EXPECT_TRUE(
      no_launcher.err.starts_with("unroll-train: rank 0: cannot reach the launcher at 127.0.0.1:"))
      << no_launcher.err;

  const Outcome elsewhere = run_shell(
      "export WORLD_SIZE=2 RANK=0 MASTER_ADDR=192.0.2.1 MASTER_PORT=29500; " + train_command(flags),
      folder.path());
  EXPECT_EQ(elsewhere.exit_code, 1);
  EXPECT_EQ(elsewhere.err,
            "unroll-train: rank 0: MASTER_ADDR must be an address of this host, where rank 0 is, "
            "got 192.0.2.1\n");

  const Outcome alone = run_shell("export WORLD_SIZE=3 RANK=0 MASTER_ADDR=127.0.0.1 MASTER_PORT=" +
                                      std::to_string(free_port()) + "; " + train_command(flags),
                                  folder.path());
  EXPECT_EQ(alone.exit_code, 1);
  EXPECT_EQ(alone.err, "unroll-train: rank 0: of 3 ranks 2 did not come within 1 s: 1, 2\n");
}

TEST(TrainInRanks, TalkOverTheInterfaceThatIsNamed) {
  const TempDir folder;
  const auto over = [&](const std::string& interface) {
    return run_ranks(
        folder, {.size = 2, .command = [&](std::int64_t /*rank*/) {
                   return "export GLOO_SOCKET_IFNAME=" + interface + "; exec " +
                          train_command(kRun + std::string(kLongTimeout) + "--out " + interface);
                 }});
  };
  EXPECT_EQ(exit_codes(over("lo")), "0 0 ");
  const auto nowhere = over("nowhere0");
  EXPECT_EQ(exit_codes(nowhere), "1 1 ");
  const std::string problem =
      "GLOO_SOCKET_IFNAME must be a network interface of this host that has an address, got "
      "'nowhere0'\n";
  EXPECT_TRUE(nowhere[0].err.ends_with(problem)) << nowhere[0].err;
  EXPECT_TRUE(nowhere[1].err.ends_with(problem)) << nowhere[1].err;
}

TEST(TrainInRanks, RefusesRanksThatDoNotFitTogether) {
  const TempDir folder;
  const auto twice =
      run_ranks(folder, {.size = 2, .command = [](std::int64_t rank) {
                           return (rank == 0 ? "exec " : "RANK=0; exec ") +
                                  train_command(kShortTimeout + std::string("--out run"));
                         }});
  EXPECT_EQ(exit_codes(twice), "1 1 ");
  EXPECT_NE((twice[0].err + twice[1].err).find("rank 0: cannot listen for the other ranks at 127."),
            std::string::npos)
      << twice[0].err << twice[1].err;
  // The one that comes too late ends; the others train on, until they are told to stop.
  const auto one_more = run_ranks(
      folder, {.size = 3,
               .command =
                   [](std::int64_t rank) {
                     const std::string command = train_command(kLongRun + std::string("--out run"));
                     return rank == 0 ? "WORLD_SIZE=2; exec " + command
                                      : "WORLD_SIZE=2; RANK=1; " + command +
                                            "; code=$?; touch ended; exit $code";
                   },
               .meanwhile = "until [ -e ended ]; do sleep 0.05; done; " + std::string(kUntilSaved) +
                            "kill -TERM $pid0"});
  const std::string codes = exit_codes(one_more);
  EXPECT_TRUE(codes == "143 143 1 " || codes == "143 1 143 ") << codes;
  EXPECT_EQ(one_more[1].err + one_more[2].err,
            "unroll-train: rank 1: another process has this RANK too, 1 of 2\n");
  EXPECT_EQ(names_in(folder.path()), (std::set<std::string>{"ended", "run"}));
  for (const char* name : {"ended", "run"}) {
    std::filesystem::remove_all(folder / name);
  }
  const auto sizes =
      run_ranks(folder, {.size = 2, .command = [](std::int64_t rank) {
                           return (rank == 0 ? "exec " : "WORLD_SIZE=3; exec ") +
                                  train_command(kShortTimeout + std::string("--out run"));
                         }});
  EXPECT_EQ(exit_codes(sizes), "1 1 ");
  EXPECT_NE((sizes[0].err + sizes[1].err).find("where another rank runs"), std::string::npos)
      << sizes[0].err << sizes[1].err;
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>());
}

TEST(TrainInRanks, DoNotMeetThoseOfAnotherAttempt) {
  const TempDir folder;
  const auto outcomes =
      run_ranks(folder, {.size = 2, .command = [](std::int64_t rank) {
                           return "export TORCHELASTIC_RESTART_COUNT=" + std::to_string(rank) +
                                  "; exec " + train_command("--rank-timeout 3 --out run");
                         }});
  EXPECT_EQ(exit_codes(outcomes), "1 1 ");
  EXPECT_EQ(outcomes[0].err, "unroll-train: rank 0: of 2 ranks 1 did not come within 3 s: 1\n");
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>());
}

TEST(TrainInRanks, TakesTheUsersSeriesFromEveryRanksOwnPlace) {
  const TempDir folder;
  write_bytes(folder / "a.csv", four_class_csv());
  write_bytes(folder / "b.csv", four_class_csv());
  const std::string flags =
      "--dtype float64 --epochs 2 --log-every 1 --quiet --no-report --batch-size 2 ";
  const auto with = [&](const char* other, const char* run) {
    return run_ranks(folder, {.size = 2, .command = [&](std::int64_t rank) {
                                return "exec " + train_command(flags + "--data " +
                                                               (rank == 0 ? "a.csv" : other) +
                                                               " --out " + run);
                              }});
  };
  EXPECT_EQ(exit_codes(with("b.csv", "run")), "0 0 ");
  expect_trains(folder, flags + "--data a.csv --out alone");
  expect_same_losses(read_losses(folder, "run"), read_losses(folder, "alone"));

  write_bytes(folder / "b.csv", four_class_csv() + "0,0\n");
  const auto outcomes = with("b.csv", "other");
  EXPECT_EQ(exit_codes(outcomes), "1 1 ");
  EXPECT_TRUE(outcomes[0].err.ends_with("b.csv: is not the file that rank 0 reads\n"))
      << outcomes[0].err;
}

TEST(TrainInRanks, IsNotWhatComparisonsAndSweepsDo) {
  const TempDir folder;
  for (const std::string program : {"unroll-compare", "unroll-sweep"}) {
    const Outcome outcome = run_shell(
        "WORLD_SIZE=2 exec " + shell_word(UNROLL_BINARY_DIR "/" + program), folder.path());
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_EQ(outcome.err, program +
                               ": WORLD_SIZE must be 1 or not set, since only unroll-train trains "
                               "in several processes, got '2'\n");
  }
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>());
}

TEST(TrainInRanks, OfOneIsTrainingAlone) {
  const TempDir folder;
  const Outcome outcome = run_shell(
      "export WORLD_SIZE=1 RANK=0 MASTER_ADDR=nowhere.invalid MASTER_PORT=1; " +
          train_command(kFewWindows + std::string("--eval-length 0 --no-report --out run")),
      folder.path());
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.err.find("ranks"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace unroll
