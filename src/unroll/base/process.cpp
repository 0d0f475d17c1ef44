#include <unroll/base/process.h>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include <unroll/base/descriptor.h>

namespace unroll {
namespace {

using Clock = std::chrono::steady_clock;

/// A pipe that a child process writes into.
struct Pipe {
  Pipe() {
    std::array<int, 2> ends = {-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) == 0) {
      read_end.reset(ends[0]);
      write_end.reset(ends[1]);
      ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    }
  }

  /// Adds what there is to read, and closes the pipe at its end.
  void drain(std::string& text) {
    std::array<char, 65'536>
        buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): read() fills it
    while (read_end.is_open()) {
      const ssize_t count = ::read(read_end.get(), buffer.data(), buffer.size());
      if (count > 0) {
        text.append(buffer.data(), static_cast<std::size_t>(count));
      } else if (count == 0 || (errno != EINTR && errno != EAGAIN)) {
        read_end.close();
      } else if (errno == EAGAIN) {
        return;
      }
    }
  }

  Descriptor read_end;
  Descriptor write_end;
};

/// What posix_spawn is to do between fork and exec; a class so that it is always freed.
class Spawning {
 public:
  Spawning(const std::string& folder, const Pipe& out, const Pipe& err) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, out.write_end.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, err.write_end.get(), STDERR_FILENO);
    ::posix_spawn_file_actions_addchdir_np(&actions_, folder.c_str());
    ::posix_spawnattr_init(&attributes_);
    // A process group of its own: killing it reaches what it started.
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP);
  }
  ~Spawning() {
    ::posix_spawnattr_destroy(&attributes_);
    ::posix_spawn_file_actions_destroy(&actions_);
  }
  Spawning(const Spawning&) = delete;
  Spawning& operator=(const Spawning&) = delete;

  /// The errno of what went wrong, or 0.
  int spawn(std::vector<std::string>& command, pid_t& child) {
    std::vector<char*> words;
    words.reserve(command.size() + 1);
    for (std::string& word : command) {
      words.push_back(word.data());
    }
    words.push_back(nullptr);
    return ::posix_spawnp(&child, words.front(), &actions_, &attributes_, words.data(), environ);
  }

 private:
  posix_spawn_file_actions_t actions_ = {};
  posix_spawnattr_t attributes_ = {};
};

/// Waits until there is something to read, or a few milliseconds.
void wait_for_output(const Pipe& out, const Pipe& err) {
  constexpr int kMilliseconds = 5;
  std::array<pollfd, 2> pipes = {pollfd{out.read_end.get(), POLLIN, 0},  // -1 is passed over
                                 pollfd{err.read_end.get(), POLLIN, 0}};
  ::poll(pipes.data(), pipes.size(), kMilliseconds);
}

}  // namespace

ProcessEnd run_process(std::vector<std::string> command, const std::string& folder,
                       std::chrono::milliseconds limit) {
  ProcessEnd end;
  Pipe out;
  Pipe err;
  if (!out.read_end.is_open() || !err.read_end.is_open()) {
    end.start_error = EMFILE;
    return end;
  }
  pid_t child = 0;
  end.start_error = Spawning(folder, out, err).spawn(command, child);
  if (end.start_error != 0) {
    return end;
  }
  out.write_end.close();
  err.write_end.close();

  const auto deadline = Clock::now() + limit;
  int status = 0;  // stays so where SIGCHLD is ignored, and nothing is known of how it ended
  while (::waitpid(child, &status, WNOHANG) == 0) {
    if (Clock::now() >= deadline) {
      end.is_too_slow = true;
      ::kill(-child, SIGKILL);
      while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
      }
      break;
    }
    wait_for_output(out, err);
    out.drain(end.out);
    err.drain(end.err);
  }
  out.drain(end.out);
  err.drain(end.err);
  end.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return end;
}

}  // namespace unroll
