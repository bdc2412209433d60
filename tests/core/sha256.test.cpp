// SPDX-License-Identifier: MIT
// Messages and sums: NIST, "Descriptions of SHA-256" examples and the SHA-256 short and long message vectors.
#include <rowsmith/core/sha256.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

namespace rs = rowsmith;

namespace {
std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }
std::string hex_of(std::string_view text) { return rs::to_hex(rs::sha256(bytes_of(text))); }
} // namespace

TEST_CASE("sha256 of the published messages", "[core][sha256]") {
  CHECK(hex_of("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(hex_of(
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrs"
            "mnopqrstnopqrstu") == "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
  CHECK(hex_of(std::string(1'000'000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("sha256 does not depend on how the message is cut", "[core][sha256]") {
  std::string message;
  for (int i = 0; i < 300; ++i)
    message += static_cast<char>(i * 7 + 3);
  // Lengths around a block's end, where the padding takes a block of its own.
  for (const std::size_t length : {std::size_t{55}, std::size_t{56}, std::size_t{63}, std::size_t{64},
                                   std::size_t{65}, std::size_t{119}, std::size_t{300}}) {
    const auto whole = bytes_of(message).first(length);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{64}, std::size_t{100}}) {
      rs::Sha256 sum;
      for (std::size_t from = 0; from < length; from += piece)
        sum.update(whole.subspan(from, std::min(piece, length - from)));
      CHECK(sum.digest() == rs::sha256(whole));
    }
  }
}

TEST_CASE("a sha256 sum can be read and then continued", "[core][sha256]") {
  rs::Sha256 sum;
  sum.update(bytes_of("a"));
  static_cast<void>(sum.digest());
  rs::Sha256 copy = sum;
  sum.update(bytes_of("bc"));
  CHECK(rs::to_hex(sum.digest()) == hex_of("abc"));
  CHECK(rs::to_hex(copy.digest()) == hex_of("a"));
}
