#include <unroll/run/run_lock.h>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <unroll/base/error.h>

namespace unroll {

RunLock::RunLock(const std::string& run_directory)
    : descriptor_(::open(run_directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (descriptor_ < 0) {
    throw FileError(run_directory,
                    std::string("cannot be opened as a run directory: ") + std::strerror(errno));
  }
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(descriptor_);
    throw FileError(run_directory, "is in use by another process that trains there");
  }
}

RunLock::~RunLock() { ::close(descriptor_); }

}  // namespace unroll
