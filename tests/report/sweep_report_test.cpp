// sweep.html and sweep.svg: what they say, and that they can be read by anyone.

#include <unroll/report/sweep_report.h>

#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <unroll/report/sweep_picture.h>

#include "../support/search_path.h"
#include "../support/sweep_summary.h"
#include "../support/temp_dir.h"
#include "page_text.h"

namespace unroll {
namespace {

using namespace testing;

constexpr const char* kSweepConfig = R"({"num_steps": [2, 5], "dtype": "float32",
  "versions": {"unroll": "0.1.0"}})";

const Drawing a_map = {.svg = "<?xml version=\"1.0\"?>\n<svg class=\"picture\"></svg>\n"};

std::string page_of(const SweepSummary& summary, const Drawing& picture = a_map) {
  return sweep_page(summary, kSweepConfig, picture);
}

/// small_sweep() in a folder, which has its sweep.json.
SweepSummary small_sweep_in(const TempDir& folder) {
  write_bytes(folder / "sweep.json", kSweepConfig);
  SweepSummary summary = small_sweep();
  summary.directory = folder.path();
  return summary;
}

TEST(SweepPage, HasTheLossesBesideTheFloorThatNumStepsDecides) {
  expect_says(page_of(small_sweep()),
              {"num_steps no-carry floor 3 4 2 0.6616 0.5000 0.4600 5 0.6046 0.6000 diverged"});
}

TEST(SweepPage, SaysHowManySeedsHaveLearnedEachLag) {
  expect_says(
      page_of(small_sweep()),
      {"learned lag 3; in brackets, how many more in part; num_steps down, hidden_size across "
       "num_steps 3 4 2 1 (1) 2 5 0 0",
       "learned lag 8; in brackets, how many more in part; num_steps down, hidden_size across "
       "num_steps 3 4 2 0 (1) 2 5 0 0",
       "3 of 8 cells diverged and are in no mean."});
}

TEST(SweepPage, HasTheFloorsAndTheOptions) {
  expect_says(page_of(small_sweep()),
              {"no lag seen 0.6616 only lag 8 seen 0.6277 only lag 3 seen 0.5192 every lag seen "
               "0.4545",
               "num_steps [2,5] dtype float32", "unroll 0.1.0"});
}

TEST(SweepPage, SaysWhyThereIsNoPicture) {
  const std::string page = page_of(small_sweep(), {.problem = "gnuplot is not installed"});
  EXPECT_EQ(page.find("<figure>"), std::string::npos);
  expect_says(page, {"There is no picture: gnuplot is not installed."});
}

TEST(SweepPage, ShowsAFoldersNameAsText) {
  SweepSummary summary = small_sweep();
  summary.directory = "sweeps/<b>";
  EXPECT_NE(page_of(summary).find("<h1>Sweep &lt;b&gt;</h1>"), std::string::npos);
}

TEST(SweepPage, CanBeReadByAScreenReader) {
  const std::string page = page_of(small_sweep());
  EXPECT_EQ(count(page, "<h1"), 1U);
  EXPECT_EQ(count(page, "<table>"), 6U);
  EXPECT_EQ(count(page, "<table>\n<caption>"), count(page, "<table>"));
  EXPECT_EQ(count(page, "<th"), count(page, "<th scope=") + count(page, "<thead>"));
  EXPECT_EQ(count(page, "<section>"), count(page, "<h2>"));
}

TEST(SweepScript, HasTheMapsNumbersByTheirPlaces) {
  const std::string script = sweep_script(small_sweep());
  EXPECT_NE(script.find("\n$loss1 << END\n"
                        "0,0,0.500000,0.5000,0xfefefe\n"
                        "0,1,0.460000,0.4600,0xfefefe\n"
                        "1,0,0.600000,0.6000,0x000000\n"
                        "1,1,NaN,diverged,0x57606a\n"
                        "END\n"),
            std::string::npos)
      << script;
  EXPECT_NE(script.find("\n$lag3_1 << END\n"
                        "0,0,0.500000,1/2,0x000000\n"
                        "0,1,1.000000,2/2,0xfefefe\n"
                        "1,0,0.000000,0/2,0x000000\n"
                        "1,1,0.000000,0/2,0x000000\n"
                        "END\n"),
            std::string::npos)
      << script;
  EXPECT_NE(script.find("set xtics (\"2\" 0, \"5\" 1)"), std::string::npos);
}

TEST(SweepScript, DrawsFourLearningRatesAtMost) {
  SweepSummary summary = small_sweep();
  SweepGrid& grid = summary.config.grid;
  grid = {
      .num_steps = {2}, .hidden_size = {3}, .learning_rate = {0.1, 0.2, 0.3, 0.4, 0.5}, .seeds = 1};
  std::vector<SweepRow> rows;
  for (const SweepCell& cell : grid.cells()) {
    rows.push_back(sweep_row(cell, 0.5, Learned::kYes, Learned::kNo));
  }
  summary = summarize_sweep("DIR", summary.config, rows);
  const std::string script = sweep_script(summary);
  EXPECT_NE(script.find("nats, learning rate 0.4\""), std::string::npos);
  EXPECT_EQ(script.find("learning rate 0.5"), std::string::npos);
  expect_says(page_of(summary),
              {"Of 5 learning rates 4 are drawn; the tables have all.", "Learning rate 0.5"});
}

TEST(SweepReport, DrawsThePictureWithEveryNumber) {
  const TempDir folder;
  EXPECT_EQ(write_sweep_report(small_sweep_in(folder)), "");
  EXPECT_EQ(names_in(folder.path()),
            (std::set<std::string>{"sweep.gp", "sweep.html", "sweep.json", "sweep.svg"}));
  const std::string svg = read_bytes(folder / "sweep.svg");
  for (const char* text : {"0.5000", "0.4600", "0.6000", "diverged", "1/2", "2/2", "num_steps",
                           "hidden_size", "0.6616 no lag seen", "0.4545 every lag seen"}) {
    EXPECT_NE(svg.find('>' + std::string(text) + "</text>"), std::string::npos) << text;
  }
  EXPECT_NE(read_bytes(folder / "sweep.html").find("<figure>\n<svg class=\"picture\""),
            std::string::npos);
}

TEST(SweepReport, IsThereWithoutGnuplot) {
  const TempDir folder;
  const TempDir empty;
  const SearchPath path(empty.path());
  EXPECT_EQ(write_sweep_report(small_sweep_in(folder)), "gnuplot is not installed");
  EXPECT_EQ(names_in(folder.path()),
            (std::set<std::string>{"sweep.gp", "sweep.html", "sweep.json"}));
}

}  // namespace
}  // namespace unroll
