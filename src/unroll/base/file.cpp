#include <unroll/base/file.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include <unroll/base/error.h>

namespace unroll {
namespace {

[[noreturn]] void fail(const std::string& path, const char* verb, int error) {
  throw FileError(path, std::string("cannot be ") + verb + ": " + std::strerror(error));
}

/// Owns an open file. A function that has to know whether the file closed cleanly calls close()
/// itself.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) {
      ::close(value_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[nodiscard]] int get() const { return value_; }
  [[nodiscard]] bool close() { return ::close(std::exchange(value_, -1)) == 0; }

 private:
  int value_;
};

/// Whether all of `text` was written; if not, errno says why.
bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      return false;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// Makes a rename in this folder durable.
void sync_folder(const std::string& folder) {
  const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems cannot sync a folder and say EINVAL; there is nothing more to do there.
  if (descriptor.get() < 0 || (::fsync(descriptor.get()) != 0 && errno != EINVAL)) {
    fail(folder, "synced", errno);
  }
}

}  // namespace

std::string read_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    fail(path, "opened", errno);
  }
  std::string content;
  struct stat status {};
  if (::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode)) {
    content.reserve(static_cast<std::size_t>(status.st_size));
  }
  std::array<char, 65'536>
      buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): read() fills it
  while (true) {
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count == 0) {
      return content;
    }
    if (count > 0) {
      content.append(buffer.data(), static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      fail(path, "read", errno);
    }
  }
}

void write_file(const std::string& path, std::string_view content,
                const std::function<void(const std::string& temporary)>& check) {
  const std::string temporary = path + ".tmp";
  Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (file.get() < 0) {
    fail(path, "written", errno);
  }
  try {
    if (!write_all(file.get(), content) || ::fsync(file.get()) != 0 || !file.close()) {
      fail(path, "written", errno);
    }
    if (check) {
      check(temporary);
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
      fail(path, "written", errno);
    }
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  const std::string folder = std::filesystem::path(path).parent_path().string();
  sync_folder(folder.empty() ? "." : folder);
}

AppendFile::AppendFile(std::string path)
    : path_(std::move(path)),
      descriptor_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666)) {
  if (descriptor_ < 0) {
    fail(path_, "written", errno);
  }
}

AppendFile::~AppendFile() { ::close(descriptor_); }

void AppendFile::append(std::string_view text) {
  const off_t size = ::lseek(descriptor_, 0, SEEK_END);
  if (size < 0 || !write_all(descriptor_, text)) {
    const int error = errno;
    // Best effort: the error that matters is the one thrown.
    [[maybe_unused]] const int ignored = size < 0 ? 0 : ::ftruncate(descriptor_, size);
    fail(path_, "written", error);
  }
}

void AppendFile::sync() {
  if (::fsync(descriptor_) != 0) {
    fail(path_, "written", errno);
  }
}

}  // namespace unroll
