// LibTorch on one thread in every test of the program, as Unroll's programs run it. With more, the
// small operations of these tests wait for each other's threads, for minutes on a busy machine.

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

namespace unroll::testing {
namespace {

class OneThread final : public ::testing::Environment {
 public:
  void SetUp() override { at::set_num_threads(1); }
};

[[maybe_unused]] const ::testing::Environment* const one_thread =
    ::testing::AddGlobalTestEnvironment(new OneThread);  // GoogleTest owns it

}  // namespace
}  // namespace unroll::testing
