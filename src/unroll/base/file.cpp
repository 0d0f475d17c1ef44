#include <unroll/base/file.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
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

InputFile::InputFile(std::string path)
    : path_(std::move(path)), descriptor_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC)) {
  struct stat status {};
  if (!descriptor_.is_open() || ::fstat(descriptor_.get(), &status) != 0) {
    fail(path_, "opened", errno);
  }
  if (S_ISCHR(status.st_mode)) {  // such as /dev/zero, which has no end
    throw FileError(path_, "is a device; a file or a pipe is needed");
  }
  if (S_ISREG(status.st_mode)) {
    size_ = status.st_size;
  }
}

bool InputFile::is_ready(std::chrono::milliseconds limit) const {
  pollfd waited = {.fd = descriptor_.get(), .events = POLLIN, .revents = 0};
  return ::poll(&waited, 1, static_cast<int>(limit.count())) > 0;
}

std::size_t InputFile::read(std::span<char> buffer) {
  ssize_t count = -1;
  do {
    count = ::read(descriptor_.get(), buffer.data(), buffer.size());
  } while (count < 0 && errno == EINTR);
  if (count < 0) {
    fail(path_, "read", errno);
  }
  return static_cast<std::size_t>(count);
}

std::size_t InputFile::read_at(std::int64_t offset, std::span<char> buffer) const {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const std::span<char> rest = buffer.subspan(done);
    const ssize_t count = ::pread(descriptor_.get(), rest.data(), rest.size(),
                                  offset + static_cast<std::int64_t>(done));
    if (count < 0 && errno != EINTR) {
      fail(path_, "read", errno);
    }
    if (count == 0) {
      break;
    }
    done += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
  }
  return done;
}

std::string read_file(const std::string& path) {
  InputFile file(path);
  try {
    std::string content;
    content.reserve(static_cast<std::size_t>(file.size().value_or(0)));
    std::array<char, 65'536>
        buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): read() fills it
    while (const std::size_t count = file.read(buffer)) {
      content.append(buffer.data(), count);
    }
    return content;
  } catch (const std::bad_alloc&) {
    throw FileError(path, "does not fit in memory");
  }
}

bool is_stream(const std::string& path) {
  namespace fs = std::filesystem;
  const std::string place = fs::absolute(path).lexically_normal().string();
  if (place == "/dev/stdin" || place.starts_with("/dev/fd/") || place.starts_with("/proc/")) {
    return true;
  }
  std::error_code ignored;  // what cannot be looked at cannot be opened either, and will say so
  const fs::file_status status = fs::status(path, ignored);
  return fs::is_fifo(status) || fs::is_socket(status) || fs::is_character_file(status);
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

void WholeFile::write_over_start(std::string_view bytes) {
  if (::lseek(descriptor_, 0, SEEK_SET) != 0) {
    fail(path_, "written", errno);
  }
  write(bytes);
  if (::lseek(descriptor_, 0, SEEK_END) < 0) {
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

std::string end_of_links(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path end = fs::weakly_canonical(fs::absolute(path), error);
  return error ? path : end.string();
}

std::string place_for(const std::string& path, bool replace) {
  namespace fs = std::filesystem;
  std::error_code ignored;  // what cannot be looked at cannot be written either, and will say so
  if (!fs::exists(fs::symlink_status(path, ignored))) {
    return path;
  }
  if (!fs::is_regular_file(path, ignored)) {
    throw FileError(path, "exists and is no regular file");
  }
  if (!replace) {
    throw FileError(path, "exists; --force replaces it");
  }
  return end_of_links(path);
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
      R"((.+\.(json|safetensors|csv|gp|svg|html|pt|bin)|SHA256SUMS)\.\d+\.tmp)");
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
