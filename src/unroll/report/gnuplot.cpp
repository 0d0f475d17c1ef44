#include <unroll/report/gnuplot.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <regex>

#include <unroll/base/file.h>
#include <unroll/base/process.h>
#include <unroll/base/quote.h>
#include <unroll/report/markup.h>
#include <unroll/report/theme.h>

namespace unroll {
namespace {

constexpr std::array kTones = {kPaper,     kInk,       kMuted,     kFaint,    kRow,
                               kCurves[0], kCurves[1], kCurves[2], kCurves[3]};

/// The last line that says something, which is where gnuplot names its error.
std::string last_line(std::string_view text) {
  const std::size_t end = text.find_last_not_of(" \n\r\t");
  if (end == std::string_view::npos) {
    return "";
  }
  const std::size_t begin = text.find_last_of('\n', end) + 1;  // 0 if there is no line before
  return std::string(text.substr(begin, end + 1 - begin));
}

std::string describe_problem(const ProcessEnd& end, std::chrono::milliseconds limit) {
  if (end.start_error == ENOENT) {
    return "gnuplot is not installed";
  }
  if (end.start_error != 0) {
    return fmt::format("gnuplot cannot be started: {}", std::strerror(end.start_error));
  }
  if (end.is_too_slow) {
    return fmt::format("gnuplot was not done after {:g} s",
                       std::chrono::duration<double>(limit).count());
  }
  const std::string line = last_line(end.err);
  return fmt::format("gnuplot failed with exit code {}{}{}", end.exit_code,
                     line.empty() ? "" : ": ", printable(line));
}

bool is_svg(std::string_view text) {
  return text.find("<svg") != std::string_view::npos &&
         text.find("</svg>") != std::string_view::npos;
}

/// gnuplot's spellings of a colour, such as "rgb( 11,  92, 173)", each as "#0b5cad".
std::string with_plain_colours(std::string_view svg) {
  static const std::regex spelling(R"(rgb\( *(\d+), *(\d+), *(\d+)\))");
  std::string plain;
  const char* rest = svg.data();
  const char* end = svg.data() + svg.size();
  for (std::cmatch match; std::regex_search(rest, end, match, spelling); rest = match[0].second) {
    plain.append(rest, match[0].first);
    plain += fmt::format("#{:02x}{:02x}{:02x}", std::stoi(match[1]), std::stoi(match[2]),
                         std::stoi(match[3]));
  }
  return plain.append(rest, end);
}

/// Removes the first element of this name.
void remove_element(std::string& svg, const std::string& name) {
  const std::string close = fmt::format("</{}>", name);
  const std::size_t begin = svg.find(fmt::format("<{}>", name));
  const std::size_t end = svg.find(close);
  if (begin != std::string::npos && end != std::string::npos && begin < end) {
    svg.erase(begin, end + close.size() - begin);
  }
}

/// What is around the picture, and a rule for each tone: wherever the light colour was drawn, the
/// dark one.
std::string theme_style() {
  std::string rules;
  for (const Tone& tone : kTones) {
    for (const char* property : {"fill", "stroke", "color"}) {
      rules +=
          fmt::format("  .picture [{0}=\"{1}\"] {{ {0}: {2} }}\n", property, tone.light, tone.dark);
    }
  }
  return fmt::format(
      "<style>\n"
      ".picture {{ background: {} }}\n"
      "@media (prefers-color-scheme: dark) {{\n"
      "  .picture {{ background: {} }}\n{}}}\n"
      "</style>\n",
      kPaper.light, kPaper.dark, rules);
}

}  // namespace

std::string script_head(const std::string& name, const std::string& what, int width, int height) {
  return fmt::format(
      "# {0}\n"
      "# Written by Unroll, for you to change. To draw {1}.svg again: gnuplot {1}.gp\n"
      "\n"
      "set terminal svg size {2},{3} dynamic noenhanced font \"sans-serif,{4}\" background "
      "\"{5}\"\n"
      "if (ARGC == 0) set output \"{1}.svg\"  # with an argument, the picture goes to stdout\n"
      "set datafile separator \",\"\n"
      "set datafile missing NaN  # lines go on over what is left out\n",
      what, name, width, height, kFontSize, kPaper.light);
}

Drawing run_gnuplot(const std::string& folder, const std::string& script,
                    std::chrono::milliseconds limit) {
  ProcessEnd end =
      run_process({"gnuplot", "--default-settings", "-c", script, "stdout"}, folder, limit);
  if (end.start_error != 0 || end.is_too_slow || end.exit_code != 0) {
    return {.problem = describe_problem(end, limit)};
  }
  if (!is_svg(end.out)) {
    return {.problem = "gnuplot drew no whole picture"};
  }
  return {.svg = std::move(end.out)};
}

std::string themed(std::string_view svg, const PictureText& text) {
  std::string picture = with_plain_colours(svg);
  remove_element(picture, "title");
  remove_element(picture, "desc");
  const std::size_t tag = picture.find("<svg");
  const std::size_t body = picture.find('>', tag) + 1;
  picture.insert(body, fmt::format("\n<title id=\"picture-title\">{}</title>\n"
                                   "<desc id=\"picture-description\">{}</desc>\n{}",
                                   escaped(text.title), escaped(text.description), theme_style()));
  picture.insert(tag + std::strlen("<svg"),
                 " class=\"picture\" role=\"img\" aria-labelledby=\"picture-title\" "
                 "aria-describedby=\"picture-description\"");
  return picture;
}

Drawing draw_picture(const std::string& folder, const std::string& name, const std::string& script,
                     const PictureText& text) {
  write_file(folder + "/" + name + ".gp", script);
  Drawing drawing = run_gnuplot(folder, name + ".gp");
  const std::string path = folder + "/" + name + ".svg";
  if (!drawing.problem.empty()) {
    std::filesystem::remove(path);
    return drawing;
  }
  drawing.svg = themed(drawing.svg, text);
  write_file(path, drawing.svg);
  return drawing;
}

}  // namespace unroll
