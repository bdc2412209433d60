// SPDX-License-Identifier: MIT
/// \file
/// Vectors of the width the translation unit is compiled for, by the vector extension of g++ and clang, and
/// the elementary functions on them.
///
/// Every element of an array passes through the same instructions, the last few by way of a padded vector:
/// a result never depends on where in a batch a row stands. The float approximations follow the Cephes
/// library (S. Moshier, netlib); each states its error.
///
/// The headers of this folder need the standard library alone, throw nothing, and work without exceptions and
/// RTTI: they are the code of exported headers, too (.cmake/kernel_text.cmake).
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN

/// Signed size and index type; Eigen's, too.
using Index = std::ptrdiff_t;

namespace simd {

#if defined(__AVX512F__)
inline constexpr std::size_t register_bytes = 64;
inline constexpr int register_count = 32;
#elif defined(__AVX__)
inline constexpr std::size_t register_bytes = 32;
inline constexpr int register_count = 16;
#else
inline constexpr std::size_t register_bytes = 16;
inline constexpr int register_count = 16;
#endif

template <class T>
struct VectorOf {
  typedef T type __attribute__((vector_size(register_bytes)));
};
/// One register full of `T`.
template <class T>
using Vector = typename VectorOf<T>::type;

/// Elements in a register.
template <class T>
inline constexpr Index lanes = static_cast<Index>(register_bytes / sizeof(T));

template <class T>
inline Vector<T> load(const T* p) noexcept {
  Vector<T> v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class T>
inline void store(T* p, const Vector<T>& v) noexcept {
  std::memcpy(p, &v, sizeof v);
}
/// The first `count` elements, fewer than a register holds; the others are zero.
template <class T>
inline Vector<T> load_part(const T* p, Index count) noexcept {
  Vector<T> v{};
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) { // no call for a copy of unknown length
    const __m512i masked = _mm512_maskz_loadu_epi32(static_cast<__mmask16>((1U << count) - 1U), p);
    std::memcpy(&v, &masked, sizeof v);
    return v;
  }
#endif
  std::memcpy(&v, p, static_cast<std::size_t>(count) * sizeof(T));
  return v;
}
template <class T>
inline void store_part(T* p, const Vector<T>& v, Index count) noexcept {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    __m512i all;
    std::memcpy(&all, &v, sizeof v);
    _mm512_mask_storeu_epi32(p, static_cast<__mmask16>((1U << count) - 1U), all);
    return;
  }
#endif
  std::memcpy(p, &v, static_cast<std::size_t>(count) * sizeof(T));
}
template <class T>
inline Vector<T> broadcast(T x) noexcept {
  return Vector<T>{} + x;
}
template <class To, class From>
inline Vector<To> bit_cast(const Vector<From>& v) noexcept {
  Vector<To> result;
  static_assert(sizeof(To) == sizeof(From));
  std::memcpy(&result, &v, sizeof v);
  return result;
}

/// Applies `f(vector) -> vector` to `count` elements; `in` and `out` may be the same.
template <class T, class Function>
inline void transform(const T* in, T* out, Index count, const Function& f) noexcept {
  Index i = 0;
  for (; i + lanes<T> <= count; i += lanes<T>)
    store(out + i, Vector<T>(f(load(in + i))));
  if (i < count)
    store_part(out + i, Vector<T>(f(load_part(in + i, count - i))), count - i);
}

namespace detail {
template <class T, T (*Function)(T)>
inline Vector<T> by_lane(const Vector<T>& x) noexcept {
  T lane[lanes<T>];
  std::memcpy(lane, &x, sizeof x);
  for (T& value : lane)
    value = Function(value);
  return load(lane);
}
} // namespace detail

// [only in the library] double precision, for gradient checks
inline Vector<double> exp(const Vector<double>& x) noexcept { return detail::by_lane<double, std::exp>(x); }
inline Vector<double> log(const Vector<double>& x) noexcept { return detail::by_lane<double, std::log>(x); }
inline Vector<double> tanh(const Vector<double>& x) noexcept { return detail::by_lane<double, std::tanh>(x); }
// [everywhere]

/// e^x. Float: relative error below 2e-7; x below −87.3 gives about 1e-38, above 88.3 about 2e38; NaN stays.
[[gnu::always_inline]] inline Vector<float> exp(Vector<float> x) noexcept {
  x = x > 88.3762626F ? broadcast(88.3762626F) : x;
  x = x < -87.3365402F ? broadcast(-87.3365402F) : x;
  // Adding 1.5 * 2^23 rounds to an integer and leaves that integer in the low bits.
  const Vector<float> shifted = x * 1.44269504088896341F + 12582912.0F;
  const Vector<float> n = shifted - 12582912.0F;
  const Vector<float> r = x - n * 0.693359375F - n * -2.12194440e-4F;
  Vector<float> y = r * 1.9875691500e-4F + 1.3981999507e-3F;
  y = y * r + 8.3334519073e-3F;
  y = y * r + 4.1665795894e-2F;
  y = y * r + 1.6666665459e-1F;
  y = y * r + 5.0000001201e-1F;
  y = y * (r * r) + r + 1.0F;
  const auto scale = (bit_cast<std::uint32_t, float>(shifted) << 23U) + 0x3F800000U;
  return y * bit_cast<float, std::uint32_t>(scale);
}

/// Natural logarithm of positive normal numbers; NaN and infinity stay, other numbers give no meaningful
/// result. Float: absolute error below 1e-7 near 1, else 2 ulp.
inline Vector<float> log(const Vector<float>& x) noexcept {
  const auto bits = bit_cast<std::uint32_t, float>(x);
  // Exponent and mantissa such that the mantissa lies in [sqrt(1/2), sqrt(2)).
  const auto shifted = bits - 0x3F3504F3U;
  const auto exponent_bits = bit_cast<std::int32_t, std::uint32_t>(shifted) >> 23;
  const Vector<float> e = __builtin_convertvector(exponent_bits, Vector<float>);
  const auto mantissa = (shifted & 0x007FFFFFU) + 0x3F3504F3U;
  const Vector<float> m = bit_cast<float, std::uint32_t>(mantissa) - 1.0F;
  const Vector<float> z = m * m;
  Vector<float> y = m * 7.0376836292e-2F - 1.1514610310e-1F;
  y = y * m + 1.1676998740e-1F;
  y = y * m - 1.2420140846e-1F;
  y = y * m + 1.4249322787e-1F;
  y = y * m - 1.6668057665e-1F;
  y = y * m + 2.0000714765e-1F;
  y = y * m - 2.4999993993e-1F;
  y = y * m + 3.3333331174e-1F;
  y = y * m * z + e * -2.12194440e-4F - z * 0.5F;
  const Vector<float> result = m + y + e * 0.693359375F;
  return x <= std::numeric_limits<float>::max() ? result : x; // the bits of a NaN read as a large number
}

/// Logistic function 1 / (1 + e^−x). Float: relative error below 3e-7 for x above −87, and about 4e-39 below.
template <class V>
inline V sigmoid(const V& x) noexcept {
  return 1 / (1 + exp(V(-x)));
}

/// Hyperbolic tangent. Float: within 3 ulp; ±1 from about ±9 on, infinity included; NaN stays.
inline Vector<float> tanh(const Vector<float>& x) noexcept {
  const Vector<float> z = x * x;
  Vector<float> small = z * -5.70498872745e-3F + 2.06390887954e-2F;
  small = small * z - 5.37397155531e-2F;
  small = small * z + 1.33314422036e-1F;
  small = small * z - 3.33332819422e-1F;
  small = small * z * x + x;
  const Vector<float> large = 1.0F - 2.0F / (exp(Vector<float>(x + x)) + 1.0F);
  return z < 0.390625F ? small : large;
}

/// Inverse hyperbolic tangent of x in (−1, 1): absolute error below 2e-7 up to 0.5, else relative below 1e-6
/// up to 0.999; beyond that it grows with 1 / (1 − |x|), as the result's own sensitivity does.
inline Vector<float> atanh(const Vector<float>& x) noexcept {
  return 0.5F * log(Vector<float>((1.0F + x) / (1.0F - x)));
}

/// Square root, correctly rounded; NaN for negative numbers. Compilers call the C function lane by lane,
/// which may have to set errno, so the instruction is named here.
#if defined(__AVX512F__)
// The masked form, because g++ 12 warns of an uninitialised operand inside the plain one.
inline Vector<float> sqrt(const Vector<float>& x) noexcept {
  return reinterpret_cast<Vector<float>>(_mm512_maskz_sqrt_ps(0xFFFF, reinterpret_cast<__m512>(x)));
}
inline Vector<double> sqrt(const Vector<double>& x) noexcept {
  return reinterpret_cast<Vector<double>>(_mm512_maskz_sqrt_pd(0xFF, reinterpret_cast<__m512d>(x)));
}
#elif defined(__AVX__)
inline Vector<float> sqrt(const Vector<float>& x) noexcept {
  return reinterpret_cast<Vector<float>>(_mm256_sqrt_ps(reinterpret_cast<__m256>(x)));
}
inline Vector<double> sqrt(const Vector<double>& x) noexcept {
  return reinterpret_cast<Vector<double>>(_mm256_sqrt_pd(reinterpret_cast<__m256d>(x)));
}
#elif defined(__SSE2__)
inline Vector<float> sqrt(const Vector<float>& x) noexcept {
  return reinterpret_cast<Vector<float>>(_mm_sqrt_ps(reinterpret_cast<__m128>(x)));
}
inline Vector<double> sqrt(const Vector<double>& x) noexcept {
  return reinterpret_cast<Vector<double>>(_mm_sqrt_pd(reinterpret_cast<__m128d>(x)));
}
#else
inline Vector<float> sqrt(const Vector<float>& x) noexcept { return detail::by_lane<float, std::sqrt>(x); }
inline Vector<double> sqrt(const Vector<double>& x) noexcept { return detail::by_lane<double, std::sqrt>(x); }
#endif

/// Sine and cosine of 2πu for u in [0, 1]; absolute error below 2e-7.
inline void sin_cos_turn(const Vector<float>& u, Vector<float>& sine, Vector<float>& cosine) noexcept {
  const Vector<float> shifted = u * 4.0F + 12582912.0F;
  const auto quadrant = bit_cast<std::uint32_t, float>(shifted) & 3U;
  const Vector<float> a = (u - (shifted - 12582912.0F) * 0.25F) * 6.28318530718F;
  const Vector<float> z = a * a;
  Vector<float> s = z * -1.9515295891e-4F + 8.3321608736e-3F;
  s = (s * z - 1.6666654611e-1F) * z * a + a;
  Vector<float> c = z * 2.443315711809948e-5F - 1.388731625493765e-3F;
  c = (c * z + 4.166664568298827e-2F) * z * z - z * 0.5F + 1.0F;
  const auto swap = (quadrant & 1U) != 0U;
  const Vector<float> s_or_c = swap ? c : s;
  const Vector<float> c_or_s = swap ? s : c;
  sine = (quadrant & 2U) != 0U ? -s_or_c : s_or_c;
  cosine = ((quadrant + 1U) & 2U) != 0U ? -c_or_s : c_or_s;
}

} // namespace simd
ROWSMITH_END
