#include <unroll/cuda/plugin.h>

#include <dlfcn.h>
#include <unroll/version.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

namespace unroll::cuda {
namespace {

constexpr const char* kLibrary = "libunroll_cuda.so";

/// Where the library may be beside this program: as built, and as installed.
std::vector<std::filesystem::path> places() {
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  if (program.empty()) {
    return {};
  }
  const auto folder = program.parent_path();
  return {folder / kLibrary, folder.parent_path() / UNROLL_INSTALL_LIBDIR / kLibrary};
}

/// The path of the library, or its name alone for the dynamic linker to look for.
std::string find_library() {
  std::error_code ignored;
  for (const std::filesystem::path& place : places()) {
    if (std::filesystem::exists(place, ignored)) {
      return place;
    }
  }
  return kLibrary;
}

FoundPlugin load() {
  const std::string path = find_library();
  void* const library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return {.problem = ::dlerror()};
  }
  const auto make =
      reinterpret_cast<decltype(&unroll_cuda_plugin)>(::dlsym(library, "unroll_cuda_plugin"));
  const Plugin* const plugin = make == nullptr ? nullptr : make(kVersion.data());
  if (plugin == nullptr) {
    return {.problem = path + " is of another version than this program"};
  }
  return {.plugin = plugin};
}

}  // namespace

const FoundPlugin& find_plugin() {
  static const FoundPlugin found = load();
  return found;
}

}  // namespace unroll::cuda
