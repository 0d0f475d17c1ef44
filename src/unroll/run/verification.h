// Whether the files of a run are what they should be.
#pragma once

#include <string>
#include <vector>

namespace unroll {

/// What was found out about a file.
struct FileCheck {
  std::string file;  ///< its path
  bool is_good;
  std::string finding;  ///< one line
};

/// Checks every file of a run, finished or not: that it is whole, fits the others and, where there
/// is a digest, has its bytes. Reads the user's own series too, where it still lies. Changes
/// nothing.
/// @throws FileError if the run directory cannot be read
std::vector<FileCheck> verify_run(const std::string& run_directory);

}  // namespace unroll
