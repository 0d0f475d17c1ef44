// Files that are read piece by piece, and files that appear whole or not at all.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include <unroll/base/descriptor.h>

namespace unroll {

/// A file that is read piece by piece.
class InputFile {
 public:
  /// @throws FileError if it cannot be opened, or is a character device, which may have no end
  explicit InputFile(std::string path);

  [[nodiscard]] const std::string& path() const { return path_; }

  /// Bytes that it had when it was opened; none of what has no size, such as a pipe.
  [[nodiscard]] std::optional<std::int64_t> size() const { return size_; }

  /// Waits for bytes, or the end, of what has them at its own time, such as a pipe; not longer than
  /// the limit, nor when a signal comes. Whether read() will not wait.
  [[nodiscard]] bool is_ready(std::chrono::milliseconds limit) const;

  /// Puts the next bytes into the buffer and gives their count: 0 only at the file's end.
  /// @throws FileError
  [[nodiscard]] std::size_t read(std::span<char> buffer);

  /// Fills the buffer from this byte of the file on, and gives the count: less than the buffer's
  /// only at the file's end.
  /// @throws FileError
  [[nodiscard]] std::size_t read_at(std::int64_t offset, std::span<char> buffer) const;

 private:
  std::string path_;
  Descriptor descriptor_;
  std::optional<std::int64_t> size_;
};

/// A file's whole content.
/// @throws FileError if it cannot be opened or read, is a folder or a character device, or does not
/// fit in memory.
std::string read_file(const std::string& path);

/// Whether a path leads to a pipe or another stream, whose bytes can be read only once, or is a
/// name that each process has for a stream of its own, such as /dev/stdin.
bool is_stream(const std::string& path);

/// A file that appears whole: a reader, or a crash at any moment, finds what was there before or
/// all of the new one, never a part. It grows in a temporary file beside it, which is removed if it
/// never takes the name.
class WholeFile {
 public:
  /// @throws FileError if no file can be made there
  explicit WholeFile(std::string path);
  ~WholeFile();
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  /// Where its bytes are until publish().
  [[nodiscard]] const std::string& temporary() const { return temporary_; }

  /// Adds bytes.
  /// @throws FileError
  void write(std::string_view bytes);

  /// Writes over the file's first bytes, of which there are as many.
  /// @throws FileError
  void write_over_start(std::string_view bytes);

  /// Ends the writing: the bytes are on the disk when it returns.
  /// @throws FileError
  void finish();

  /// After finish(): gives the file its name, in the place of an old one, and syncs the folder.
  /// @throws FileError
  void publish();

  /// After finish(): publish() unless there is such a file, which then stays as it is, even if
  /// another process makes it at this moment. Whether this one took the name.
  /// @throws FileError
  bool publish_new();

 private:
  std::string path_;
  std::string temporary_;
  int descriptor_;
};

/// The path at the end of the links that `path` goes through.
std::string end_of_links(const std::string& path);

/// Where to write a file that is asked for under this name: at the end of its links, and in the
/// place of a regular file only if `replace` is set.
/// @throws FileError if something is there that must stay
std::string place_for(const std::string& path, bool replace);

/// Makes the name of a new file or folder durable.
/// @throws FileError
void sync_name(const std::string& path);

/// The names of what is in a folder. What keeps it from being read goes into `error`.
std::set<std::string> list_folder(const std::string& folder, std::error_code& error);

/// Whether a file of this name may be one that a WholeFile left whose process died.
bool is_temporary(const std::string& name);

/// Removes what WholeFiles left in a folder whose process died.
/// @throws FileError
void remove_temporaries(const std::string& folder);

/// Writes a WholeFile of this content.
/// @throws FileError; the old file, if there was one, is then as it was.
void write_file(const std::string& path, std::string_view content);

/// A file that grows line by line.
class AppendFile {
 public:
  /// Makes the file.
  /// @throws FileError if it exists or cannot be made.
  explicit AppendFile(std::string path);
  /// Opens a file that exists and keeps its first `size` bytes only.
  /// @throws FileError
  AppendFile(std::string path, std::int64_t size);
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
