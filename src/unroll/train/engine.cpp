#include <unroll/train/engine.h>

#include <stdexcept>

namespace unroll {

void Engine::set_optimizer_state(const OptimizerState& state) {
  if (!state.empty()) {
    throw std::invalid_argument("an optimizer without a state cannot take " + state.begin()->first);
  }
}

}  // namespace unroll
