// gnuplot, the real one and others in its place, and what becomes of its SVG.

#include <unroll/report/gnuplot.h>

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <set>
#include <string>

#include "../support/search_path.h"
#include "../support/temp_dir.h"

namespace unroll {
namespace {

using namespace std::chrono_literals;
using testing::names_in;
using testing::read_bytes;
using testing::SearchPath;
using testing::TempDir;
using testing::write_bytes;
using testing::write_program;

/// A script that draws a line in a colour of the theme.
std::string a_script() {
  return script_head("line", "A line.") +
         "plot x linecolor \"#0b5cad\" title \"a <line> & more\"\n";
}

const PictureText a_text = {.title = "A <line>", .description = "It goes \"up\"."};

/// What is said where PATH has a gnuplot that is this shell script.
std::string problem_of(const std::string& script, std::chrono::milliseconds limit = 60s) {
  const TempDir folder;
  write_program(folder / "gnuplot", script);
  const SearchPath path(folder.path() + ":/usr/bin:/bin");
  const Drawing drawing = run_gnuplot("/", "line.gp", limit);
  EXPECT_EQ(drawing.svg, "");
  return drawing.problem;
}

TEST(Gnuplot, DrawsAScript) {
  const TempDir folder;
  write_bytes(folder / "line.gp", a_script());
  const Drawing drawing = run_gnuplot(folder.path(), "line.gp");
  EXPECT_EQ(drawing.problem, "");
  EXPECT_NE(drawing.svg.find("viewBox=\"0 0 640 480\""), std::string::npos);
  EXPECT_NE(drawing.svg.find(">a &lt;line> &amp; more</text>"), std::string::npos);
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"line.gp"});
}

TEST(Gnuplot, DrawsThePictureItselfWhereAPersonRunsTheScript) {
  const TempDir folder;
  write_bytes(folder / "line.gp", a_script());
  EXPECT_EQ(::system(("cd " + folder.path() + " && gnuplot line.gp").c_str()), 0);
  EXPECT_TRUE(read_bytes(folder / "line.svg").ends_with("</svg>\n\n"));
}

TEST(Gnuplot, SaysWhereAScriptIsWrong) {
  const TempDir folder;
  write_bytes(folder / "line.gp", a_script() + "plot y(3)\n");
  const Drawing drawing = run_gnuplot(folder.path(), "line.gp");
  EXPECT_EQ(drawing.svg, "");
  EXPECT_EQ(drawing.problem.find("gnuplot failed with exit code 1: \"line.gp\" line "), 0U)
      << drawing.problem;
}

TEST(Gnuplot, MayBeAbsent) {
  const TempDir folder;
  const SearchPath path(folder.path());
  EXPECT_EQ(run_gnuplot("/", "line.gp").problem, "gnuplot is not installed");
}

TEST(Gnuplot, MayFail) {
  EXPECT_EQ(problem_of("echo why >&2; exit 5"), "gnuplot failed with exit code 5: why");
  EXPECT_EQ(problem_of("exit 5"), "gnuplot failed with exit code 5");
  EXPECT_EQ(problem_of("kill -SEGV $$"), "gnuplot failed with exit code 139");
}

TEST(Gnuplot, MayHang) {
  EXPECT_EQ(problem_of("sleep 60", 200ms), "gnuplot was not done after 0.2 s");
}

TEST(Gnuplot, MayDrawNothingOrAPart) {
  EXPECT_EQ(problem_of("exit 0"), "gnuplot drew no whole picture");
  EXPECT_EQ(problem_of("echo '<svg><g>'"), "gnuplot drew no whole picture");
}

TEST(DrawPicture, LeavesScriptAndPictureWhateverTheFolderIsCalled) {
  const TempDir folder;
  const std::string odd = folder / "a \"b' $HOME \xE9";
  std::filesystem::create_directory(odd);
  const Drawing drawing = draw_picture(odd, "line", a_script(), a_text);
  EXPECT_EQ(drawing.problem, "");
  EXPECT_EQ(names_in(odd), (std::set<std::string>{"line.gp", "line.svg"}));
  EXPECT_EQ(read_bytes(odd + "/line.gp"), a_script());
  EXPECT_EQ(read_bytes(odd + "/line.svg"), drawing.svg);
}

TEST(DrawPicture, LeavesNoOldPictureWhereItFails) {
  const TempDir folder;
  write_bytes(folder / "line.svg", "old");
  const Drawing drawing = draw_picture(folder.path(), "line", "this is no script\n", a_text);
  EXPECT_NE(drawing.problem, "");
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"line.gp"});
}

// What is done to the SVG.

constexpr const char* kSvg =
    "<?xml version=\"1.0\"?>\n<svg \n viewBox=\"0 0 640 480\">\n<title>Gnuplot</title>\n"
    "<desc>Produced by GNUPLOT</desc>\n<rect fill=\"#ffffff\"/>\n"
    "<path stroke='rgb( 11,  92, 173)'/><g fill=\"rgb(31,35,40)\"><text>1</text></g>\n</svg>\n";

TEST(Themed, HasATitleAndADescriptionOfItsOwn) {
  const std::string svg = themed(kSvg, a_text);
  EXPECT_NE(svg.find("<svg class=\"picture\" role=\"img\" aria-labelledby=\"picture-title\" "
                     "aria-describedby=\"picture-description\" \n viewBox=\"0 0 640 480\">\n"
                     "<title id=\"picture-title\">A &lt;line&gt;</title>\n"
                     "<desc id=\"picture-description\">It goes &quot;up&quot;.</desc>\n<style>"),
            std::string::npos)
      << svg;
  EXPECT_EQ(svg.find("GNUPLOT"), std::string::npos);
  EXPECT_EQ(svg.find("<title>"), std::string::npos);
}

TEST(Themed, NamesEveryColourThatItMaps) {
  const std::string svg = themed(kSvg, a_text);
  EXPECT_NE(svg.find("<path stroke='#0b5cad'/><g fill=\"#1f2328\">"), std::string::npos) << svg;
  EXPECT_NE(svg.find("@media (prefers-color-scheme: dark) {"), std::string::npos);
  for (const char* rule : {".picture [stroke=\"#0b5cad\"] { stroke: #6cb6ff }",
                           ".picture [fill=\"#1f2328\"] { fill: #e6e9ee }",
                           ".picture [fill=\"#ffffff\"] { fill: #12151a }"}) {
    EXPECT_NE(svg.find(rule), std::string::npos) << rule;
  }
}

}  // namespace
}  // namespace unroll
