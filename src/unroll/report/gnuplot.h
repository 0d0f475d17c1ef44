// Pictures: gnuplot runs a script and draws an SVG, which is then made to follow the reader's
// light or dark theme.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace unroll {

/// What a picture shows, for those who do not see it.
struct PictureText {
  std::string title;
  std::string description;
};

/// A picture, or why there is none: one of the two is empty.
struct Drawing {
  std::string svg = {};
  std::string problem = {};
};

/// A picture is this large, in the units of its SVG, which scales to any size.
inline constexpr int kPictureWidth = 640;
inline constexpr int kPictureHeight = 480;
inline constexpr int kFontSize = 16;

/// How a script opens: what it draws and how to draw it again, the terminal, and the file
/// `name`.svg as its output unless it is run with an argument, when it writes to stdout.
std::string script_head(const std::string& name, const std::string& what, int width = kPictureWidth,
                        int height = kPictureHeight);

/// Runs the gnuplot script `script` of `folder` there, without the user's own settings, with an
/// argument that makes it write its SVG to stdout.
Drawing run_gnuplot(const std::string& folder, const std::string& script,
                    std::chrono::milliseconds limit = std::chrono::minutes(1));

/// gnuplot's SVG with a title and a description, and with a style that gives the theme's colours
/// their other form where the reader prefers dark.
std::string themed(std::string_view svg, const PictureText& text);

/// Draws a picture: writes FOLDER/NAME.gp, runs it, and writes FOLDER/NAME.svg, themed. Where there
/// is no picture, no old one stays.
/// @throws FileError
Drawing draw_picture(const std::string& folder, const std::string& name, const std::string& script,
                     const PictureText& text);

}  // namespace unroll
