#include <unroll/evaluation/evaluation.h>

#include <unroll/base/check.h>

namespace unroll {

void EvaluationOptions::validate() const {
  constexpr std::int64_t kMost = 1'000'000'000;
  check_between("eval_length", eval_length, 0, kMost);
}

}  // namespace unroll
