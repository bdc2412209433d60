// SPDX-License-Identifier: MIT
/// \file
/// The headers of kernel/ as text. Made by .cmake/kernel_text.cmake; a test fails where it differs from them.
#pragma once

#include <string_view>

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN
namespace detail {

inline constexpr std::string_view kernel_includes = R"cpp(#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>
#include <string_view>
#if defined(__SSE2__)
#include <immintrin.h>
#endif
)cpp";

// clang-format off
inline constexpr std::string_view kernel_text = R"cpp(using Index = std::ptrdiff_t;
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
template <class T> struct VectorOf {
  typedef T type __attribute__((vector_size(register_bytes))); };
template <class T> using Vector = typename VectorOf<T>::type;
template <class T> inline constexpr Index lanes = static_cast<Index>(register_bytes / sizeof(T));
template <class T> inline Vector<T> load(const T* p) noexcept {
  Vector<T> v;
  std::memcpy(&v, p, sizeof v);
  return v; }
template <class T> inline void store(T* p, const Vector<T>& v) noexcept {
  std::memcpy(p, &v, sizeof v); }
template <class T> inline Vector<T> load_part(const T* p, Index count) noexcept {
  Vector<T> v{};
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) { const __m512i masked = _mm512_maskz_loadu_epi32(static_cast<__mmask16>((1U << count) - 1U), p); std::memcpy(&v, &masked, sizeof v); return v; }
#endif
  std::memcpy(&v, p, static_cast<std::size_t>(count) * sizeof(T));
  return v; }
template <class T> inline void store_part(T* p, const Vector<T>& v, Index count) noexcept {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) { __m512i all; std::memcpy(&all, &v, sizeof v); _mm512_mask_storeu_epi32(p, static_cast<__mmask16>((1U << count) - 1U), all); return; }
#endif
  std::memcpy(p, &v, static_cast<std::size_t>(count) * sizeof(T)); }
template <class T> inline Vector<T> broadcast(T x) noexcept {
  return Vector<T>{} + x; }
template <class To, class From> inline Vector<To> bit_cast(const Vector<From>& v) noexcept {
  Vector<To> result;
  static_assert(sizeof(To) == sizeof(From));
  std::memcpy(&result, &v, sizeof v);
  return result; }
template <class T, class Function> inline void transform(const T* in, T* out, Index count, const Function& f) noexcept {
  Index i = 0;
  for (; i + lanes<T> <= count; i += lanes<T>) store(out + i, Vector<T>(f(load(in + i))));
  if (i < count) store_part(out + i, Vector<T>(f(load_part(in + i, count - i))), count - i); }
namespace detail {
template <class T, T (*Function)(T)> inline Vector<T> by_lane(const Vector<T>& x) noexcept {
  T lane[lanes<T>];
  std::memcpy(lane, &x, sizeof x);
  for (T& value : lane) value = Function(value);
  return load(lane); } }
[[gnu::always_inline]] inline Vector<float> exp(Vector<float> x) noexcept {
  x = x > 88.3762626F ? broadcast(88.3762626F) : x;
  x = x < -87.3365402F ? broadcast(-87.3365402F) : x;
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
  return y * bit_cast<float, std::uint32_t>(scale); }
inline Vector<float> log(const Vector<float>& x) noexcept {
  const auto bits = bit_cast<std::uint32_t, float>(x);
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
  return x <= std::numeric_limits<float>::max() ? result : x; }
template <class V> inline V sigmoid(const V& x) noexcept {
  return 1 / (1 + exp(V(-x))); }
inline Vector<float> tanh(const Vector<float>& x) noexcept {
  const Vector<float> z = x * x;
  Vector<float> small = z * -5.70498872745e-3F + 2.06390887954e-2F;
  small = small * z - 5.37397155531e-2F;
  small = small * z + 1.33314422036e-1F;
  small = small * z - 3.33332819422e-1F;
  small = small * z * x + x;
  const Vector<float> large = 1.0F - 2.0F / (exp(Vector<float>(x + x)) + 1.0F);
  return z < 0.390625F ? small : large; }
inline Vector<float> atanh(const Vector<float>& x) noexcept {
  return 0.5F * log(Vector<float>((1.0F + x) / (1.0F - x))); }
#if defined(__AVX512F__)
inline Vector<float> sqrt(const Vector<float>& x) noexcept {
  return reinterpret_cast<Vector<float>>(_mm512_maskz_sqrt_ps(0xFFFF, reinterpret_cast<__m512>(x))); }
inline Vector<double> sqrt(const Vector<double>& x) noexcept {
  return reinterpret_cast<Vector<double>>(_mm512_maskz_sqrt_pd(0xFF, reinterpret_cast<__m512d>(x))); }
#elif defined(__AVX__)
inline Vector<float> sqrt(const Vector<float>& x) noexcept {
  return reinterpret_cast<Vector<float>>(_mm256_sqrt_ps(reinterpret_cast<__m256>(x))); }
inline Vector<double> sqrt(const Vector<double>& x) noexcept {
  return reinterpret_cast<Vector<double>>(_mm256_sqrt_pd(reinterpret_cast<__m256d>(x))); }
#elif defined(__SSE2__)
inline Vector<float> sqrt(const Vector<float>& x) noexcept {
  return reinterpret_cast<Vector<float>>(_mm_sqrt_ps(reinterpret_cast<__m128>(x))); }
inline Vector<double> sqrt(const Vector<double>& x) noexcept {
  return reinterpret_cast<Vector<double>>(_mm_sqrt_pd(reinterpret_cast<__m128d>(x))); }
#else
inline Vector<float> sqrt(const Vector<float>& x) noexcept { return detail::by_lane<float, std::sqrt>(x); }
inline Vector<double> sqrt(const Vector<double>& x) noexcept { return detail::by_lane<double, std::sqrt>(x); }
#endif
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
  cosine = ((quadrant + 1U) & 2U) != 0U ? -c_or_s : c_or_s; } }
enum class Purpose : std::uint32_t {
  split = 1,
  initialise,
  shuffle,
  dropout,
  latent_noise,
  generator_noise,
  sample_noise,
  sample_decode,
  encode_position,
  forest_bootstrap,
  forest_features,
  fold,
  evaluate,
  label,
  sample_component,
  refit_latent,
  refit_noise,
  mixture,
  acceptance,
  likelihood,
  user = 0x1000, };
constexpr float to_uniform_float(std::uint32_t bits) noexcept {
  return (static_cast<float>(bits >> 9) + 0.5F) * 0x1p-23F; }
constexpr double to_uniform_double(std::uint32_t high, std::uint32_t low) noexcept {
  const std::uint64_t bits = (std::uint64_t{high} << 32U) | low;
  return (static_cast<double>(bits >> 12U) + 0.5) * 0x1p-52; }
constexpr double to_position(std::uint32_t bits) noexcept {
  return (static_cast<double>(bits) + 0.5) * 0x1p-32; }
namespace kernel {
template <class Word> constexpr void philox(Word& c0, Word& c1, Word& c2, Word& c3, std::array<std::uint32_t, 2> key) noexcept {
  for (int round = 0; round < 10; ++round) { const Word p0 = c0 * std::uint64_t{0xD2511F53U}; const Word p1 = c2 * std::uint64_t{0xCD9E8D57U}; c0 = (p1 >> 32U) ^ c1 ^ std::uint64_t{key[0]}; c1 = p1 & std::uint64_t{0xFFFFFFFFU}; c2 = (p0 >> 32U) ^ c3 ^ std::uint64_t{key[1]}; c3 = p0 & std::uint64_t{0xFFFFFFFFU}; key[0] += 0x9E3779B9U; key[1] += 0xBB67AE85U; } } }
class RandomStream {
public:
  using Block = std::array<std::uint32_t, 4>;
  constexpr RandomStream(std::uint64_t seed, Purpose purpose, std::uint32_t major = 0) noexcept : seed_(seed), purpose_(static_cast<std::uint32_t>(purpose)), major_(major) {}
  constexpr Block block(std::uint64_t index) const noexcept { std::uint64_t c0 = index & 0xFFFFFFFFU; std::uint64_t c1 = index >> 32U; std::uint64_t c2 = purpose_; std::uint64_t c3 = major_; kernel::philox(c0, c1, c2, c3, key().key); return {static_cast<std::uint32_t>(c0), static_cast<std::uint32_t>(c1), static_cast<std::uint32_t>(c2), static_cast<std::uint32_t>(c3)}; }
  struct Key { std::array<std::uint32_t, 2> key; std::array<std::uint32_t, 2> counter_high; };
  constexpr Key key() const noexcept { return {{static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32U)}, {purpose_, major_}}; }
  constexpr double uniform(std::uint64_t index) const noexcept { const auto b = block(index); return to_uniform_double(b[0], b[1]); }
private:
  std::uint64_t seed_;
  std::uint32_t purpose_;
  std::uint32_t major_; };
inline void fill_bits(const RandomStream& stream, std::uint64_t first, Index blocks, std::uint32_t* out) noexcept {
  using U64 = simd::Vector<std::uint64_t>;
  constexpr Index width = simd::lanes<std::uint64_t>;
  constexpr std::uint64_t low = 0xFFFFFFFFULL;
  const auto key = stream.key();
  U64 lane_index{};
  for (Index i = 0; i < width; ++i) lane_index[i] = static_cast<std::uint64_t>(i);
  for (Index block = 0; block < blocks; block += width) { const U64 index = lane_index + (first + static_cast<std::uint64_t>(block)); U64 c0 = index & low; U64 c1 = index >> 32U; U64 c2 = simd::broadcast<std::uint64_t>(key.counter_high[0]); U64 c3 = simd::broadcast<std::uint64_t>(key.counter_high[1]); kernel::philox(c0, c1, c2, c3, key.key); const Index count = std::min(width, blocks - block); for (Index i = 0; i < count; ++i) { std::uint32_t* to = out + 4 * (block + i); to[0] = static_cast<std::uint32_t>(c0[i]); to[1] = static_cast<std::uint32_t>(c1[i]); to[2] = static_cast<std::uint32_t>(c2[i]); to[3] = static_cast<std::uint32_t>(c3[i]); } } }
namespace kernel {
inline constexpr Index chunk_blocks = 64;
template <class Chunk> void for_each_chunk(const RandomStream& stream, std::uint64_t first, Index count, const Chunk& chunk) noexcept {
  std::uint32_t words[4 * chunk_blocks];
  for (Index done = 0; done < count; done += 4 * chunk_blocks) { const Index part = std::min<Index>(4 * chunk_blocks, count - done); fill_bits(stream, first + static_cast<std::uint64_t>(done / 4), (part + 3) / 4, words); chunk(words, done, part); } }
[[gnu::noinline]] inline void box_muller(const std::uint32_t* words, Index count, float* even, float* odd) noexcept {
  constexpr Index width = simd::lanes<float>;
  const Index used = std::min((count / 2 + width) / width * width, 2 * chunk_blocks);
  for (Index i = 0; i < used; ++i) { even[i] = 2 * i < count ? to_uniform_float(words[2 * i]) : 0.5F; odd[i] = 2 * i < count ? to_uniform_float(words[2 * i + 1]) : 0.5F; }
  for (Index i = 0; 2 * i < count; i += width) { const auto r = simd::sqrt(simd::Vector<float>(-2.0F * simd::log(simd::load(even + i)))); simd::Vector<float> sine; simd::Vector<float> cosine; simd::sin_cos_turn(simd::load(odd + i), sine, cosine); simd::store(even + i, simd::Vector<float>(r * cosine)); simd::store(odd + i, simd::Vector<float>(r * sine)); } } }
template <class Scalar> void fill_uniform(const RandomStream& stream, std::uint64_t first, Scalar* out, Index count) noexcept {
  kernel::for_each_chunk(stream, first, count, [out](const std::uint32_t* words, Index offset, Index part) { for (Index i = 0; i < part; ++i) out[offset + i] = static_cast<Scalar>(to_uniform_float(words[i])); }); }
template <class Scalar> void fill_normal(const RandomStream& stream, std::uint64_t first, Scalar* out, Index count) noexcept {
  kernel::for_each_chunk(stream, first, count, [out](const std::uint32_t* words, Index offset, Index part) { float even[2 * kernel::chunk_blocks]; float odd[2 * kernel::chunk_blocks]; kernel::box_muller(words, part, even, odd); for (Index i = 0; i < part; ++i) out[offset + i] = static_cast<Scalar>(i % 2 == 0 ? even[i / 2] : odd[i / 2]); }); }
namespace kernel {
struct Choice {
  bool draws = true;
  float temperature = 1; };
template <class Scalar> inline Scalar largest_of(const Scalar* x, Index count) noexcept {
  Scalar largest = x[0];
  for (Index k = 1; k < count; ++k) largest = largest < x[k] ? x[k] : largest;
  return largest; }
template <class Scalar> inline Scalar exponentials(const Scalar* logits, Scalar* room, Index width, Scalar inverse) noexcept {
  using V = simd::Vector<Scalar>;
  const Scalar largest = largest_of(logits, width);
  simd::transform(logits, room, width, [=](const V& v) { return simd::exp(V((v - largest) * inverse)); });
  return largest; }
[[gnu::noinline]] inline std::int32_t choose(const float* logits, float* room, Index width, Choice choice, float uniform) noexcept {
  if (!choice.draws) return static_cast<std::int32_t>(std::max_element(logits, logits + width) - logits);
  exponentials(logits, room, width, 1 / choice.temperature);
  float total = 0;
  for (Index k = 0; k < width; ++k) { total += room[k]; room[k] = total; }
  const float point = std::min(uniform * total, std::bit_cast<float>(std::bit_cast<std::uint32_t>(total) - 1U));
  std::int32_t code = 0;
  for (Index k = 0; k < width; ++k) code += room[k] <= point ? 1 : 0;
  return std::min(code, static_cast<std::int32_t>(width - 1)); }
[[gnu::noinline]] inline double cross_entropy(const float* logits, float* room, Index width, Index target, float inverse = 1) noexcept {
  const float own = logits[target];
  const float largest = exponentials(logits, room, width, inverse);
  float total = 0;
  for (Index k = 0; k < width; ++k) total += room[k];
  return std::log(static_cast<double>(total)) - static_cast<double>((own - largest) * inverse); } }
namespace kernel {
inline double between(double low, double high, double place) noexcept {
  const double width = high - low;
  return std::isfinite(width) ? low + place * width : (1 - place) * low + place * high; }
inline double distance_in(double unit, double from, double value) noexcept {
  const double distance = value - from;
  return std::isfinite(distance) ? distance / unit : (value / 2 - from / 2) / (unit / 2); }
enum class CodecKind : std::uint8_t { categorical, standardised, exact, binned };
struct Codec {
  CodecKind kind = CodecKind::categorical;
  bool has_missing = false;
  bool has_other = false;
  std::int32_t categories = 0;
  const double* points = nullptr;
  std::size_t point_count = 0;
  const double* knots = nullptr;
  std::size_t bins = 0;
  std::size_t fine = 0;
  double mean = 0;
  double sd = 1;
  double minimum = 0;
  double maximum = 0;
  double rounding = 0;
  constexpr bool has_number() const noexcept { return kind == CodecKind::standardised; }
  constexpr std::int32_t plain_codes() const noexcept { return kind == CodecKind::categorical    ? categories : kind == CodecKind::standardised ? 1 : static_cast<std::int32_t>(point_count + bins); }
  constexpr std::int32_t codes() const noexcept { if (kind == CodecKind::standardised) return has_missing ? 2 : 0; return plain_codes() + (has_other ? 1 : 0) + (has_missing ? 1 : 0); }
  constexpr std::int32_t missing() const noexcept { return codes() - 1; }
  std::int32_t code_of(double value) const noexcept { const double* end = points + point_count; const double* point = std::lower_bound(points, end, value); if (point != end && *point == value) return static_cast<std::int32_t>(point - points); if (bins == 0) { if (point == end || (point != points && value - point[-1] <= *point - value)) return static_cast<std::int32_t>(point - points) - 1; return static_cast<std::int32_t>(point - points); } const double* edge = std::upper_bound(knots + 1, knots + bins, value); return static_cast<std::int32_t>(point_count + static_cast<std::size_t>(edge - knots) - 1); }
  std::int32_t fine_of(double value, std::int32_t code) const noexcept { const auto index = static_cast<std::size_t>(code); if (fine == 0 || index < point_count) return 0; const double* knot = knots + (index - point_count); const double unit = std::isfinite(knot[1] - knot[0]) ? 1 : 0.5; const double low = unit * knot[0]; const double width = unit * knot[1] - low; const double part = width > 0 ? distance_in(width, low, unit * value) * static_cast<double>(fine) : 0; return static_cast<std::int32_t>(std::clamp(part, 0.0, static_cast<double>(fine) - 0.5)); }
  double value_of(std::int32_t code, double position) const noexcept { const auto index = static_cast<std::size_t>(code); if (index < point_count) return points[index]; const double* knot = knots + (index - point_count); return finish(between(knot[0], knot[1], position)); }
  double excess(double value) const noexcept { const double distance = std::max(minimum - value, value - maximum); return distance > 0 ? distance / (maximum - minimum) * static_cast<double>(plain_codes()) : 0; }
  double standardise(double value) const noexcept { return distance_in(sd, mean, value); }
  double unstandardise(double number) const noexcept { return finish(mean + sd * number); }
private:
  double finish(double value) const noexcept { const double scaled = value * rounding; if (rounding != 0 && std::isfinite(scaled)) value = std::round(scaled) / rounding; return std::clamp(value, minimum, maximum); } };
struct Stretch {
  bool categorical = true;
  std::size_t column = 0;
  std::int32_t offset = 0;
  std::int32_t width = 1;
  bool fine = false;
  constexpr bool operator==(const Stretch&) const = default; };
struct Columns {
  const Codec* codecs = nullptr;
  std::size_t columns = 0;
  const Stretch* layout = nullptr;
  std::size_t stretches = 0;
  std::ptrdiff_t label = -1;
  constexpr std::size_t word_blocks() const noexcept { return (stretches + 1) / 2; } };
template <class NumberOf> inline double excess(const Columns& columns, const NumberOf& number_of) noexcept {
  double sum = 0;
  for (std::size_t column = 0; column < columns.columns; ++column) if (columns.codecs[column].kind != CodecKind::categorical) sum += columns.codecs[column].excess(number_of(column));
  return sum; }
struct Cell {
  bool missing = false;
  std::int32_t code = 0;
  double number = 0; };
template <class NumberAt, class PositionAt, class Set> inline void each_cell(const Columns& columns, const std::int32_t* codes, const NumberAt& number_at, const PositionAt& position_at, const Set& set) noexcept {
  for (std::size_t h = 0; h < columns.stretches; ++h) { const std::size_t column = columns.layout[h].column; const Codec& codec = columns.codecs[column]; float number = 0; if (!columns.layout[h].categorical) { number = number_at(h); if (codec.codes() > 0) ++h; } const std::int32_t code = columns.layout[h].categorical ? codes[h] : 0; double position = position_at(h); if (codec.fine > 0) { ++h; position = (static_cast<double>(codes[h]) + position) / static_cast<double>(codec.fine); } Cell cell; if (codec.has_missing && code == codec.missing()) cell.missing = true; else if (codec.kind == CodecKind::categorical) cell.code = code; else if (codec.kind == CodecKind::standardised) cell.number = codec.unstandardise(static_cast<double>(number)); else cell.number = codec.value_of(code, position); set(column, cell); } }
template <class NumberOf, class CategoryOf> inline bool encode_row(const Columns& columns, const NumberOf& number_of, const CategoryOf& category_of, std::int32_t* codes, float* numbers) noexcept {
  for (std::size_t h = 0; h < columns.stretches; ++h) { const Stretch& stretch = columns.layout[h]; const Codec& codec = columns.codecs[stretch.column]; const bool categorical = codec.kind == CodecKind::categorical; const double number = categorical ? 0.0 : number_of(stretch.column); const std::int32_t category = categorical ? category_of(stretch.column) : 0; const bool missing = categorical ? category == -1 : std::isnan(number); if ((missing && !codec.has_missing) || std::isinf(number)) return false; if (!missing && (category < 0 || (categorical && category >= codec.categories + (codec.has_other ? 1 : 0)))) return false; codes[h] = 0; if (!stretch.categorical) numbers[h] = static_cast<float>(codec.standardise(number)); else if (missing) codes[h] = stretch.fine ? 0 : codec.missing(); else if (stretch.fine) codes[h] = codec.fine_of(number, codes[h - 1]); else if (!codec.has_number()) codes[h] = categorical ? category : codec.code_of(number); }
  return true; } }
enum class ActivationKind { identity, relu, leaky_relu, tanh, sigmoid };
struct Activation {
  ActivationKind kind = ActivationKind::identity;
  double slope = 0.2;
  constexpr bool operator==(const Activation&) const = default; };
namespace kernel {
inline constexpr Index depth_block = 256;
constexpr Index padded(Index count, Index unit) noexcept { return (count + unit - 1) / unit * unit; }
inline constexpr Index product_vectors = 8;
template <class Scalar> inline void activate(const Activation& activation, Scalar* x, Index count) noexcept {
  using V = simd::Vector<Scalar>;
  switch (activation.kind) {
  case ActivationKind::identity: break;
  case ActivationKind::relu: for (Index i = 0; i < count; ++i) x[i] = x[i] < 0 ? Scalar(0) : x[i]; break;
  case ActivationKind::leaky_relu: { const auto slope = static_cast<Scalar>(activation.slope); for (Index i = 0; i < count; ++i) x[i] = x[i] < 0 ? slope * x[i] : x[i]; break; }
  case ActivationKind::tanh: simd::transform(x, x, count, [](const V& v) { return simd::tanh(v); }); break;
  case ActivationKind::sigmoid: simd::transform(x, x, count, [](const V& v) { return simd::sigmoid(v); }); break; } }
template <class Scalar, class Numbers> inline Scalar normalise_row(const Scalar* x, const Numbers& gain, const Numbers& bias, Scalar* y, Index n, Scalar* normal = nullptr) noexcept {
  Scalar mean = 0;
  for (Index j = 0; j < n; ++j) mean += x[j];
  mean /= static_cast<Scalar>(n);
  Scalar variance = 0;
  for (Index j = 0; j < n; ++j) variance += (x[j] - mean) * (x[j] - mean);
  variance /= static_cast<Scalar>(n);
  const Scalar inverse_sd = 1 / std::sqrt(variance + Scalar(1e-5));
  for (Index j = 0; j < n; ++j) { const Scalar value = (x[j] - mean) * inverse_sd; if (normal != nullptr) normal[j] = value; y[j] = gain[j] * value + bias[j]; }
  return inverse_sd; }
struct Matrix {
  std::size_t at = 0;
  Index depth = 0;
  Index columns = 0;
  std::size_t scale = 0; };
struct FloatWeights {
  static constexpr Index unit = simd::lanes<float>;
  static constexpr Index panel = product_vectors * unit;
  static constexpr bool scaled = false;
  const float* values = nullptr;
  const float* numbers(std::size_t at) const noexcept { return values + at; }
  const float* row(const Matrix& matrix, Index r) const noexcept { return values + matrix.at + static_cast<std::size_t>(r * matrix.columns); }
  simd::Vector<float> vector(std::size_t at) const noexcept { return simd::load(values + at); } };
struct Float32 {
  static constexpr std::size_t size = 4;
  static constexpr bool scaled = false;
  static float one(const char* from) noexcept { float value = 0; std::memcpy(&value, from, sizeof value); return value; }
  static simd::Vector<float> vector(const char* from) noexcept { simd::Vector<float> value; std::memcpy(&value, from, sizeof value); return value; } };
struct Float16 {
  static constexpr std::size_t size = 2;
  static constexpr bool scaled = false;
  static float one(const char* from) noexcept { std::uint16_t half = 0; std::memcpy(&half, from, sizeof half); const std::uint32_t wide = half; const float value = std::bit_cast<float>((wide & 0x7FFFU) << 13U) * 0x1p112F; return (wide & 0x8000U) != 0 ? -value : value; }
  static simd::Vector<float> vector(const char* from) noexcept { typedef std::uint16_t Halves __attribute__((vector_size(simd::register_bytes / 2))); Halves halves; std::memcpy(&halves, from, sizeof halves); const auto wide = __builtin_convertvector(halves, simd::Vector<std::uint32_t>); const simd::Vector<std::uint32_t> shifted = (wide & 0x7FFFU) << 13U; const simd::Vector<float> value = simd::bit_cast<float, std::uint32_t>(shifted) * 0x1p112F; const simd::Vector<std::uint32_t> sign = (wide & 0x8000U) << 16U; return simd::bit_cast<float, std::uint32_t>(simd::bit_cast<std::uint32_t, float>(value) | sign); } };
struct Int8 {
  static constexpr std::size_t size = 1;
  static constexpr bool scaled = true;
  static float one(const char* from) noexcept { return static_cast<float>(static_cast<std::int8_t>(*from)); }
  static simd::Vector<float> vector(const char* from) noexcept { typedef std::int8_t Bytes __attribute__((vector_size(simd::register_bytes / 4))); Bytes bytes; std::memcpy(&bytes, from, sizeof bytes); return __builtin_convertvector(bytes, simd::Vector<float>); } };
template <class Stored> struct ByteWeights {
  static constexpr Index unit = 16;
  static constexpr Index panel = 16;
  static constexpr bool scaled = Stored::scaled;
  const char* weights = nullptr;
  const char* floats = nullptr;
  struct Numbers { const char* from; float operator[](Index i) const noexcept { return Float32::one(from + 4 * i); } };
  struct Row { const char* from; Numbers scale; float operator[](Index i) const noexcept { const float value = Stored::one(from + static_cast<Index>(Stored::size) * i); if constexpr (scaled) return value * scale[i]; else return value; } };
  Numbers numbers(std::size_t at) const noexcept { return {floats + 4 * at}; }
  Row row(const Matrix& matrix, Index r) const noexcept { return {weights + Stored::size * (matrix.at + static_cast<std::size_t>(r * matrix.columns)), numbers(matrix.scale)}; }
  simd::Vector<float> vector(std::size_t at) const noexcept { return Stored::vector(weights + Stored::size * at); } };
template <class Weights, std::size_t... Vector> inline void product_of(const Weights& weights, std::size_t at, Index depth, const float* x, float* y, std::index_sequence<Vector...>) noexcept {
  using V = simd::Vector<float>;
  constexpr auto width = static_cast<std::size_t>(simd::lanes<float>);
  constexpr std::size_t most = static_cast<std::size_t>(Weights::panel) / width;
  constexpr std::size_t each = Weights::unit == Weights::panel ? most : std::min(most, sizeof...(Vector));
  const std::size_t panel = static_cast<std::size_t>(depth) * each * width;
  Index k = 0;
  do { const bool first = k == 0; const Index end = std::min(depth, k + depth_block); V sum[sizeof...(Vector)] = {((void)Vector, V{})...}; for (; k < end; ++k, at += each * width) ((sum[Vector] += x[k] * weights.vector(at + Vector / each * panel + Vector % each * width)), ...); if (first) (simd::store(y + Vector * width, sum[Vector]), ...); else (simd::store(y + Vector * width, V(simd::load(y + Vector * width) + sum[Vector])), ...); } while (k < depth); }
template <class Weights> inline void product(const Weights& weights, const Matrix& matrix, const float* x, float* y) noexcept {
  constexpr Index step = product_vectors * simd::lanes<float>;
  std::size_t at = matrix.at;
  float* to = y;
  Index vectors = padded(matrix.columns, Weights::unit) / simd::lanes<float>;
  for (; vectors >= product_vectors; vectors -= product_vectors, to += step) { product_of(weights, at, matrix.depth, x, to, std::make_index_sequence<product_vectors>{}); at += static_cast<std::size_t>(matrix.depth * step); }
  const auto last = [&]<std::size_t... Count>(std::index_sequence<Count...>) { ((static_cast<Index>(Count) == vectors && Count > 0 ? product_of(weights, at, matrix.depth, x, to, std::make_index_sequence<std::max<std::size_t>(Count, 1)>{}) : void()), ...); };
  last(std::make_index_sequence<product_vectors>{});
  if constexpr (Weights::scaled) { const auto scale = weights.numbers(matrix.scale); for (Index j = 0; j < matrix.columns; ++j) y[j] *= scale[j]; } }
template <class Numbers> inline void add(const Numbers& x, Index count, float* y) noexcept {
  for (Index j = 0; j < count; ++j) y[j] += x[j]; }
enum class LayerKind : std::uint8_t { dense, layer_norm, activation };
struct Layer {
  LayerKind kind = LayerKind::dense;
  Index outputs = 0;
  Matrix matrix;
  std::size_t gain = 0;
  std::size_t bias = 0;
  Activation activation; };
struct Network {
  const Layer* layers = nullptr;
  Index count = 0;
  bool residual = false; };
template <class Weights> inline const float* run(const Weights& weights, const Network& network, const float* x, float* const* buffers) noexcept {
  const float* const input = x;
  for (Index i = 0; i < network.count; ++i) { const Layer& layer = network.layers[i]; float* y = x == buffers[0] ? buffers[1] : buffers[0]; switch (layer.kind) { case LayerKind::dense: product(weights, layer.matrix, x, y); add(weights.numbers(layer.bias), layer.outputs, y); activate(layer.activation, y, layer.outputs); break; case LayerKind::layer_norm: normalise_row(x, weights.numbers(layer.gain), weights.numbers(layer.bias), y, layer.outputs); break; case LayerKind::activation: std::copy_n(x, layer.outputs, y); activate(layer.activation, y, layer.outputs); break; } x = y; }
  if (network.residual && network.count > 0) { float* y = x == buffers[0] ? buffers[0] : buffers[1]; add(input, network.layers[network.count - 1].outputs, y); }
  return x; } }
namespace kernel {
struct Draw {
  Choice choice;
  const std::uint32_t* words = nullptr;
  std::int32_t label = 0;
  float uniform_at(std::size_t stretch) const noexcept { return to_uniform_float(words[2 * stretch]); }
  double position_at(std::size_t stretch) const noexcept { return to_position(words[2 * stretch + 1]); } };
struct IndependentHeads {
  Index widest = 0;
  template <class Weights>   constexpr Index room() const noexcept { return padded(widest, Weights::unit); }
  template <class Weights>   void draw(const Weights&, const Columns& columns, const Draw& draw, const float* outputs, std::int32_t* codes, float* room) const noexcept { for (std::size_t h = 0; h < columns.stretches; ++h) if (const Stretch& head = columns.layout[h]; draw.choice.draws && static_cast<Index>(h) == columns.label) codes[h] = draw.label; else if (head.categorical) codes[h] = choose(outputs + head.offset, room, head.width, draw.choice, draw.uniform_at(h)); }
  template <class Weights>   double score(const Weights&, const Columns& columns, const float* outputs, const std::int32_t* codes, const float* numbers, float* room) const noexcept { double error = 0; for (std::size_t h = 0; h < columns.stretches; ++h) { const Stretch& head = columns.layout[h]; if (head.categorical) { error += cross_entropy(outputs + head.offset, room, head.width, codes[h]); } else { const auto number = static_cast<double>(numbers[h]); const double difference = static_cast<double>(outputs[head.offset]) - number; error += std::isnan(number) ? 0.0 : difference * difference; } } return error; } };
struct Group {
  const std::int32_t* columns = nullptr;
  std::size_t count = 0;
  const std::int32_t* combinations = nullptr;
  std::int32_t width = 0;
  Index label = -1;
  const std::int32_t* combination(std::int32_t number) const noexcept { return combinations + static_cast<std::size_t>(number) * count; }
  template <class CodeAt>   std::int32_t find(const CodeAt& code_at) const noexcept { std::int32_t low = 0; std::int32_t high = width; while (low < high) { const std::int32_t middle = low + (high - low) / 2; std::size_t i = 0; while (i < count && combination(middle)[i] == code_at(i)) ++i; if (i == count) return middle; if (combination(middle)[i] < code_at(i)) low = middle + 1; else high = middle; } return -1; }
  void keep_label(std::int32_t wanted, const float* logits, float* room) const noexcept { for (std::int32_t k = 0; k < width; ++k) room[k] = combination(k)[label] == wanted ? logits[k] : std::numeric_limits<float>::lowest(); } };
struct JointHeads {
  const Group* groups = nullptr;
  std::size_t count = 0;
  Index widest = 0;
  template <class Weights>   constexpr Index room() const noexcept { return padded(widest, Weights::unit); }
  template <class Weights>   void draw(const Weights&, const Columns& columns, const Draw& draw, const float* outputs, std::int32_t* codes, float* room) const noexcept { for (std::size_t g = 0; g < count; ++g) { const Group& group = groups[g]; const bool keep = draw.choice.draws && columns.label >= 0 && group.label >= 0; if (keep) group.keep_label(draw.label, outputs, room); const std::int32_t* drawn = group.combination(choose(keep ? room : outputs, room, group.width, draw.choice, draw.uniform_at(static_cast<std::size_t>(group.columns[0])))); for (std::size_t i = 0; i < group.count; ++i) codes[group.columns[i]] = drawn[i]; if (keep) codes[group.columns[group.label]] = draw.label; outputs += group.width; } }
  template <class Weights>   double score(const Weights&, const Columns&, const float* outputs, const std::int32_t* codes, const float*, float* room) const noexcept { double error = 0; for (std::size_t g = 0; g < count; ++g) { const std::int32_t number = groups[g].find([&](std::size_t i) { return codes[groups[g].columns[i]]; }); if (number < 0) return std::numeric_limits<double>::infinity(); error += cross_entropy(outputs, room, groups[g].width, number); outputs += groups[g].width; } return error; } }; }
namespace kernel {
template <class Backend, class Choose> inline void each_position(Backend& backend, Index positions, const Choose& choose) {
  for (Index q = 0; q < positions; ++q) { backend.hidden(q); backend.gate(q); choose(q, backend.logits(q)); backend.contribute(q); } }
struct Position {
  std::size_t stretch = 0;
  Index codes = 0;
  Matrix gate;
  std::size_t gate_bias = 0;
  Matrix output;
  std::size_t output_bias = 0;
  Matrix later; };
struct AutoregressiveHeads {
  const Position* positions = nullptr;
  Index count = 0;
  Index width = 0;
  std::size_t bias = 0;
  const Matrix* latent = nullptr;
  Index latent_blocks = 0;
  Index widest = 0;
  template <class Weights>   constexpr Index room() const noexcept { return count * width + padded(count * width, Weights::unit) + 2 * padded(width, Weights::unit) + padded(widest, Weights::unit); }
  template <class Weights>   void draw(const Weights& weights, const Columns& columns, const Draw& draw, const float* outputs, std::int32_t* codes, float* room) const noexcept { Row<Weights> row(*this, weights, outputs, codes, room); each_position(row, count, [&](Index q, float* logits) { const auto h = positions[q].stretch; codes[h] = static_cast<Index>(h) == columns.label ? draw.label : choose(logits, logits, positions[q].codes, draw.choice, draw.uniform_at(h)); }); }
  template <class Weights>   double score(const Weights& weights, const Columns&, const float* outputs, const std::int32_t* codes, const float*, float* room) const noexcept { double error = 0; Row<Weights> row(*this, weights, outputs, codes, room); each_position(row, count, [&](Index q, float* logits) { error += cross_entropy(logits, logits, positions[q].codes, codes[positions[q].stretch]); }); return error; }
private:
  template <class Weights>   struct Row { Row(const AutoregressiveHeads& heads_, const Weights& weights_, const float* read_, const std::int32_t* codes_, float* room) noexcept : heads(heads_), weights(weights_), read(read_), codes(codes_), product_of_all(room), gates(room + padded(heads.count * heads.width, Weights::unit)), own_logits(gates + padded(heads.width, Weights::unit)), sums(own_logits + padded(heads.widest, Weights::unit)) { const auto start = weights.numbers(heads.bias); for (Index j = 0; j < heads.count * heads.width; ++j) sums[j] = start[j]; if (heads.latent_blocks == 1) product(weights, heads.latent[0], read, product_of_all); } void hidden(Index q) noexcept { float* h = sums + q * heads.width; for (Index block = 0; block < heads.latent_blocks; ++block) { if (heads.latent_blocks > 1) product(weights, heads.latent[block], read + block * depth_block, product_of_all); add(product_of_all + q * heads.width, heads.width, h); } for (Index j = 0; j < heads.width; ++j) h[j] = h[j] > 0 ? h[j] : 0.0F; } void gate(Index q) noexcept { const Position& position = heads.positions[q]; product(weights, position.gate, sums + q * heads.width, gates); add(weights.numbers(position.gate_bias), heads.width, gates); activate({ActivationKind::relu}, gates, heads.width); add(gates, heads.width, sums + q * heads.width); } float* logits(Index q) noexcept { const Position& position = heads.positions[q]; product(weights, position.output, sums + q * heads.width, own_logits); add(weights.numbers(position.output_bias), position.codes, own_logits); return own_logits; } void contribute(Index q) noexcept { const Position& position = heads.positions[q]; add(weights.row(position.later, codes[position.stretch]), position.later.columns, sums + (q + 1) * heads.width); } const AutoregressiveHeads& heads; const Weights& weights; const float* read; const std::int32_t* codes; float* product_of_all; float* gates; float* own_logits; float* sums; }; }; }
namespace kernel {
inline std::size_t draw_share(const double* shares, std::size_t count, double uniform) noexcept {
  std::size_t chosen = 0;
  for (; chosen + 1 < count && uniform >= shares[chosen]; ++chosen) uniform -= shares[chosen];
  return chosen; }
template <class Numbers> inline void shape_noise(const Numbers& mean, const Numbers& factor, Index width, float* x) noexcept {
  for (Index j = width; j-- > 0;) { const float drawn = x[j]; x[j] = mean[j] + factor[j * width + j] * drawn; for (Index i = j + 1; i < width; ++i) x[i] += factor[i * width + j] * drawn; } }
template <class Numbers> inline void scale_latent(const float* x, const Numbers& scale, const Numbers& offset, const Numbers& bound, bool bounded, Index width, float* latent) noexcept {
  std::copy_n(x, width, latent);
  if (bounded) { for (Index j = 0; j < width; ++j) latent[j] *= bound[j]; simd::transform(latent, latent, width, [](const simd::Vector<float>& v) { return simd::atanh(v); }); }
  for (Index j = 0; j < width; ++j) latent[j] = latent[j] * scale[j] + offset[j]; }
inline double infinite_if_lost(double error) noexcept {
  return std::isnan(error) ? std::numeric_limits<double>::infinity() : error; }
template <class Weights> struct Model {
  Weights weights;
  Columns columns;
  Choice choice;
  Index noise = 0;
  Index labels = 0;
  const double* label_shares = nullptr;
  Index components = 0;
  const double* component_shares = nullptr;
  std::size_t component_means = 0;
  std::size_t component_factors = 0;
  Index latent = 0;
  std::size_t latent_scale = 0;
  std::size_t latent_offset = 0;
  std::size_t latent_bound = 0;
  bool bounded = false;
  Network generator;
  Network decoder;
  Network encoder; };
struct Buffers {
  float* input = nullptr;
  float* networks[2] = {};
  float* latent = nullptr;
  float* room = nullptr;
  std::uint32_t* words = nullptr;
  std::int32_t* codes = nullptr; };
inline std::size_t draw_label(const double* shares, std::size_t labels, std::uint64_t seed, std::uint64_t index) noexcept {
  return draw_share(shares, labels, RandomStream(seed, Purpose::label).uniform(index)); }
template <class Weights, class Heads, class Set> inline void sample_row(const Model<Weights>& model, const Heads& heads, std::uint64_t seed, std::uint64_t index, std::size_t label, const Buffers& buffers, const Set& set) noexcept {
  const auto blocks = static_cast<std::uint64_t>((model.noise + 3) / 4);
  fill_normal(RandomStream(seed, Purpose::sample_noise), index * blocks, buffers.input, model.noise);
  if (model.components > 0) { const auto parts = static_cast<std::size_t>(model.components); const auto width = static_cast<std::size_t>(model.noise); const std::size_t k = draw_share(model.component_shares + label * parts, parts, RandomStream(seed, Purpose::sample_component).uniform(index)); shape_noise(model.weights.numbers(model.component_means + k * width), model.weights.numbers(model.component_factors + k * width * width), model.noise, buffers.input); }
  for (Index i = 0; i < model.labels; ++i) buffers.input[model.noise + i] = i == static_cast<Index>(label) ? 1.0F : 0.0F;
  const float* made = run(model.weights, model.generator, buffers.input, buffers.networks);
  scale_latent(made, model.weights.numbers(model.latent_scale), model.weights.numbers(model.latent_offset), model.weights.numbers(model.latent_bound), model.bounded, model.latent, buffers.latent);
  const auto words = static_cast<std::uint64_t>(model.columns.word_blocks());
  fill_bits(RandomStream(seed, Purpose::sample_decode), index * words, static_cast<Index>(words), buffers.words);
  const float* outputs = run(model.weights, model.decoder, buffers.latent, buffers.networks);
  const Draw draw{model.choice, buffers.words, static_cast<std::int32_t>(label)};
  heads.draw(model.weights, model.columns, draw, outputs, buffers.codes, buffers.room);
  each_cell( model.columns, buffers.codes, [&](std::size_t h) { return outputs[model.columns.layout[h].offset]; }, [&](std::size_t h) { return draw.position_at(h); }, set); }
template <class Weights, class Heads, class NumberOf, class CategoryOf> inline double score_row(const Model<Weights>& model, const Heads& heads, const NumberOf& number_of, const CategoryOf& category_of, const Buffers& buffers) noexcept {
  const Columns& columns = model.columns;
  if (!encode_row(columns, number_of, category_of, buffers.codes, buffers.input)) return std::numeric_limits<double>::quiet_NaN();
  const Layer& first = model.encoder.layers[0];
  float* y = buffers.networks[0];
  const auto bias = model.weights.numbers(first.bias);
  for (Index j = 0; j < first.outputs; ++j) y[j] = bias[j];
  for (std::size_t h = 0; h < columns.stretches; ++h) if (columns.layout[h].categorical) add(model.weights.row(first.matrix, columns.layout[h].offset + buffers.codes[h]), first.outputs, y);
  for (std::size_t h = 0; h < columns.stretches; ++h) { const float number = buffers.input[h]; if (columns.layout[h].categorical || std::isnan(number)) continue; const auto row = model.weights.row(first.matrix, columns.layout[h].offset); for (Index j = 0; j < first.outputs; ++j) y[j] += number * row[j]; }
  activate(first.activation, y, first.outputs);
  const float* latent = run(model.weights, {model.encoder.layers + 1, model.encoder.count - 1}, y, buffers.networks);
  const float* outputs = run(model.weights, model.decoder, latent, buffers.networks);
  const double error = heads.score(model.weights, columns, outputs, buffers.codes, buffers.input, buffers.room);
  return infinite_if_lost(error) + excess(columns, number_of); } }
)cpp";
// clang-format on

} // namespace detail
ROWSMITH_END
