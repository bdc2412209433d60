// SPDX-License-Identifier: MIT
#include <rowsmith/kernel/network.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

#include <catch2/catch.hpp>

#include <rowsmith/core/random.hpp>
#include <rowsmith/deploy/header_data.hpp>
#include <rowsmith/deploy/packed_model.hpp>
#include <rowsmith/linalg/gemm.hpp>

namespace rs = rowsmith;
namespace k = rowsmith::kernel;
using rs::Index;

TEST_CASE("a row's product has the bits of the batch's, from floats and from bytes", "[kernel]") {
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  for (const Index depth : {1, 7, 256, 600})
    for (const Index columns : {1, 4, 15, 16, 17, 60, 128, 131, 300}) {
      std::vector<float> x(static_cast<std::size_t>(depth));
      std::vector<float> weight(static_cast<std::size_t>(depth * columns));
      for (auto* values : {&x, &weight})
        for (float& value : *values)
          value = static_cast<float>(random.normal());
      std::vector<float> expected(static_cast<std::size_t>(columns));
      rs::GemmWorkspace<float> workspace;
      rs::gemm(1, columns, depth, rs::as_is<float>(x.data(), depth), rs::as_is<float>(weight.data(), columns),
               expected.data(), false, workspace);
      std::vector<float> y(static_cast<std::size_t>(k::padded(columns, 64)));
      const auto as_expected = [&](float tolerance) {
        for (std::size_t j = 0; j < expected.size(); ++j)
          if (!(std::abs(y[j] - expected[j]) <= tolerance))
            return false;
        return true;
      };
      const std::array<float, 3> lead{1, 2, 3};
      rs::detail::FloatStore store;
      store.numbers(lead.data(), 3); // so that the matrix does not begin at 0
      const auto matrix = store.panels(depth, columns, rs::as_is<float>(weight.data(), columns));
      const auto values = store.take();
      k::product(values.view(), matrix, x.data(), y.data());
      CHECK(as_expected(0));
      const auto scale = static_cast<float>(std::sqrt(static_cast<double>(depth)));
      rs::detail::HalfStore half_store;
      half_store.rows(1, 3, lead.data());
      const auto of_halves = half_store.panels(depth, columns, rs::as_is<float>(weight.data(), columns));
      const auto halves = half_store.take();
      std::fill(y.begin(), y.end(), 0.0F);
      k::product(halves.view(), of_halves, x.data(), y.data());
      const auto by_halves = y;
      CHECK(as_expected(4e-3F * scale));
      const auto of_bytes = [&](auto weights, rs::WeightFormat format, float tolerance) {
        rs::detail::HeaderData data(format);
        data.panels(1, 3, rs::as_is<float>(lead.data(), 3));
        const auto in_bytes = data.panels(depth, columns, rs::as_is<float>(weight.data(), columns));
        weights.weights = data.weight_bytes().data();
        weights.floats = data.number_bytes().data();
        std::fill(y.begin(), y.end(), 0.0F);
        k::product(weights, in_bytes, x.data(), y.data());
        CAPTURE(depth, columns, static_cast<int>(format));
        CHECK(as_expected(tolerance));
      };
      of_bytes(k::ByteWeights<k::Float32>{}, rs::WeightFormat::f32, 0);
      of_bytes(k::ByteWeights<k::Float16>{}, rs::WeightFormat::f16, 4e-3F * scale);
      CHECK(std::equal(by_halves.begin(), by_halves.begin() + columns, y.begin()));
      of_bytes(k::ByteWeights<k::Int8>{}, rs::WeightFormat::i8, 0.1F * scale);
    }
}

TEST_CASE("every half is the float that IEEE 754 says", "[kernel]") {
  std::vector<std::uint16_t> halves(static_cast<std::size_t>(rs::simd::lanes<float>));
  for (std::uint32_t sign = 0; sign < 2; ++sign)
    for (std::uint32_t exponent = 0; exponent < 31; ++exponent) // 31: infinite or no number, never stored
      for (std::uint32_t mantissa = 0; mantissa < 1024; ++mantissa) {
        const auto half = static_cast<std::uint16_t>(sign << 15U | exponent << 10U | mantissa);
        const double fraction = mantissa / 1024.0;
        const double magnitude = exponent == 0 ? std::ldexp(fraction, -14)
                                               : std::ldexp(1 + fraction, static_cast<int>(exponent) - 15);
        const auto expected = static_cast<float>(sign == 0 ? magnitude : -magnitude);
        std::fill(halves.begin(), halves.end(), half);
        const auto* bytes = reinterpret_cast<const char*>(halves.data());
        const float one = k::Float16::one(bytes);
        const auto vector = k::Float16::vector(bytes);
        float last = 0;
        std::memcpy(&last, reinterpret_cast<const char*>(&vector) + sizeof vector - sizeof last, sizeof last);
        if (one != expected || last != expected || std::signbit(one) != (sign == 1) ||
            rs::detail::to_half(one, "") != half)
          FAIL("half " << half << " is " << one << " and " << last << ", not " << expected);
      }
  SUCCEED();
}
