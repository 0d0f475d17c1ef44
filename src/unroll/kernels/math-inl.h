// Elementary functions of vectors, of either precision. Included once for each instruction set.

#if defined(UNROLL_KERNELS_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_KERNELS_MATH_INL_H_
#undef UNROLL_KERNELS_MATH_INL_H_
#else
#define UNROLL_KERNELS_MATH_INL_H_
#endif

#include <hwy/highway.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// What the functions below need to know of a floating-point format.
template <class Real>
struct Format;

template <>
struct Format<float> {
  using Bits = std::uint32_t;
  static constexpr int kMantissaBits = 23;
  static constexpr Bits kOne = 0x3F800000U;
  static constexpr Bits kSqrtHalf = 0x3F3504F3U;
  static constexpr float kRounder = 12582912.0F;   // 1.5 * 2^23: adding it rounds to an integer
  static constexpr float kInteger = 8388608.0F;    // 2^23: an integer in its mantissa is its value
  static constexpr float kLn2High = 0.693359375F;  // its product with any exponent is exact
  static constexpr float kLn2Low = -2.12194440e-4F;
  static constexpr float kLeastExponent = -87.0F;  // below, exp is taken for 0
  static constexpr int kExpTerms = 8;              // of the Taylor series, for |r| <= ln 2 / 2
  static constexpr int kLogTerms = 5;
};

template <>
struct Format<double> {
  using Bits = std::uint64_t;
  static constexpr int kMantissaBits = 52;
  static constexpr Bits kOne = 0x3FF0000000000000U;
  static constexpr Bits kSqrtHalf = 0x3FE6A09E667F3BCDU;
  static constexpr double kRounder = 6755399441055744.0;  // 1.5 * 2^52
  static constexpr double kInteger = 4503599627370496.0;  // 2^52
  static constexpr double kLn2High = 0.693147180369123816490;
  static constexpr double kLn2Low = 1.90821492927058770002e-10;
  static constexpr double kLeastExponent = -708.0;
  static constexpr int kExpTerms = 13;
  static constexpr int kLogTerms = 11;
};

/// The sum of coefficients[i] * x^i, by Estrin's scheme: halves, and halves of those, side by side,
/// because what is short of is time, not arithmetic.
template <std::size_t kFirst, std::size_t kCount, class D, std::size_t kSize, class V = hn::Vec<D>>
HWY_INLINE V estrin(D d, const std::array<hn::TFromD<D>, kSize>& coefficients, const V* powers) {
  if constexpr (kCount == 1) {
    return hn::Set(d, coefficients[kFirst]);
  } else if constexpr (kCount == 2) {
    return hn::MulAdd(hn::Set(d, coefficients[kFirst + 1]), powers[0],
                      hn::Set(d, coefficients[kFirst]));
  } else {
    constexpr std::size_t kHalf = kCount > 8 ? 8 : kCount > 4 ? 4 : 2;
    constexpr std::size_t kPower = kCount > 8 ? 3 : kCount > 4 ? 2 : 1;
    const V low = estrin<kFirst, kHalf>(d, coefficients, powers);
    const V high = estrin<kFirst + kHalf, kCount - kHalf>(d, coefficients, powers);
    return hn::MulAdd(high, powers[kPower], low);
  }
}

template <class D, std::size_t kSize, class V = hn::Vec<D>>
HWY_INLINE V polynomial(D d, const std::array<hn::TFromD<D>, kSize>& coefficients, V x) {
  static_assert(kSize <= 16);
  const V x2 = hn::Mul(x, x);
  const V x4 = hn::Mul(x2, x2);
  const V powers[4] = {x, x2, x4, hn::Mul(x4, x4)};
  return estrin<0, kSize>(d, coefficients, powers);
}

/// The same sum, from the highest power down.
template <class D, std::size_t kSize, class V = hn::Vec<D>>
HWY_INLINE V horner(D d, const std::array<hn::TFromD<D>, kSize>& coefficients, V x) {
  V sum = hn::Set(d, coefficients[kSize - 1]);
  for (std::size_t i = kSize - 1; i > 0; --i) {
    sum = hn::MulAdd(sum, x, hn::Set(d, coefficients[i - 1]));
  }
  return sum;
}

/// 1 / (i + 1)! for i from 0.
template <class Real, std::size_t kTerms>
constexpr std::array<Real, kTerms> expm1_series() {
  std::array<Real, kTerms> series{};
  double factorial = 1.0;
  for (std::size_t i = 0; i < kTerms; ++i) {
    factorial *= static_cast<double>(i + 1);
    series[i] = static_cast<Real>(1.0 / factorial);
  }
  return series;
}

/// 2 / (2 i + 1) for i from 0.
template <class Real, std::size_t kTerms>
constexpr std::array<Real, kTerms> atanh_series() {
  std::array<Real, kTerms> series{};
  for (std::size_t i = 0; i < kTerms; ++i) {
    series[i] = static_cast<Real>(2.0 / static_cast<double>(2 * i + 1));
  }
  return series;
}

/// exp(x) as scale * (1 + rest), with scale a power of two.
template <class V>
struct ScaledExp {
  V scale;
  V rest;
};

template <class D, class V = hn::Vec<D>>
HWY_INLINE ScaledExp<V> scaled_exp(D d, V x) {
  using Real = hn::TFromD<D>;
  using F = Format<Real>;
  static constexpr auto kSeries = expm1_series<Real, F::kExpTerms>();
  const hn::Rebind<typename F::Bits, D> bits;

  // x = n ln 2 + r with |r| <= ln 2 / 2. The rounded sum holds n in its lowest bits.
  const V sum = hn::MulAdd(x, hn::Set(d, Real(1.4426950408889634)), hn::Set(d, F::kRounder));
  const V n = hn::Sub(sum, hn::Set(d, F::kRounder));
  V r = hn::NegMulAdd(n, hn::Set(d, F::kLn2High), x);
  r = hn::NegMulAdd(n, hn::Set(d, F::kLn2Low), r);
  const auto exponent = hn::ShiftLeft<F::kMantissaBits>(hn::BitCast(bits, sum));
  return {.scale = hn::BitCast(d, hn::Add(exponent, hn::Set(bits, F::kOne))),
          .rest = hn::Mul(polynomial(d, kSeries, r), r)};
}

/// exp(x) for x <= 0; 0 where it would be next to the smallest normal number; NaN for NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V exp_of_negative(D d, V x) {
  const auto least = hn::Set(d, Format<hn::TFromD<D>>::kLeastExponent);
  const auto [scale, rest] = scaled_exp(d, x);  // of no meaning below `least`
  return hn::IfThenZeroElse(hn::Le(x, least), hn::MulAdd(scale, rest, scale));
}

/// ln(x) for a normal x >= 1; NaN for NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V log(D d, V x) {
  using Real = hn::TFromD<D>;
  using F = Format<Real>;
  static constexpr auto kSeries = atanh_series<Real, F::kLogTerms>();
  const hn::Rebind<typename F::Bits, D> bits;

  // x = 2^n m with m from sqrt(1/2) to sqrt(2); ln m = 2 artanh(s), s = (m - 1) / (m + 1).
  const auto x_bits = hn::BitCast(bits, x);
  const auto n_bits =
      hn::ShiftRight<F::kMantissaBits>(hn::Sub(x_bits, hn::Set(bits, F::kSqrtHalf)));
  const V m = hn::BitCast(d, hn::Sub(x_bits, hn::ShiftLeft<F::kMantissaBits>(n_bits)));
  const V integer = hn::Set(d, F::kInteger);
  const V n = hn::Sub(hn::BitCast(d, hn::Or(n_bits, hn::BitCast(bits, integer))), integer);
  const V one = hn::Set(d, Real(1));
  const V s = hn::Div(hn::Sub(m, one), hn::Add(m, one));
  const V log_m = hn::Mul(s, polynomial(d, kSeries, hn::Mul(s, s)));
  const V low = hn::MulAdd(n, hn::Set(d, F::kLn2Low), log_m);
  const V not_a_number = hn::VecFromMask(d, hn::Not(hn::Eq(x, x)));
  return hn::Or(hn::MulAdd(n, hn::Set(d, F::kLn2High), low), not_a_number);
}

/// The smaller of two positive numbers. They compare as their bits do, and integers compare faster
/// where there is an instruction for it.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V min_of_positive(D d, V left, V right) {
  if constexpr (sizeof(hn::TFromD<D>) == 4) {
    const hn::Rebind<std::int32_t, D> integers;
    return hn::BitCast(d, hn::Min(hn::BitCast(integers, left), hn::BitCast(integers, right)));
  } else {
    return hn::Min(left, right);
  }
}

/// tanh(x), within 6 units in the last place and never beyond 1 in magnitude; NaN for NaN.
///
/// Single precision: x P(x^2) / Q(x^2), a minimax fit of tanh(x) / x on |x| <= 9.0109, beyond which
/// tanh rounds to 1; its error is 2.1e-8 and every coefficient positive, so that nothing cancels.
/// The coefficients' last digits were searched for the smallest error after rounding. Double
/// precision: -e / (2 + e) with e = exp(-2 |x|) - 1.
///
/// A window is a chain of T of these, so what counts is the length of the way from x to the result.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V tanh(D d, V x) {
  using Real = hn::TFromD<D>;
  const V one = hn::Set(d, Real(1));
  const V magnitude = hn::Abs(x);
  V result;
  if constexpr (std::is_same_v<Real, float>) {
    static constexpr std::array<float, 5> kP = {1.0F, 0.133803129F, 0.0034947414F, 2.0595111e-05F,
                                                1.33352334e-08F};
    static constexpr std::array<float, 5> kQ = {1.0F, 0.467136294F, 0.0258737616F, 0.000328424823F,
                                                7.76862521e-07F};
    constexpr float kLimit = 9.0109F;
    const V y = min_of_positive(d, hn::Mul(x, x), hn::Set(d, kLimit * kLimit));
    const V limited = min_of_positive(d, magnitude, hn::Set(d, kLimit));
#if HWY_NATIVE_FMA
    // P x as a polynomial with coefficients kP[i] x: those are ready when y is.
    const V y2 = hn::Mul(y, y);
    const auto term = [&](std::size_t i) HWY_ATTR { return hn::Mul(limited, hn::Set(d, kP[i])); };
    const V low = hn::MulAdd(y, term(1), limited);
    const V middle = hn::MulAdd(y, term(3), term(2));
    const V numerator = hn::MulAdd(hn::Mul(y2, y2), term(4), hn::MulAdd(y2, middle, low));
    result = hn::Div(numerator, polynomial(d, kQ, y));
#else
    // Every product rounds by itself: the order with the fewest roundings.
    result = hn::Mul(limited, hn::Div(horner(d, kP, y), horner(d, kQ, y)));
#endif
  } else {
    constexpr double kLimit = 20.0;
    const auto [scale, rest] =
        scaled_exp(d, hn::Mul(min_of_positive(d, magnitude, hn::Set(d, kLimit)), hn::Set(d, -2.0)));
    const V minus_e = hn::NegMulAdd(scale, rest, hn::Sub(one, scale));
    result = hn::Div(minus_e, hn::Sub(hn::Set(d, 2.0), minus_e));
  }
  const V not_a_number = hn::VecFromMask(d, hn::Not(hn::Eq(x, x)));
  const V sign = hn::And(x, hn::SignBit(d));
  return hn::Or(min_of_positive(d, result, one), hn::Or(sign, not_a_number));
}

}  // namespace unroll::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
