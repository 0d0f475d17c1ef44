// A line at the bottom of the terminal that changes in place.
#pragma once

#include <string>
#include <string_view>

#include <unroll/report/live_line.h>

namespace unroll::cli {

/// The last line of what stderr shows, where that is a terminal; text goes above it. It is gone
/// when this is.
class TerminalLine {
 public:
  /// With no line if `wanted` is false, stderr is no terminal, or the terminal cannot rewrite a
  /// line.
  explicit TerminalLine(bool wanted);
  ~TerminalLine();
  TerminalLine(const TerminalLine&) = delete;
  TerminalLine& operator=(const TerminalLine&) = delete;

  /// Whether there can be a line.
  [[nodiscard]] bool is_live() const { return is_live_; }

  /// Shows this in the place of what was there.
  void show(const LiveStatus& status);
  /// Shows a short text, of which what does not fit is cut off.
  void show(std::string_view text);

  /// Prints lines of text, above the line if there is one.
  void print_above(std::string_view text) const;

 private:
  void print(std::string line);

  bool is_live_;
  bool has_colour_;
  std::string shown_;
};

}  // namespace unroll::cli
