// SPDX-License-Identifier: MIT
/// \file
/// SHA-256 (FIPS 180-4), for checksums of files.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN

/// The 32 bytes of a SHA-256 sum, first byte first.
using Sha256Digest = std::array<std::byte, 32>;

/// The SHA-256 sum of bytes that arrive piece by piece. A value type: a copy goes on alone.
class Sha256 {
public:
  /// Appends `bytes` to the message. How a message is cut into pieces does not change its sum.
  void update(std::span<const std::byte> bytes) noexcept {
    length_ += bytes.size();
    while (!bytes.empty()) {
      const std::size_t taken = std::min(bytes.size(), block_.size() - filled_);
      std::copy_n(bytes.begin(), taken, block_.begin() + static_cast<std::ptrdiff_t>(filled_));
      filled_ += taken;
      bytes = bytes.subspan(taken);
      if (filled_ == block_.size()) {
        compress();
        filled_ = 0;
      }
    }
  }

  /// The sum of all bytes so far; more may be appended afterwards.
  Sha256Digest digest() const noexcept {
    Sha256 ended = *this;
    ended.end_message();
    Sha256Digest result{};
    for (std::size_t i = 0; i < result.size(); ++i)
      result[i] = static_cast<std::byte>(ended.state_[i / 4] >> (24U - 8U * (i % 4)));
    return result;
  }

private:
  // FIPS 180-4, 5.1.1: a one bit, zeros, and the length in bits as the last 8 bytes of a block.
  void end_message() noexcept {
    const std::uint64_t bits = length_ * 8U;
    constexpr std::array<std::byte, 1> one{std::byte{0x80}};
    constexpr std::array<std::byte, 1> zero{};
    update(one);
    while (filled_ != block_.size() - 8)
      update(zero);
    std::array<std::byte, 8> length{};
    for (std::size_t i = 0; i < length.size(); ++i)
      length[i] = static_cast<std::byte>(bits >> (56U - 8U * i));
    update(length);
  }

  // FIPS 180-4, 6.2.2.
  void compress() noexcept {
    std::array<std::uint32_t, 64> w{};
    for (std::size_t t = 0; t < 64; ++t)
      w[t] = t < 16 ? word(t) : small_sigma1(w[t - 2]) + w[t - 7] + small_sigma0(w[t - 15]) + w[t - 16];
    auto [a, b, c, d, e, f, g, h] = state_;
    for (std::size_t t = 0; t < 64; ++t) {
      const std::uint32_t choice = (e & f) ^ (~e & g);
      const std::uint32_t majority = (a & b) ^ (a & c) ^ (b & c);
      const std::uint32_t first = h + big_sigma1(e) + choice + round_constants[t] + w[t];
      const std::uint32_t second = big_sigma0(a) + majority;
      h = g;
      g = f;
      f = e;
      e = d + first;
      d = c;
      c = b;
      b = a;
      a = first + second;
    }
    const std::array<std::uint32_t, 8> step{a, b, c, d, e, f, g, h};
    for (std::size_t i = 0; i < state_.size(); ++i)
      state_[i] += step[i];
  }

  std::uint32_t word(std::size_t t) const noexcept {
    std::uint32_t result = 0;
    for (std::size_t i = 4 * t; i < 4 * t + 4; ++i)
      result = (result << 8U) | std::to_integer<std::uint32_t>(block_[i]);
    return result;
  }
  static std::uint32_t big_sigma0(std::uint32_t x) noexcept {
    return std::rotr(x, 2) ^ std::rotr(x, 13) ^ std::rotr(x, 22);
  }
  static std::uint32_t big_sigma1(std::uint32_t x) noexcept {
    return std::rotr(x, 6) ^ std::rotr(x, 11) ^ std::rotr(x, 25);
  }
  static std::uint32_t small_sigma0(std::uint32_t x) noexcept {
    return std::rotr(x, 7) ^ std::rotr(x, 18) ^ (x >> 3U);
  }
  static std::uint32_t small_sigma1(std::uint32_t x) noexcept {
    return std::rotr(x, 17) ^ std::rotr(x, 19) ^ (x >> 10U);
  }

  // FIPS 180-4, 4.2.2.
  static constexpr std::array<std::uint32_t, 64> round_constants{
      0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
      0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
      0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
      0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
      0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
      0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
      0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
      0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

  // FIPS 180-4, 5.3.3.
  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::byte, 64> block_{};
  std::size_t filled_ = 0;
  std::uint64_t length_ = 0;
};

/// The SHA-256 sum of `bytes`.
inline Sha256Digest sha256(std::span<const std::byte> bytes) noexcept {
  Sha256 sum;
  sum.update(bytes);
  return sum.digest();
}

/// A sum as 64 lower-case hexadecimal digits.
inline std::string to_hex(const Sha256Digest& digest) {
  constexpr const char* digits = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : digest) {
    text += digits[std::to_integer<unsigned>(byte) >> 4U];
    text += digits[std::to_integer<unsigned>(byte) & 15U];
  }
  return text;
}

ROWSMITH_END
