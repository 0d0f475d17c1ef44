// A sweep as text: the numbers that people read.

#include <unroll/report/sweep_text.h>

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "../support/sweep_summary.h"

namespace unroll {
namespace {

using testing::small_sweep;

TEST(SweepText, TableHasTheMeansAndWhoLearnedWhat) {
  const std::string text = describe_sweep(small_sweep());
  EXPECT_NE(text.find("\nnum_steps  no carry  hidden_size 3          hidden_size 4\n"
                      "        2    0.6616  0.5000  3:1/2 8:0/2    0.4600  3:2/2 8:2/2\n"
                      "        5    0.6046  0.6000  3:0/2 8:0/2    diverged 3:0/2 8:0/2\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("3 of 8 cells diverged"), std::string::npos) << text;
  EXPECT_NE(text.find("\nonly lag 3 seen                     0.5192\n"), std::string::npos) << text;
}

TEST(SweepText, ProgressSaysHowMuchIsLeft) {
  EXPECT_EQ(describe_sweep_progress({.cells = 140, .done = 40}), "40/140 cells");
  EXPECT_EQ(describe_sweep_progress({.cells = 140, .done = 40, .trained = 20, .seconds = 4.0}),
            "40/140 cells  5.0 a second  20 s left");
}

TEST(SweepText, AShardSaysWhatComesAfterIt) {
  EXPECT_EQ(describe_shard({.shard = {.index = 3, .count = 8},
                            .progress = {.cells = 18, .done = 18},
                            .directory = "DIR"}),
            "shard 3/8: 18 cells done; when every shard is, unroll-sweep --merge DIR\n");
}

TEST(SweepSummary, JsonHasTheGroupsAndTheFloors) {
  const auto json = nlohmann::json::parse(small_sweep().to_json());
  EXPECT_EQ(json["cells"], 8);
  EXPECT_NEAR(json["floors"]["no_carry"]["5"].get<double>(), 0.6046, 5e-5);
  ASSERT_EQ(json["groups"].size(), 4U);
  const auto& first = json["groups"][0];
  EXPECT_EQ(first["num_steps"], 2);
  EXPECT_EQ(first["hidden_size"], 3);
  EXPECT_NEAR(first["held_out_loss"].get<double>(), 0.5, 1e-12);
  EXPECT_EQ(first["learned"]["3"], 1);
  EXPECT_EQ(first["partly"]["8"], 1);
  EXPECT_EQ(json["groups"][2]["diverged"], 1);
  EXPECT_TRUE(json["groups"][3]["held_out_loss"].is_null());
}

}  // namespace
}  // namespace unroll
