#include "fma_peak.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fma_peak.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as it wants to be.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace unroll::bench::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Twelve chains of multiply-adds: more than two units of a latency of four or five cycles can have
/// under way, and with the two factors they fit sixteen registers.
template <class Real>
double multiply_add(long rounds) {
  using Tag = hn::ScalableTag<Real>;
  constexpr int kChains = 12;
  const Tag d;
  const auto factor = hn::Set(d, Real{0.5});
  const auto term = hn::Set(d, Real{0.25});
  hn::Vec<Tag> sum[kChains];
#pragma GCC unroll 12
  for (int chain = 0; chain < kChains; ++chain) {
    sum[chain] = hn::Set(d, static_cast<Real>(chain));
  }
  for (long round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (auto& chain : sum) {
      chain = hn::MulAdd(chain, factor, term);
    }
  }
  auto total = hn::Zero(d);
  for (const auto& chain : sum) {
    total = hn::Add(total, chain);
  }
  volatile Real sink = hn::GetLane(total);  // Without a use of the sums there would be no loop.
  static_cast<void>(sink);
  return 2.0 * kChains * static_cast<double>(hn::Lanes(d)) * static_cast<double>(rounds);
}

double of_float(long rounds) { return multiply_add<float>(rounds); }
double of_double(long rounds) { return multiply_add<double>(rounds); }
const char* name() { return hwy::TargetName(HWY_TARGET); }

}  // namespace unroll::bench::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll::bench {

HWY_EXPORT(of_float);
HWY_EXPORT(of_double);
HWY_EXPORT(name);

double multiply_add_single(long rounds) { return HWY_DYNAMIC_DISPATCH(of_float)(rounds); }
double multiply_add_double(long rounds) { return HWY_DYNAMIC_DISPATCH(of_double)(rounds); }
std::string instruction_set() { return HWY_DYNAMIC_DISPATCH(name)(); }

}  // namespace unroll::bench
#endif
