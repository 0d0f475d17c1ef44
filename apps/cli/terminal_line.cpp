#include "cli/terminal_line.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <utility>

#include "cli/app.h"
#include "cli/stop_signal.h"

namespace unroll::cli {
namespace {

/// An environment variable; empty if there is none.
std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

/// Columns of the terminal now: a window changes.
std::size_t terminal_width() {
  constexpr std::size_t kUsual = 80;
  winsize size{};
  const bool is_known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return is_known ? size.ws_col : kUsual;
}

/// Columns that a line may take: written to the last column it might wrap, and Ctrl-C makes the
/// terminal add ^C to it.
std::size_t free_width() {
  constexpr std::size_t kFree = 3;
  const std::size_t width = terminal_width();
  return width > kFree ? width - kFree : 0;
}

}  // namespace

TerminalLine::TerminalLine(bool wanted)
    : is_live_(wanted && ::isatty(STDERR_FILENO) == 1 && !environment("TERM").empty() &&
               environment("TERM") != "dumb"),
      has_colour_(environment("NO_COLOR").empty()) {}

TerminalLine::~TerminalLine() {
  if (!shown_.empty()) {
    print_note(kEraseLine);
    set_unfinished_line(false);
  }
}

void TerminalLine::show(const LiveStatus& status) {
  print(describe_live(status, {.width = free_width(), .colour = has_colour_}));
}

void TerminalLine::show(std::string_view text) { print(std::string(text.substr(0, free_width()))); }

void TerminalLine::print(std::string line) {
  shown_ = std::move(line);
  set_unfinished_line(!shown_.empty());
  print_note(std::string(kEraseLine).append(shown_));
}

void TerminalLine::print_above(std::string_view text) const {
  // In one piece, so that nothing flickers.
  print_note(std::string(shown_.empty() ? "" : kEraseLine).append(text).append(shown_));
}

}  // namespace unroll::cli
