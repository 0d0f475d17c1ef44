#include <unroll/run/run_lock.h>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <unroll/base/error.h>

namespace unroll {
namespace {

/// Locks what is open, or closes it and throws.
void lock(int descriptor, const std::string& path, const char* problem) {
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(descriptor);
    throw FileError(path, problem);
  }
}

}  // namespace

RunLock::RunLock(const std::string& run_directory)
    : descriptor_(::open(run_directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (descriptor_ < 0) {
    throw FileError(run_directory,
                    std::string("cannot be opened as a run directory: ") + std::strerror(errno));
  }
  lock(descriptor_, run_directory, "is in use by another process that trains there");
}

RunLock::~RunLock() { ::close(descriptor_); }

FileLock::FileLock(const std::string& path)
    : descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  if (descriptor_ < 0) {
    throw FileError(path, std::string("cannot be written: ") + std::strerror(errno));
  }
  lock(descriptor_, path, "is in use by another process that works on it");
}

FileLock::~FileLock() { ::close(descriptor_); }

}  // namespace unroll
