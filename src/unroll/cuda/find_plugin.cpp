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

/// Where the library may be, the likeliest first.
std::vector<std::string> places() {
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  const auto folder = program.parent_path();
  return {folder / kLibrary, folder.parent_path() / "lib" / kLibrary, kLibrary};
}

FoundPlugin load() {
  for (const std::string& place : places()) {
    if (place != kLibrary && !std::filesystem::exists(place)) {
      continue;
    }
    void* const library = ::dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      if (place == kLibrary) {
        break;
      }
      return {.problem = std::string("it does not load: ") + ::dlerror()};
    }
    const auto make =
        reinterpret_cast<decltype(&unroll_cuda_plugin)>(::dlsym(library, "unroll_cuda_plugin"));
    const Plugin* const plugin = make == nullptr ? nullptr : make(kVersion.data());
    if (plugin == nullptr) {
      return {.problem = place + " is of another version than this program"};
    }
    return {.plugin = plugin};
  }
  return {.problem = std::string(kLibrary) + " was not found; build Unroll with UNROLL_CUDA"};
}

}  // namespace

const FoundPlugin& find_plugin() {
  static const FoundPlugin found = load();
  return found;
}

}  // namespace unroll::cuda
