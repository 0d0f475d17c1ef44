// The folder that a run leaves behind.
#pragma once

#include <string>

namespace unroll {

/// Makes a run's folder, with its parents, and gives its path. An empty `path` means runs/<UTC
/// time>-<model>, made unique. An existing run is never overwritten: the folder must be new, or
/// empty.
/// @throws FileError
std::string make_run_directory(const std::string& path, const std::string& model);

/// Makes a sweep's folder, with its parents, and gives its path. An empty `path` means sweeps/<UTC
/// time>, made unique. The folder may be there already.
/// @throws FileError
std::string make_sweep_directory(const std::string& path);

/// What a process has left that died before its first file had its name does not count.
/// @throws FileError if there is something in this folder
void check_is_empty(const std::string& path);

}  // namespace unroll
