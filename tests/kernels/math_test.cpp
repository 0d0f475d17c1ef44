// The kernels' elementary functions against the C library's in a wider type, on every instruction
// set.

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string_view>
#include <vector>

#define HWY_DISABLED_TARGETS HWY_AVX3_DL
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/math_test.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as it wants to be.
#include <hwy/highway.h>

#include <unroll/kernels/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels::HWY_NAMESPACE {

template <class Real, class Function>
void for_each(std::vector<Real>& values, Function&& function) {
  const hn::ScalableTag<Real> d;
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t size = values.size();
  values.resize((size + lanes - 1) / lanes * lanes, Real(1));
  for (std::size_t i = 0; i < values.size(); i += lanes) {
    hn::StoreU(function(d, hn::LoadU(d, values.data() + i)), d, values.data() + i);
  }
  values.resize(size);
}

void tanh_float(std::vector<float>& x) {
  for_each(x, [](auto d, auto v) HWY_ATTR { return tanh(d, v); });
}
void tanh_double(std::vector<double>& x) {
  for_each(x, [](auto d, auto v) HWY_ATTR { return tanh(d, v); });
}
void exp_float(std::vector<float>& x) {
  for_each(x, [](auto d, auto v) HWY_ATTR { return exp_of_negative(d, v); });
}
void exp_double(std::vector<double>& x) {
  for_each(x, [](auto d, auto v) HWY_ATTR { return exp_of_negative(d, v); });
}
void log_float(std::vector<float>& x) {
  for_each(x, [](auto d, auto v) HWY_ATTR { return log(d, v); });
}
void log_double(std::vector<double>& x) {
  for_each(x, [](auto d, auto v) HWY_ATTR { return log(d, v); });
}

}  // namespace unroll::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "instruction_sets.h"

namespace unroll::kernels {

HWY_EXPORT(tanh_float);
HWY_EXPORT(tanh_double);
HWY_EXPORT(exp_float);
HWY_EXPORT(exp_double);
HWY_EXPORT(log_float);
HWY_EXPORT(log_double);

namespace {

using testing::InstructionSet;

class KernelMath : public ::testing::TestWithParam<std::int64_t> {
 protected:
  InstructionSet set{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(InstructionSets, KernelMath,
                         ::testing::ValuesIn(testing::instruction_sets()),
                         [](const auto& set) { return hwy::TargetName(set.param); });

/// The largest error of actual[i] against exact(x[i]), in units in the last place of the exact
/// value.
template <class Real, class Exact>
double largest_ulps(const std::vector<Real>& x, const std::vector<Real>& actual, Exact&& exact) {
  double largest = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto expected = exact(x[i]);
    const auto magnitude = static_cast<Real>(std::abs(expected));
    const Real ulp =
        magnitude - std::nextafter(magnitude, Real(0));  // below a power of two: the strict one
    largest = std::max(largest, std::abs(static_cast<double>((actual[i] - expected) / ulp)));
  }
  return largest;
}

/// Of either sign: evenly from 0 to 10, and by powers of two from the smallest normal number on.
template <class Real>
std::vector<Real> arguments() {
  std::vector<Real> x;
  for (int i = 0; i <= 400'000; ++i) {
    x.push_back(static_cast<Real>(i) * Real(0.000025));
    x.push_back(-x.back());
  }
  for (Real value = std::numeric_limits<Real>::min(); value < Real(1e30); value *= Real(1.37)) {
    x.push_back(value);
    x.push_back(-value);
  }
  return x;
}

template <class Real>
std::vector<Real> special_values() {
  constexpr Real kInfinity = std::numeric_limits<Real>::infinity();
  return {kInfinity,
          -kInfinity,
          std::numeric_limits<Real>::quiet_NaN(),
          Real(0),
          -Real(0),
          std::numeric_limits<Real>::denorm_min(),
          std::numeric_limits<Real>::max()};
}

template <class Real>
void expect_special_tanh(const std::vector<Real>& y) {
  constexpr Real kSixUlps = 3 * std::numeric_limits<Real>::epsilon();  // below 1
  EXPECT_NEAR(y[0], Real(1), kSixUlps);
  EXPECT_NEAR(y[1], Real(-1), kSixUlps);
  EXPECT_TRUE(std::isnan(y[2]));
  EXPECT_TRUE(y[3] == 0 && !std::signbit(y[3]));
  EXPECT_TRUE(y[4] == 0 && std::signbit(y[4]));
  EXPECT_LE(std::abs(y[5]), std::numeric_limits<Real>::min());
  EXPECT_NEAR(y[6], Real(1), kSixUlps);
}

TEST_P(KernelMath, TanhIsWithinSixUlpsAndNeverBeyondOne) {
  const std::vector<float> x = arguments<float>();
  std::vector<float> y = x;
  HWY_DYNAMIC_DISPATCH(tanh_float)(y);
  EXPECT_LE(largest_ulps(x, y, [](float v) { return std::tanh(static_cast<double>(v)); }), 6.0);
  EXPECT_LE(*std::max_element(y.begin(), y.end()), 1.0F);
  EXPECT_GE(*std::min_element(y.begin(), y.end()), -1.0F);

  const std::vector<double> wide_x = arguments<double>();
  std::vector<double> wide_y = wide_x;
  HWY_DYNAMIC_DISPATCH(tanh_double)(wide_y);
  const auto exact = [](double v) { return std::tanh(static_cast<long double>(v)); };
  EXPECT_LE(largest_ulps(wide_x, wide_y, exact), 6.0);
  EXPECT_LE(*std::max_element(wide_y.begin(), wide_y.end()), 1.0);
  EXPECT_GE(*std::min_element(wide_y.begin(), wide_y.end()), -1.0);
}

// The numbers of single precision from where tanh(x) is x to where it is 1: each of them, 145
// millions, where the environment variable UNROLL_RELIABILITY is `full`, and otherwise one in 67.
TEST_P(KernelMath, TanhIsWithinSixUlpsAtEveryNumber) {
  const char* reliability = std::getenv("UNROLL_RELIABILITY");
  const bool is_full = reliability != nullptr && std::string_view(reliability) == "full";
  const std::uint32_t stride = is_full ? 1 : 67;
  constexpr std::size_t kBlock = 1 << 16;
  const auto last = std::bit_cast<std::uint32_t>(9.3F);
  double ulps = 0.0;
  float largest = 0.0F;
  for (auto bits = std::bit_cast<std::uint32_t>(0x1p-14F); bits < last;) {
    std::vector<float> x;
    for (; bits < last && x.size() < kBlock; bits += stride) {
      x.push_back(std::bit_cast<float>(bits));
    }
    std::vector<float> y = x;
    HWY_DYNAMIC_DISPATCH(tanh_float)(y);
    ulps = std::max(ulps,
                    largest_ulps(x, y, [](float v) { return std::tanh(static_cast<double>(v)); }));
    largest = std::max(largest, *std::max_element(y.begin(), y.end()));
  }
  EXPECT_LE(ulps, 6.0);
  EXPECT_LE(largest, 1.0F);
}

TEST_P(KernelMath, TanhOfSpecialValues) {
  std::vector<float> y = special_values<float>();
  HWY_DYNAMIC_DISPATCH(tanh_float)(y);
  expect_special_tanh(y);
  std::vector<double> wide_y = special_values<double>();
  HWY_DYNAMIC_DISPATCH(tanh_double)(wide_y);
  expect_special_tanh(wide_y);
}

template <class Real>
std::vector<Real> negatives(Real least) {
  std::vector<Real> x;
  for (int i = 0; i <= 200'000; ++i) {
    x.push_back(least * static_cast<Real>(i) / Real(200'001));
  }
  return x;
}

TEST_P(KernelMath, ExpIsWithinThreeUlpsAndEndsInZero) {
  const std::vector<float> x = negatives(-87.0F);
  std::vector<float> y = x;
  HWY_DYNAMIC_DISPATCH(exp_float)(y);
  EXPECT_LE(largest_ulps(x, y, [](float v) { return std::exp(static_cast<double>(v)); }), 3.0);

  const std::vector<double> wide_x = negatives(-708.0);
  std::vector<double> wide_y = wide_x;
  HWY_DYNAMIC_DISPATCH(exp_double)(wide_y);
  const auto exact = [](double v) { return std::exp(static_cast<long double>(v)); };
  EXPECT_LE(largest_ulps(wide_x, wide_y, exact), 3.0);

  std::vector<float> beyond = {-88.0F, -1e30F, -std::numeric_limits<float>::infinity()};
  HWY_DYNAMIC_DISPATCH(exp_float)(beyond);
  EXPECT_EQ(beyond, std::vector<float>(3, 0.0F));
  std::vector<double> wide_beyond = {-709.0, -1e300, -std::numeric_limits<double>::infinity()};
  HWY_DYNAMIC_DISPATCH(exp_double)(wide_beyond);
  EXPECT_EQ(wide_beyond, std::vector<double>(3, 0.0));
}

template <class Real>
std::vector<Real> at_least_one(Real largest) {
  std::vector<Real> x;
  for (Real value = 1; value < largest; value *= Real(1.0007)) {
    x.push_back(value);
  }
  return x;
}

TEST_P(KernelMath, ExpAndLogOfNoNumberAreNone) {
  std::vector<float> exp_y(1, std::numeric_limits<float>::quiet_NaN());
  std::vector<float> log_y = exp_y;
  HWY_DYNAMIC_DISPATCH(exp_float)(exp_y);
  HWY_DYNAMIC_DISPATCH(log_float)(log_y);
  EXPECT_TRUE(std::isnan(exp_y[0]));
  EXPECT_TRUE(std::isnan(log_y[0]));
  std::vector<double> wide_exp_y(1, std::numeric_limits<double>::quiet_NaN());
  std::vector<double> wide_log_y = wide_exp_y;
  HWY_DYNAMIC_DISPATCH(exp_double)(wide_exp_y);
  HWY_DYNAMIC_DISPATCH(log_double)(wide_log_y);
  EXPECT_TRUE(std::isnan(wide_exp_y[0]));
  EXPECT_TRUE(std::isnan(wide_log_y[0]));
}

TEST_P(KernelMath, LogIsWithinFiveUlps) {
  std::vector<float> x = at_least_one(1e30F);
  for (float value = 1.0F; value < 1.2F; value = std::nextafter(value, 2.0F)) {
    x.push_back(value);  // all of them: here it is at its worst
  }
  std::erase(x, 1.0F);
  std::vector<float> y = x;
  HWY_DYNAMIC_DISPATCH(log_float)(y);
  EXPECT_LE(largest_ulps(x, y, [](float v) { return std::log(static_cast<double>(v)); }), 4.0);

  std::vector<double> wide_x = at_least_one(1e30);
  for (int i = 0; i < 400'000; ++i) {
    wide_x.push_back(1.0 + i * 5e-7);
  }
  std::erase(wide_x, 1.0);
  std::vector<double> wide_y = wide_x;
  HWY_DYNAMIC_DISPATCH(log_double)(wide_y);
  const auto exact = [](double v) { return std::log(static_cast<long double>(v)); };
  EXPECT_LE(largest_ulps(wide_x, wide_y, exact), 5.0);

  std::vector<float> one = {1.0F};
  HWY_DYNAMIC_DISPATCH(log_float)(one);
  EXPECT_EQ(one[0], 0.0F);
  std::vector<double> wide_one = {1.0};
  HWY_DYNAMIC_DISPATCH(log_double)(wide_one);
  EXPECT_EQ(wide_one[0], 0.0);
}

}  // namespace
}  // namespace unroll::kernels
#endif
