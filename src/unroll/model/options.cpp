#include <unroll/model/options.h>

#include <unroll/base/check.h>

namespace unroll {

void ModelOptions::validate() const {
  check_at_least("num_classes", num_classes, 1);
  check_at_least("hidden_size", hidden_size, 1);
}

}  // namespace unroll
