// Runs a program as a user does, from a shell, and catches what it leaves.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "temp_dir.h"

namespace unroll::testing {

struct Outcome {
  int exit_code;  ///< as the shell has it: 128 + the signal's number for one that was killed
  std::string out;
  std::string err;
  std::int64_t peak_kilobytes = 0;  ///< the most memory that one of its processes had resident
  double cpu_seconds = 0.0;         ///< of all its processes
};

/// Text as one word of a shell command, whatever is in it.
inline std::string shell_word(std::string_view text) {
  std::string word = "'";
  for (const char c : text) {
    word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return word + "'";
}

/// Words as a shell command.
inline std::string shell_command(const std::vector<std::string>& words) {
  std::string command;
  for (const std::string& word : words) {
    command += (command.empty() ? "" : " ") + shell_word(word);
  }
  return command;
}

inline double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

/// Runs a shell command in a folder, with nothing on stdin.
inline Outcome run_shell(const std::string& command, const std::string& folder) {
  const TempDir captured;
  const std::string out = captured / "out";
  const std::string err = captured / "err";
  const std::string in_folder = "cd " + shell_word(folder) + " && { " + command + "\n}";

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC;
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), kFlags, 0600);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), kFlags, 0600);
  std::string shell = "sh";
  std::string option = "-c";
  std::string script = in_folder;
  const std::vector<char*> arguments = {shell.data(), option.data(), script.data(), nullptr};
  pid_t child = 0;
  const int error = ::posix_spawn(&child, "/bin/sh", &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  rusage usage{};
  if (error != 0 || ::wait4(child, &status, 0, &usage) != child) {
    throw std::runtime_error("cannot run " + command);
  }
  return {.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          .out = read_bytes(out),
          .err = read_bytes(err),
          .peak_kilobytes = usage.ru_maxrss,
          .cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime)};
}

}  // namespace unroll::testing
