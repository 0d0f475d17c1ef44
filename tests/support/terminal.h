// Runs a program on a terminal of ours, and sees what a person would.
#pragma once

#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "run_program.h"

namespace unroll::testing {

/// What a terminal showed, line by line, if no line wraps.
struct Screen {
  std::vector<std::string> lines;    ///< that were ended
  std::vector<std::string> redrawn;  ///< that were erased, and so were drawn in place
  std::string last;                  ///< where the cursor is in the end
};

/// Follows line ends and erased lines; other codes, as those of colours, stay in the text.
inline Screen screen_of(const std::string& bytes) {
  constexpr std::string_view kErase = "\r\x1b[K";
  Screen screen;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes.compare(i, kErase.size(), kErase) == 0) {
      if (!screen.last.empty()) {
        screen.redrawn.push_back(std::exchange(screen.last, ""));
      }
      i += kErase.size() - 1;
    } else if (bytes.compare(i, 2, "\r\n") == 0) {
      screen.lines.push_back(std::exchange(screen.last, ""));
      ++i;
    } else {
      screen.last += bytes[i];
    }
  }
  return screen;
}

struct TerminalOutcome {
  int exit_code;      ///< as the shell has it
  std::string bytes;  ///< what the terminal was sent
};

/// Runs a shell command in a folder, on a terminal of so many columns. `on_output` is called with
/// all there is whenever there is more, and what it gives is typed.
inline TerminalOutcome run_on_terminal(
    const std::string& command, const std::string& folder, unsigned short columns,
    const std::function<std::string(const std::string&)>& on_output = nullptr) {
  winsize size{};
  size.ws_col = columns;
  size.ws_row = 24;
  const std::string script = "cd " + shell_word(folder) + " && " + command;
  int terminal = -1;
  const pid_t child = ::forkpty(&terminal, nullptr, nullptr, &size);
  if (child == 0) {
    ::execl("/bin/sh", "sh", "-c", script.c_str(), nullptr);
    ::_exit(127);
  }
  if (child < 0) {
    throw std::runtime_error("cannot open a terminal");
  }
  std::string bytes;
  std::array<char, 4'096> buffer{};
  for (ssize_t count = 1; count > 0;) {
    count = ::read(terminal, buffer.data(), buffer.size());  // an error when the program has ended
    if (count > 0) {
      bytes.append(buffer.data(), static_cast<std::size_t>(count));
    }
    if (count > 0 && on_output) {
      const std::string typed = on_output(bytes);
      if (::write(terminal, typed.data(), typed.size()) != static_cast<ssize_t>(typed.size())) {
        throw std::runtime_error("cannot type");
      }
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(terminal);
  return {.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          .bytes = bytes};
}

}  // namespace unroll::testing
