// unroll-train, built to train in one process, where several are started.

#include <gtest/gtest.h>

#include "train_program.h"

namespace unroll {
namespace {

using namespace testing;

TEST(TrainInOneProcess, RefusesToBeOneOfSeveral) {
  const TempDir folder;
  const Outcome outcome = run_shell(
      "export WORLD_SIZE=2 RANK=1 MASTER_ADDR=127.0.0.1 MASTER_PORT=29500; " + train_command(""),
      folder.path());
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.err,
            "unroll-train: rank 1: this is rank 1 of 2, but the program was built to train in one "
            "process; build it with -DUNROLL_DISTRIBUTED=ON\n");
  EXPECT_TRUE(names_in(folder.path()).empty());
}

}  // namespace
}  // namespace unroll
