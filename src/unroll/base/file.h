// Files that appear whole or not at all.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace unroll {

/// A file's whole content.
/// @throws FileError if it cannot be opened or read, or is a folder.
std::string read_file(const std::string& path);

/// Writes a file so that a reader, or a crash at any moment, finds the old one or the new one and
/// never a part: into a temporary file beside it, synced to disk, renamed, and the folder synced.
/// `check`, if given, is called with the temporary file's path before it takes the final name.
/// @throws FileError, and what `check` throws; the temporary file is removed and an old file is
/// left as it was.
void write_file(const std::string& path, std::string_view content,
                const std::function<void(const std::string& temporary)>& check = nullptr);

/// A new file that grows line by line.
class AppendFile {
 public:
  /// @throws FileError if the file exists or cannot be made.
  explicit AppendFile(std::string path);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  /// Adds text, which other processes see at once. If not all of it can be written, none of it is
  /// kept.
  /// @throws FileError
  void append(std::string_view text);

  /// Syncs what was written to disk.
  /// @throws FileError
  void sync();

 private:
  std::string path_;
  int descriptor_;
};

}  // namespace unroll
