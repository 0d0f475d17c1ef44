// report.html: what it says, and that it can be read by anyone.

#include <unroll/report/page.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "page_text.h"
#include "summaries.h"

namespace unroll {
namespace {

using namespace testing;

constexpr const char* kConfig = R"({
  "model": "manual",
  "data": "/tmp/<script>alert(1)</script>&\"'.csv",
  "process": {"base": 0.5},
  "versions": {"unroll": "0.1.0", "compiler": "13 & later"}
})";

const Drawing a_picture = {.svg = "<?xml version=\"1.0\"?>\n<svg class=\"picture\"></svg>\n"};

std::string page_of(const Summary& summary, const Drawing& picture = a_picture) {
  return report_page(summary, kConfig, picture);
}

TEST(Page, SaysWhatWasLearnedWithTheTruthBeside) {
  expect_says(page_of(a_summary()),
              {"inputs network truth symbols X[t-3] = 0 , X[t-8] = 0 0.4600 0.5000 50001 ",
               " X[t-3] = 1 , X[t-8] = 0 0.8900 1.0000 50002 ",
               "lag effect truth learned 3 +0.4240 &plusmn;&nbsp;0.0002 +0.5000 yes: the loss is "
               "below the floor without it, 0.6277 8 -0.0600 &plusmn;&nbsp;0.0010 -0.2500 partly: "
               "the loss is not below the floor without it, 0.5192 "});
}

TEST(Page, SaysHowFarTheHeldOutLossIsFromEachFloor) {
  // 0.6616 - 0.5155, and so on.
  expect_says(
      page_of(a_summary()),
      {"the held-out loss of 0.5155 nats is", "no lag seen 0.6616 0.1461 below",
       "no carried state, num_steps 10 0.5489 0.0334 below", "every lag seen 0.4545 0.0610 above"});
}

TEST(Page, MeasuresTheLastEpochWhereNothingWasEvaluated) {
  Summary summary = a_summary();
  summary.evaluation.reset();
  expect_says(page_of(summary), {"was not evaluated", "the last epoch&#39;s loss of 0.5171 nats is",
                                 "every lag seen 0.4545 0.0626 above"});
}

TEST(Page, HasLossesAndTimes) {
  expect_says(page_of(a_summary()),
              {"last log row 0.5300 last epoch 0.5171 held out, 200000 symbols 0.5155 "
               "&plusmn;&nbsp;0.0010",
               "the whole run 1.250 s of which waiting for data 0.250 s of which training 0.500 s "
               "training a window 250.00 us"});
}

TEST(Page, HasTheConfigInItsOrderAndTheVersions) {
  const std::string page = page_of(a_summary());
  expect_says(page, {"option value model manual data ", " process {&quot;base&quot;:0.5} ",
                     "part value unroll 0.1.0 compiler 13 &amp; later"});
  EXPECT_EQ(page.find("versions"), std::string::npos);
}

TEST(Page, ShowsAUsersTextAsText) {
  Summary summary = a_summary();
  summary.run_directory = "runs/<b>\xE9&\"'";
  const std::string page = page_of(summary);
  EXPECT_NE(page.find("/tmp/&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#39;.csv"),
            std::string::npos);
  EXPECT_NE(page.find("<h1>Run &lt;b&gt;\uFFFD&amp;&quot;&#39;</h1>"), std::string::npos);
  EXPECT_EQ(page.find("<script"), std::string::npos);
}

TEST(Page, CallsTheRunByTheLastPartOfItsPath) {
  for (const char* path : {"runs/mine", "runs/mine/", "/some/where/mine", "./mine/."}) {
    Summary summary = a_summary();
    summary.run_directory = path;
    EXPECT_NE(page_of(summary).find("<h1>Run mine</h1>"), std::string::npos) << path;
  }
}

TEST(Page, HasTheProfileOfAUsersFileWithBars) {
  const std::string page = page_of(a_summary_of_a_file());
  expect_says(page, {"lag effect 0 -0.2500 &plusmn;&nbsp;0.0030 1 +0.5000 &plusmn;&nbsp;0.0050",
                     "same data, 300 symbols 0.0200"});
  EXPECT_NE(page.find("<span class=\"bar\" style=\"width: 25.0%\"></span>"), std::string::npos);
  EXPECT_NE(page.find("<span class=\"bar\" style=\"width: 50.0%\"></span>"), std::string::npos);
  EXPECT_EQ(page.find("floor"), std::string::npos);
}

TEST(Page, HasTheProfileOfManyClasses) {
  Summary summary = a_summary_of_a_file();
  summary.evaluation->profile = {{.lag = 2, .change = {.value = 0.125, .standard_error = 0.001}}};
  expect_says(page_of(summary), {"is another class", "lag moves 2 0.1250 &plusmn;&nbsp;0.0010"});
}

TEST(Page, ShowsSixteenCombinationsAndSaysHowManyItLeavesOut) {
  Summary summary = a_summary();
  summary.evaluation->combinations.assign(20, {.inputs = {0, 0}, .count = 12345});
  const std::string page = page_of(summary);
  EXPECT_EQ(count(page, ">12345<"), 16U);
  expect_says(page, {"summary.json has the 4 combinations that are left out here."});
}

TEST(Page, SaysProminentlyWhatIsImpossible) {
  Summary summary = a_summary();
  EXPECT_EQ(page_of(summary).find("FAULT"), std::string::npos);
  summary.evaluation->is_impossible = true;
  const std::string page = page_of(summary);
  expect_says(page, {"FAULT: the held-out loss is below what a model can reach"});
  EXPECT_LT(page.find("role=\"alert\""), page.find("<h2>"));
}

TEST(Page, HasThePictureInlineOrSaysWhyNot) {
  const std::string page = page_of(a_summary());
  EXPECT_NE(page.find("<figure>\n<svg class=\"picture\"></svg>\n<figcaption>"), std::string::npos);
  EXPECT_EQ(page.find("<?xml"), std::string::npos);
  const std::string without = page_of(a_summary(), {.problem = "gnuplot <is> not installed"});
  EXPECT_EQ(without.find("<figure>"), std::string::npos);
  expect_says(without, {"There is no picture: gnuplot &lt;is&gt; not installed.",
                        "every lag seen 0.4545 0.0610 above"});
}

TEST(Page, NeedsNothingButItself) {
  const std::string page = page_of(a_summary());
  for (const char* part : {"http:", "https:", "src=", "href=", "url(", "@import", "<link"}) {
    EXPECT_EQ(page.find(part), std::string::npos) << part;
  }
  EXPECT_NE(page.find("content=\"default-src &#39;none&#39;; style-src"), std::string::npos);
}

TEST(Page, CanBeReadByAScreenReader) {
  for (const Summary& summary : {a_summary(), a_summary_of_a_file()}) {
    const std::string page = page_of(summary);
    EXPECT_TRUE(page.starts_with("<!doctype html>\n<html lang=\"en\">\n"));
    EXPECT_EQ(count(page, "<h1"), 1U);
    EXPECT_LT(page.find("<h1"), page.find("<h2"));
    EXPECT_EQ(page.find("<h3"), std::string::npos);
    EXPECT_EQ(count(page, "<main>"), 1U);
    EXPECT_GE(count(page, "<table>"), 5U);
    EXPECT_EQ(count(page, "<table>\n<caption>"), count(page, "<table>"));
    EXPECT_EQ(count(page, "<th"), count(page, "<th scope=") + count(page, "<thead>"));
    EXPECT_EQ(count(page, "<tr>"),
              count(page, "<tr><th scope=\"row\">") + count(page, "<tr><th scope=\"col\""));
    EXPECT_EQ(count(page, "<section>"), count(page, "<h2>"));
  }
}

TEST(Page, FollowsTheReadersThemeAndScreen) {
  const std::string page = page_of(a_summary());
  EXPECT_NE(page.find("<meta name=\"color-scheme\" content=\"light dark\">"), std::string::npos);
  EXPECT_NE(page.find("@media (prefers-color-scheme: dark)"), std::string::npos);
  EXPECT_NE(page.find("width=device-width"), std::string::npos);
}

}  // namespace
}  // namespace unroll
