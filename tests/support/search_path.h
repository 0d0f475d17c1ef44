// Another PATH for one test.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "temp_dir.h"

namespace unroll::testing {

/// PATH is this as long as it lives.
class SearchPath {
 public:
  explicit SearchPath(const std::string& path) : before_(::getenv("PATH")) {
    ::setenv("PATH", path.c_str(), 1);
  }
  ~SearchPath() { ::setenv("PATH", before_.c_str(), 1); }
  SearchPath(const SearchPath&) = delete;
  SearchPath& operator=(const SearchPath&) = delete;

 private:
  std::string before_;
};

/// Makes a program of this name in a folder: a shell script.
inline void write_program(const std::string& path, const std::string& script) {
  write_bytes(path, "#!/bin/sh\n" + script);
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
}

}  // namespace unroll::testing
