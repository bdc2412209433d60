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
      k::product(k::FloatWeights{values.data()}, matrix, x.data(), y.data());
      CHECK(as_expected(0));
      const auto scale = static_cast<float>(std::sqrt(static_cast<double>(depth)));
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
      of_bytes(k::ByteWeights<k::Int8>{}, rs::WeightFormat::i8, 0.1F * scale);
    }
}
