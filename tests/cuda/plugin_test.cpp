// Looking for the library that trains on a GPU.

#include <unroll/cuda/plugin.h>

#include <dlfcn.h>
#include <gtest/gtest.h>

namespace unroll::cuda {
namespace {

TEST(FindPlugin, SaysWhyThereIsNone) {
  if (::dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL) != nullptr) {
    GTEST_SKIP() << "this machine has an NVIDIA driver";
  }
  // The library is not there, or its half of LibTorch is not.
  const FoundPlugin& found = find_plugin();
  EXPECT_EQ(found.plugin, nullptr);
  EXPECT_NE(found.problem.find("libunroll_cuda.so: "), std::string::npos) << found.problem;
  EXPECT_EQ(&find_plugin(), &found) << "looks once";
}

}  // namespace
}  // namespace unroll::cuda
