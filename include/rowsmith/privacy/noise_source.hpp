// SPDX-License-Identifier: MIT
/// \file
/// Randomness that an attacker cannot take away again: ChaCha20 under a key that the operating system makes
/// and nobody keeps.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <numbers>

#include <unistd.h>
#if defined(__APPLE__)
#include <sys/random.h>
#endif

#include <rowsmith/core/errors.hpp>

ROWSMITH_BEGIN
namespace detail {

/// One block of ChaCha20 (RFC 8439, section 2.3). \param out  16 words
inline void chacha20_block(const std::array<std::uint32_t, 8>& key, std::uint32_t counter,
                           const std::array<std::uint32_t, 3>& nonce, std::uint32_t* out) noexcept {
  std::uint32_t start[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, key[0], key[1],
                             key[2],     key[3],     key[4],     key[5],     key[6], key[7],
                             counter,    nonce[0],   nonce[1],   nonce[2]};
  std::uint32_t x[16];
  for (int i = 0; i < 16; ++i)
    x[i] = start[i];
  const auto quarter = [&x](int a, int b, int c, int d) {
    x[a] += x[b];
    x[d] = std::rotl(x[d] ^ x[a], 16);
    x[c] += x[d];
    x[b] = std::rotl(x[b] ^ x[c], 12);
    x[a] += x[b];
    x[d] = std::rotl(x[d] ^ x[a], 8);
    x[c] += x[d];
    x[b] = std::rotl(x[b] ^ x[c], 7);
  };
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 4; ++i)
      quarter(i, 4 + i, 8 + i, 12 + i);
    for (int i = 0; i < 4; ++i)
      quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
  }
  for (int i = 0; i < 16; ++i)
    out[i] = x[i] + start[i];
}

} // namespace detail

/// What noise is drawn for: streams of one source that share nothing.
enum class NoisePurpose : std::uint32_t { counts = 1, batches, gradients, choice, latent };

/// Random bits, uniform and normal numbers for what privacy rests on. Its key is never shown. A block is a
/// function of (key, purpose, major, block), so that threads draw what one alone would.
class NoiseSource {
public:
  /// A fresh key. \throws Error if the system gives no random bytes
  NoiseSource() {
    if (getentropy(key_.data(), sizeof(key_)) != 0)
      throw Error("privacy: the operating system gives no random bytes");
  }
  /// With a key that is known: for tests. What it makes is no noise to anybody who knows the key.
  explicit NoiseSource(const std::array<std::uint32_t, 8>& known_key) noexcept
      : key_(known_key), known_(true) {}
  bool known() const noexcept { return known_; }

  /// 16 words of 32 bits.
  std::array<std::uint32_t, 16> block(NoisePurpose purpose, std::uint64_t major,
                                      std::uint32_t number) const noexcept {
    std::array<std::uint32_t, 16> words;
    detail::chacha20_block(key_, number,
                           {static_cast<std::uint32_t>(purpose), static_cast<std::uint32_t>(major),
                            static_cast<std::uint32_t>(major >> 32U)},
                           words.data());
    return words;
  }

  /// How many normal numbers a block makes.
  static constexpr std::size_t normals_of_a_block = 4;
  /// Standard normal numbers, `normals_of_a_block` of them: each the sum of two by Box & Muller (1958), on 53
  /// bits, so that pairs do not lie on the circles of one (Holohan & Braghin, "Secure random sampling in
  /// differential privacy", ESORICS 2021).
  void normals(NoisePurpose purpose, std::uint64_t major, std::uint32_t number, double* to) const noexcept {
    const auto words = block(purpose, major, number);
    const auto uniform = [&words](std::size_t i) { // (0, 1]
      const std::uint64_t bits = (std::uint64_t{words[2 * i]} << 32U | words[2 * i + 1]) >> 11U;
      return (static_cast<double>(bits) + 1) * 0x1p-53;
    };
    double all[8];
    for (std::size_t i = 0; i < 4; ++i) {
      const double radius = std::sqrt(-2 * std::log(uniform(2 * i)));
      const double angle = 2 * std::numbers::pi * uniform(2 * i + 1);
      all[i] = radius * std::cos(angle);
      all[4 + i] = radius * std::sin(angle);
    }
    for (std::size_t i = 0; i < 4; ++i) // of two different pairs each
      to[i] = (all[i] + all[4 + (i + 1) % 4]) / std::numbers::sqrt2;
  }
  /// A seed for noise that nobody is to know, such as that of latent codes in training.
  std::uint64_t secret_seed(std::uint64_t step) const noexcept {
    const auto words = block(NoisePurpose::latent, step, 0);
    return std::uint64_t{words[0]} << 32U | words[1];
  }

private:
  std::array<std::uint32_t, 8> key_{};
  bool known_ = false;
};

ROWSMITH_END
