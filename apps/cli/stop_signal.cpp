#include "cli/stop_signal.h"

#include <unistd.h>

#include <csignal>

namespace unroll::cli {
namespace {

volatile std::sig_atomic_t noted = 0;
volatile std::sig_atomic_t has_unfinished_line = 0;

void note(int signal) {
  if (noted != 0 && signal == SIGINT) {
    if (has_unfinished_line != 0) {
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

int stop_signal() { return noted; }

void set_unfinished_line(bool is_there) { has_unfinished_line = is_there ? 1 : 0; }

}  // namespace unroll::cli
