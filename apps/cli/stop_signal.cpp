#include "cli/stop_signal.h"

#include <unistd.h>

#include <atomic>
#include <csignal>

namespace unroll::cli {
namespace {

// The handler may run on any thread of a program that has several.
static_assert(std::atomic<int>::is_always_lock_free);
std::atomic<int> noted = 0;
std::atomic<bool> has_unfinished_line = false;

void note(int signal) {
  if (noted != 0 && signal == SIGINT) {
    if (has_unfinished_line) {
      [[maybe_unused]] const ssize_t written =
          ::write(STDERR_FILENO, kEraseLine.data(), kEraseLine.size());
    }
    std::signal(SIGINT, SIG_DFL);
    std::raise(SIGINT);  // takes effect when this handler returns
  } else if (noted == 0) {
    noted = signal;
  }
}

}  // namespace

void catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = &note;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

const char* signal_name(int signal) { return signal == SIGINT ? "SIGINT" : "SIGTERM"; }

int stop_signal() { return noted; }

void set_unfinished_line(bool is_there) { has_unfinished_line = is_there; }

}  // namespace unroll::cli
