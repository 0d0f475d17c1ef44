// One process a run directory, or a part of a sweep.
#pragma once

#include <string>

namespace unroll {

/// Holds a run directory for this process. The lock is on the folder itself and dies with its
/// process, whatever ends it. Where the file system knows no such locks, there is none.
class RunLock {
 public:
  /// @throws FileError if another process has it, or the folder is not there
  explicit RunLock(const std::string& run_directory);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  int descriptor_;
};

/// Holds a file for this process, and makes it, empty, if it is not there; else like a RunLock.
class FileLock {
 public:
  /// @throws FileError if another process has it, or it can be neither opened nor made
  explicit FileLock(const std::string& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace unroll
