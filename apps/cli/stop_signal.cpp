#include "cli/stop_signal.h"

#include <csignal>

namespace unroll::cli {
namespace {

volatile std::sig_atomic_t noted = 0;

void note(int signal) {
  if (noted != 0 && signal == SIGINT) {
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

}  // namespace unroll::cli
