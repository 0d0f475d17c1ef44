// One process a run directory.
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

}  // namespace unroll
