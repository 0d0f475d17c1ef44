#include <unroll/base/file.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <new>
#include <regex>
#include <system_error>
#include <utility>

#include <unroll/base/descriptor.h>
#include <unroll/base/error.h>

namespace unroll {
namespace {

[[noreturn]] void fail(const std::string& path, const char* verb, int error) {
  throw FileError(path, std::string("cannot be ") + verb + ": " + std::strerror(error));
}

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

/// Adds the next bytes of a file to `content` and gives their count: 0 at its end, and -1 with
/// errno where they cannot be read.
ssize_t read_more(int descriptor, std::string& content) {
  std::array<char, 65'536>
      buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): read() fills it
  const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
  if (count > 0) {
    content.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return count;
}

/// A new file beside `path` whose name no other file has, open for writing; its name goes into
/// `name`. The umask decides on its mode, as on any file's.
int open_temporary(const std::string& path, std::string& name) {
  for (pid_t number = ::getpid();; ++number) {
    name = path + "." + std::to_string(number) + ".tmp";
    const int descriptor = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0 || errno != EEXIST) {
      return descriptor;
    }
  }
}

}  // namespace

std::string read_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
    fail(path, "opened", errno);
  }
  if (S_ISCHR(status.st_mode)) {  // such as /dev/zero, which has no end
    throw FileError(path, "is a device; a file or a pipe is needed");
  }
  try {
    std::string content;
    if (S_ISREG(status.st_mode)) {
      content.reserve(static_cast<std::size_t>(status.st_size));
    }
    for (ssize_t count = 1; count != 0;) {
      count = read_more(file.get(), content);
      if (count < 0 && errno != EINTR) {
        fail(path, "read", errno);
      }
    }
    return content;
  } catch (const std::bad_alloc&) {
    throw FileError(path, "does not fit in memory");
  }
}

WholeFile::WholeFile(std::string path)
    : path_(std::move(path)), descriptor_(open_temporary(path_, temporary_)) {
  if (descriptor_ < 0) {
    fail(path_, "written", errno);
  }
}

WholeFile::~WholeFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
  if (!temporary_.empty()) {
    ::unlink(temporary_.c_str());
  }
}

void WholeFile::write(std::string_view bytes) {
  if (!write_all(descriptor_, bytes)) {
    fail(path_, "written", errno);
  }
}

void WholeFile::finish() {
  if (::fsync(descriptor_) != 0 || ::close(std::exchange(descriptor_, -1)) != 0) {
    fail(path_, "written", errno);
  }
}

void WholeFile::publish() {
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    fail(path_, "written", errno);
  }
  temporary_.clear();
  sync_name(path_);
}

bool WholeFile::publish_new() {
  if (::link(temporary_.c_str(), path_.c_str()) == 0) {
    sync_name(path_);
    return true;
  }
  if (errno == EEXIST) {
    return false;
  }
  publish();  // some file systems have no links
  return true;
}

void sync_name(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  sync_folder(folder.empty() ? "." : folder);
}

std::set<std::string> list_folder(const std::string& folder, std::error_code& error) {
  std::set<std::string> names;
  for (auto entry = std::filesystem::directory_iterator(folder, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    names.insert(entry->path().filename().string());
  }
  return names;
}

bool is_temporary(const std::string& name) {
  // open_temporary's names, of files that Unroll writes
  static const std::regex form(
      R"((.+\.(json|safetensors|csv|gp|svg|html|pt)|SHA256SUMS)\.\d+\.tmp)");
  return std::regex_match(name, form);
}

void remove_temporaries(const std::string& folder) {
  std::error_code error;
  for (const std::string& name : list_folder(folder, error)) {
    if (!error && is_temporary(name)) {
      std::filesystem::remove(std::filesystem::path(folder) / name, error);
    }
  }
  if (error) {
    throw FileError(folder, "cannot be tidied: " + error.message());
  }
}

void write_file(const std::string& path, std::string_view content) {
  WholeFile file(path);
  file.write(content);
  file.finish();
  file.publish();
}

AppendFile::AppendFile(std::string path)
    : path_(std::move(path)),
      descriptor_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666)) {
  if (descriptor_ < 0) {
    fail(path_, "written", errno);
  }
}

AppendFile::AppendFile(std::string path, std::int64_t size)
    : path_(std::move(path)), descriptor_(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC)) {
  if (descriptor_ < 0 || ::ftruncate(descriptor_, size) != 0) {
    const int error = errno;
    ::close(descriptor_);
    fail(path_, "written", error);
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
