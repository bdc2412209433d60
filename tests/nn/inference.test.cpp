// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include <rowsmith/nn/inference.hpp>

namespace rs = rowsmith;

namespace {
rs::InferenceLayer dense(rs::Index inputs, rs::Index outputs, const std::vector<float>& weight,
                         const std::vector<float>& bias) {
  rs::InferenceLayer layer;
  layer.inputs = inputs;
  layer.outputs = outputs;
  layer.weight.resize(weight.size());
  layer.bias.resize(bias.size());
  std::copy(weight.begin(), weight.end(), layer.weight.begin());
  std::copy(bias.begin(), bias.end(), layer.bias.begin());
  return layer;
}
rs::InferenceLayer activation(rs::Index width, rs::ActivationKind kind) {
  rs::InferenceLayer layer;
  layer.kind = rs::InferenceLayer::Kind::activation;
  layer.inputs = layer.outputs = width;
  layer.activation.kind = kind;
  return layer;
}
} // namespace

TEST_CASE("a network computes what its layers say", "[nn]") {
  rs::InferenceNetwork network;
  network.add(dense(2, 2, {1, 2, 3, 4}, {0.5F, -20}));
  network.add(activation(2, rs::ActivationKind::relu)); // fused to the product
  network.add(activation(2, rs::ActivationKind::tanh)); // on its own
  CHECK(network.layers().size() == 2);
  rs::InferenceScratch scratch;
  const std::vector<float> x{1, 1, 0, -1};
  const float* y = network.run(x.data(), 2, scratch);
  CHECK(y[0] == Approx(std::tanh(4.5)));
  CHECK(y[1] == 0);
  CHECK(y[2] == 0);
  CHECK(y[3] == 0);
}

TEST_CASE("a layer normalisation gives rows of mean 0 and variance 1", "[nn]") {
  auto layer = dense(4, 4, {1, 1, 1, 1}, {0, 0, 0, 0});
  layer.kind = rs::InferenceLayer::Kind::layer_norm;
  rs::InferenceNetwork network;
  network.add(std::move(layer));
  rs::InferenceScratch scratch;
  const std::vector<float> x{1, 2, 3, 6};
  const float* y = network.run(x.data(), 1, scratch);
  CHECK(y[0] + y[1] + y[2] + y[3] == Approx(0).margin(1e-5));
  CHECK(y[0] * y[0] + y[1] * y[1] + y[2] * y[2] + y[3] * y[3] == Approx(4).epsilon(1e-4));
}

TEST_CASE("encoded rows are gathered as one-hot rows would be multiplied", "[nn]") {
  rs::InferenceNetwork network;
  network.add(dense(4, 2, {1, 2, 3, 4, 5, 6, 7, 8}, {10, 20}));
  // Columns: codes 0 and 1 of a category, then a number, then code 0 of another category.
  const std::vector<std::int32_t> codes{1, 3, 0, 3};
  const std::vector<float> numbers{2, -1};
  const std::vector<std::int32_t> number_weights{2};
  const rs::MixedRows<float> rows{.rows = 2,
                                  .code_columns = 2,
                                  .number_columns = 1,
                                  .codes = codes.data(),
                                  .numbers = numbers.data(),
                                  .number_weights = number_weights.data()};
  const std::vector<float> one_hot{0, 1, 2, 1, 1, 0, -1, 1};
  rs::InferenceScratch scratch;
  const float* dense_result = network.run(one_hot.data(), 2, scratch);
  const std::vector<float> expected(dense_result, dense_result + 4);
  const float* y = network.run(rows, scratch);
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(y[i] == expected[i]);
}

TEST_CASE("layers that do not follow from each other are refused", "[nn]") {
  rs::InferenceNetwork network;
  network.add(dense(2, 3, std::vector<float>(6), std::vector<float>(3)));
  CHECK_THROWS_AS(network.add(dense(2, 1, std::vector<float>(2), std::vector<float>(1))), rs::ShapeError);
  CHECK_THROWS_AS(network.add(dense(3, 1, std::vector<float>(2), std::vector<float>(1))), rs::ShapeError);
  CHECK_THROWS_AS(network.add(dense(3, 1, std::vector<float>(3), std::vector<float>(2))), rs::ShapeError);
  CHECK(network.outputs() == 3);
}
