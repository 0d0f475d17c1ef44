// The report of a run and the picture of a comparison, as users get them.

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>

#include "../support/search_path.h"
#include "train_program.h"

namespace unroll {
namespace {

using namespace testing;

/// Runs a program of ours in a folder, where a shell finds other programs in `path` alone.
Outcome run_with_path(const TempDir& folder, const std::string& path, const std::string& command) {
  return run_shell("PATH=" + shell_word(path) + " " + command, folder.path());
}

std::string report_of(const TempDir& folder, const std::string& run) {
  return read_bytes(folder / (run + "/report.html"));
}

/// A report without its times, and without what says how often rows are logged.
std::string without_times(const std::string& report) {
  return std::regex_replace(report, std::regex(R"(>[0-9.]+ u?s<)"), "><");
}

TEST(Report, LeavesScriptPictureAndPage) {
  const TempDir folder;
  expect_trains(folder, "--out run" + std::string(kSmall));
  EXPECT_EQ(names_in(folder / "run"), run_files);
  const std::string page = report_of(folder, "run");
  const std::string picture = read_bytes(folder / "run/loss.svg");
  EXPECT_NE(page.find(picture.substr(picture.find("<svg"))), std::string::npos);
  EXPECT_NE(page.find("<h1>Run run</h1>"), std::string::npos);
}

TEST(Report, SaysWhatSummaryAndConfigSay) {
  const TempDir folder;
  expect_trains(folder, "--out run" + std::string(kSmall));
  const Json summary = read_json(folder / "run/summary.json");
  const Json config = read_json(folder / "run/config.json");
  const std::string page = report_of(folder, "run");
  const auto has = [&page](const std::string& part) {
    EXPECT_NE(page.find(part), std::string::npos) << part;
  };
  const auto decimal = [](const Json& number) {
    std::string text(32, '\0');
    text.resize(static_cast<std::size_t>(
        std::snprintf(text.data(), text.size(), "%.4f", number.get<double>())));
    return text;
  };
  has("<th scope=\"row\">last log row</th><td class=\"number\">" + decimal(summary["final_loss"]));
  for (const Json& combination : summary["evaluation"]["combinations"]) {
    has("<td class=\"number\">" + decimal(combination["probability"]) +
        "</td><td class=\"number\">" + decimal(combination["truth"]) + "</td>");
  }
  for (const auto& [name, value] : config.items()) {
    has("<th scope=\"row\">" + (name == "versions" ? "libtorch" : name) + "</th>");
  }
}

TEST(Report, MayBeLeftOut) {
  const TempDir folder;
  expect_trains(folder, "--no-report --out run" + std::string(kSmall));
  std::set<std::string> files = run_files;
  for (const char* name : {"loss.gp", "loss.svg", "report.html"}) {
    files.erase(name);
  }
  EXPECT_EQ(names_in(folder / "run"), files);
  EXPECT_EQ(train(folder, "--verify run").exit_code, 0);
}

TEST(Report, HasNoPictureWhereThereIsNoGnuplotAndOneNoteSaysSo) {
  const TempDir folder;
  const Outcome outcome =
      run_with_path(folder, "/nowhere", train_command("--out run" + std::string(kSmall)));
  EXPECT_EQ(outcome.exit_code, 0);
  const std::string note = "note: no loss.svg: gnuplot is not installed\n";
  const std::size_t found = outcome.err.find(note);
  ASSERT_NE(found, std::string::npos) << outcome.err;
  EXPECT_EQ(outcome.err.find("note:", found + 1), std::string::npos) << outcome.err;
  std::set<std::string> files = run_files;
  files.erase("loss.svg");
  EXPECT_EQ(names_in(folder / "run"), files);
  EXPECT_NE(report_of(folder, "run").find("There is no picture: gnuplot is not installed."),
            std::string::npos);
  EXPECT_EQ(train(folder, "--verify run").exit_code, 0);
}

TEST(Report, IsQuietAboutAMissingPictureWhereItIsAskedToBe) {
  const TempDir folder;
  const Outcome outcome =
      run_with_path(folder, "/nowhere", train_command("--quiet --out run" + std::string(kSmall)));
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.err, "");
}

TEST(Report, HasNoPictureWhereGnuplotFails) {
  const TempDir folder;
  const TempDir programs;
  write_program(programs / "gnuplot", "echo '<b>why</b>' >&2\nexit 3\n");
  const Outcome outcome = run_with_path(folder, programs.path() + ":/usr/bin:/bin",
                                        train_command("--out run" + std::string(kSmall)));
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_NE(outcome.err.find("note: no loss.svg: gnuplot failed with exit code 3: <b>why</b>\n"),
            std::string::npos)
      << outcome.err;
  EXPECT_NE(report_of(folder, "run").find("&lt;b&gt;why&lt;/b&gt;"), std::string::npos);
}

TEST(Report, OfARunThatWasTakenFurtherIsThatOfOneThatWasNot) {
  const TempDir folder;
  expect_trains(folder, "--out once/run" + std::string(kSmall));
  expect_trains(folder,
                "--out twice/run --series-length 300 --epochs 1 --log-every 4 --eval-length 500");
  expect_trains(folder, "--resume twice/run --epochs 2");
  EXPECT_EQ(read_bytes(folder / "twice/run/loss.gp"), read_bytes(folder / "once/run/loss.gp"));
  EXPECT_EQ(read_bytes(folder / "twice/run/loss.svg"), read_bytes(folder / "once/run/loss.svg"));
  EXPECT_EQ(without_times(report_of(folder, "twice/run")),
            without_times(report_of(folder, "once/run")));
}

TEST(Report, OfARunThatGoesOnWithoutOneIsNotTheOldOne) {
  const TempDir folder;
  expect_trains(folder, "--out run" + std::string(kSmall));
  expect_trains(folder, "--resume run --eval-length 1000 --no-report");
  EXPECT_EQ(names_in(folder / "run").count("report.html"), 0U);
  EXPECT_EQ(train(folder, "--verify run").exit_code, 0);
}

TEST(Report, ShowsAUsersPathAsTextAndItsFileHasNoFloors) {
  const TempDir folder;
  const std::string name = "<script>alert(1)<script>&\"'.csv";
  write_bytes(folder / name, four_class_csv());
  expect_trains(folder, "--out run --data " + shell_word(name));
  const std::string page = report_of(folder, "run");
  EXPECT_NE(page.find("/&lt;script&gt;alert(1)&lt;script&gt;&amp;&quot;&#39;.csv</td>"),
            std::string::npos);
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find("floor"), std::string::npos);
  EXPECT_NE(page.find("is another class"), std::string::npos);
}

TEST(Report, WorksInAFolderOfAnyName) {
  const TempDir folder;
  const std::string name = "a \"b' $(touch x) \xE9\n";
  expect_trains(folder, "--out " + shell_word(name) + kSmall);
  EXPECT_EQ(names_in(folder / name), run_files);
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{name});
}

TEST(Report, ScriptDrawsThePictureAgain) {
  const TempDir folder;
  expect_trains(folder, "--out run" + std::string(kSmall));
  const Outcome outcome = run_shell("rm loss.svg && gnuplot loss.gp", folder / "run");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(read_bytes(folder / "run/loss.svg").find("every lag seen</text>"), std::string::npos);
}

TEST(ComparisonReport, HasThePictureAndItsScript) {
  const TempDir folder;
  const std::string compare = shell_word(UNROLL_BINARY_DIR "/unroll-compare");
  const Outcome outcome =
      run_shell(compare + " --self-check --out c --quiet" + kFewWindows, folder.path());
  EXPECT_EQ(outcome.err, "");
  const std::string svg = read_bytes(folder / "c/losses.svg");
  EXPECT_NE(svg.find("builtin/autograd+fault</text>"), std::string::npos);
  EXPECT_EQ(run_shell("gnuplot losses.gp", folder / "c").exit_code, 0);
}

TEST(ComparisonReport, HasNoPictureWhereThereIsNoGnuplotAndSaysSo) {
  const TempDir folder;
  const std::string compare = shell_word(UNROLL_BINARY_DIR "/unroll-compare");
  const Outcome outcome = run_with_path(folder, "/nowhere", compare + " --out c" + kFewWindows);
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_NE(outcome.err.find("note: no losses.svg: gnuplot is not installed\n"), std::string::npos)
      << outcome.err;
}

}  // namespace
}  // namespace unroll
