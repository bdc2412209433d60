// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <string>
#include <type_traits>
#include <vector>

#include <rowsmith/autodiff/gradient_check.hpp>
#include <rowsmith/autodiff/ops/elementwise.hpp>
#include <rowsmith/autodiff/ops/loss.hpp>
#include <rowsmith/autodiff/ops/reduce.hpp>
#include <rowsmith/nn/sequential.hpp>

#include "../support/low_rank.hpp"

namespace rs = rowsmith;

namespace {
using Net = rs::Sequential<rs::Dense<8>, rs::ReLU, rs::LayerNorm, rs::Dense<6>, rs::LeakyReLU, rs::Dropout,
                           rs::Dense<3>, rs::Tanh>;

struct Trained {
  Net net;
  rs::ParameterLayout layout;
  rs::AlignedBuffer<float> values;
  Trained() {
    net.configure(5, layout, "net");
    values = layout.initialise<float>(3);
  }
};

// y = x squared, as a layer of one's own.
struct SquareLayer {
  rs::Index configure(rs::Index inputs, rs::ParameterLayout& layout, const std::string& name) {
    scale = layout.add(name + ".scale", 1, inputs, rs::Initialiser::ones);
    return inputs;
  }
  template <class Scalar>
  rs::Variable<Scalar> forward(const rs::BoundParameters<Scalar>& parameters, const rs::Variable<Scalar>& x,
                               const rs::Pass&, std::uint32_t) const {
    (void)parameters[scale];
    return rs::multiply(x, x);
  }
  rs::ParameterBlock scale;
};

// The same with an inference form that leaves it out.
struct DroppedLayer : SquareLayer {
  void append_to(rs::InferenceNetwork&, const float*, rs::Index) const {}
};

// One that would fit if its gain stayed as it starts.
struct GainDropped : rs::LayerNorm {
  void append_to(rs::InferenceNetwork& network, const float* values, rs::Index inputs) const {
    std::vector<float> plain(values, values + bias.offset + inputs);
    std::fill_n(plain.data() + gain.offset, inputs, 1.0F);
    rs::LayerNorm::append_to(network, plain.data(), inputs);
  }
};
} // namespace

TEST_CASE("widths chain from layer to layer", "[nn]") {
  rs::ParameterLayout layout;
  Net net;
  CHECK(net.configure(5, layout, "net") == 3);
  REQUIRE(layout.entries().size() == 8);
  CHECK(layout.entries()[0].name == "net.0.weight");
  CHECK(layout.entries()[0].block.rows == 5);
  CHECK(layout.entries()[0].block.columns == 8);
  CHECK(layout.entries()[6].block.rows == 6);
  CHECK(layout.entries()[6].block.columns == 3);
  for (const auto& entry : layout.entries())
    CHECK(entry.block.offset % 16 == 0);
}

TEST_CASE("the network without a tape gives what the tape gives", "[nn]") {
  const Trained t;
  const rs::Matrix<float> x = rs::Matrix<float>::Random(37, 5);
  rs::Tape<float> tape;
  const rs::BoundParameters<float> parameters(tape, t.values.data(), nullptr);
  const auto y = t.net.forward(parameters, tape.constant(x.data(), 37, 5), rs::Pass{});
  rs::InferenceNetwork network;
  t.net.append_to(network, t.values.data(), 5);
  CHECK(network.inputs() == 5);
  CHECK(network.outputs() == 3);
  rs::InferenceScratch scratch;
  const float* result = network.run(x.data(), 37, scratch);
  for (rs::Index i = 0; i < y.size(); ++i)
    CHECK(result[i] == y.data()[i]);

  SECTION("and a row alone has the same bits as in a batch") {
    const std::vector<float> all(result, result + 37 * 3);
    for (rs::Index r = 0; r < 37; ++r) {
      const float* one = network.run(x.data() + r * 5, 1, scratch);
      for (rs::Index j = 0; j < 3; ++j)
        CHECK(one[j] == all[static_cast<std::size_t>(r * 3 + j)]);
    }
  }
}

TEST_CASE("a chain's gradients agree with finite differences", "[nn]") {
  rs::ParameterLayout layout;
  Net net;
  net.configure(5, layout, "net");
  const auto values = layout.initialise<double>(4);
  rs::Matrix<double> flat(1, layout.size());
  std::copy(values.begin(), values.end(), flat.data());
  const rs::Matrix<double> x = rs::Matrix<double>::Random(6, 5);
  const rs::Matrix<double> target = rs::Matrix<double>::Random(6, 3);
  // The blocks are gathered from one flat variable, so that the check covers where each of them lies.
  std::vector<rs::Matrix<double>> blocks;
  for (const auto& entry : layout.entries())
    blocks.push_back(Eigen::Map<const rs::Matrix<double>>(values.data() + entry.block.offset,
                                                          entry.block.rows, entry.block.columns));
  std::vector<double> storage(static_cast<std::size_t>(layout.size()));
  std::vector<double> gradients(storage.size());
  const auto loss_of = [&](bool differentiate) {
    rs::Tape<double> tape;
    const rs::BoundParameters<double> parameters(tape, storage.data(), gradients.data());
    const auto y = net.forward(parameters, tape.constant(x.data(), 6, 5),
                               rs::Pass{.training = true, .seed = 1, .step = 2});
    const auto loss = rs::squared_error(y, target.data(), 1.0 / 6);
    if (differentiate)
      tape.backward(loss);
    return loss.item();
  };
  storage.assign(values.begin(), values.end());
  loss_of(true);
  const auto analytic = gradients;
  for (const auto& entry : layout.entries())
    for (rs::Index k = 0; k < entry.block.rows * entry.block.columns; ++k) {
      double& w = storage[static_cast<std::size_t>(entry.block.offset + k)];
      const double kept = w;
      w = kept + 1e-6;
      const double above = loss_of(false);
      w = kept - 1e-6;
      const double below = loss_of(false);
      w = kept;
      INFO(entry.name << " element " << k);
      CHECK(analytic[static_cast<std::size_t>(entry.block.offset + k)] ==
            Approx((above - below) / 2e-6).margin(1e-7));
    }
}

TEST_CASE("dropout is active in training only, and differs from step to step", "[nn]") {
  rs::Sequential<rs::Dropout> net;
  rs::ParameterLayout layout;
  net.configure(64, layout, "net");
  rs::Tape<float> tape;
  const rs::BoundParameters<float> parameters(tape, nullptr, nullptr);
  const rs::Matrix<float> ones = rs::Matrix<float>::Ones(50, 64);
  const auto run = [&](bool training, std::uint32_t step) {
    return rs::Matrix<float>(net.forward(parameters, tape.constant(ones.data(), 50, 64),
                                         rs::Pass{.training = training, .step = step})
                                 .value());
  };
  CHECK(run(false, 0) == ones);
  const auto first = run(true, 0);
  CHECK(first == run(true, 0));
  CHECK(first != run(true, 1));
  CHECK(first.mean() == Approx(1).margin(0.06)); // 3200 draws of 0 or 2: standard error .018
  for (rs::Index i = 0; i < first.size(); ++i)
    CHECK((first.data()[i] == 0 || first.data()[i] == 2));
}

TEST_CASE("layers of one's own fit in", "[nn]") {
  static_assert(rs::Layer<SquareLayer> && !rs::DeployableLayer<SquareLayer>);
  static_assert(rs::DeployableLayer<LowRank<2, 4>>);
  static_assert(rs::Layer<rs::SpectralDense<4>> && !rs::DeployableLayer<rs::SpectralDense<4>>);
  static_assert(!rs::Layer<int>);
  rs::Sequential<rs::Dense<2>, SquareLayer, rs::Dense<1>> net;
  rs::ParameterLayout layout;
  CHECK(net.configure(3, layout, "net") == 1);
  const auto values = layout.initialise<float>(1);
  rs::Tape<float> tape;
  const rs::BoundParameters<float> parameters(tape, values.data(), nullptr);
  const rs::Matrix<float> x = rs::Matrix<float>::Random(4, 3);
  const rs::Matrix<float> mirrored = -x;
  const auto run = [&](const rs::Matrix<float>& in) {
    return rs::Matrix<float>(net.forward(parameters, tape.constant(in.data(), 4, 3), rs::Pass{}).value());
  };
  CHECK(run(x).isApprox(run(mirrored), 1e-6F)); // biases start at 0, so the square makes it even
}

TEST_CASE("a layer whose inference form computes something else is refused before any training", "[nn]") {
  rs::ParameterLayout layout;
  rs::Sequential<rs::Dense<4>, rs::Tanh, DroppedLayer> dropped;
  CHECK_THROWS_WITH(dropped.configure(3, layout, "decoder"),
                    Catch::Contains("'decoder.2'") && Catch::Contains("append_to"));
  rs::Sequential<rs::Dense<4>, GainDropped> gain;
  CHECK_THROWS_WITH(gain.configure(3, layout, "decoder"), Catch::Contains("'decoder.1'"));
  rs::Sequential<rs::LayerNorm, rs::Dropout, LowRank<2, 5>, rs::LayerNorm> fine;
  CHECK(fine.configure(3, layout, "decoder") == 5);
}

TEST_CASE("the documentation's own layer is the tested one", "[nn]") {
  const auto text = [](const std::string& path) {
    std::ifstream in(std::string(ROWSMITH_SOURCE_DIR) + path);
    return std::string{std::istreambuf_iterator<char>(in), {}};
  };
  const auto source = text("/tests/support/low_rank.hpp");
  REQUIRE(source.find("template <rs::Index Rank") != std::string::npos);
  CHECK(text("/docs/extending.md").find(source.substr(source.find("template <rs::Index Rank"))) !=
        std::string::npos);
}

TEST_CASE("copies of a model are independent values", "[nn]") {
  Trained original;
  Trained copy = original;
  copy.values[0] += 1;
  rs::InferenceNetwork a;
  rs::InferenceNetwork b;
  original.net.append_to(a, original.values.data(), 5);
  copy.net.append_to(b, copy.values.data(), 5);
  rs::InferenceNetwork moved = std::move(a);
  const std::vector<float> x{1, 0, 0, 0, 0};
  rs::InferenceScratch scratch;
  const std::vector<float> left(moved.run(x.data(), 1, scratch), moved.run(x.data(), 1, scratch) + 3);
  const std::vector<float> right(b.run(x.data(), 1, scratch), b.run(x.data(), 1, scratch) + 3);
  CHECK(left.size() == right.size());
  CHECK(moved.layers()[0].weight[0] != b.layers()[0].weight[0]);
}

TEST_CASE("initialisers have the promised spread", "[nn]") {
  rs::ParameterLayout layout;
  const auto he = layout.add("he", 200, 300, rs::Initialiser::he_normal);
  const auto xavier = layout.add("xavier", 200, 300, rs::Initialiser::xavier_uniform);
  const auto values = layout.initialise<double>(9);
  const auto spread = [&](const rs::ParameterBlock& block) {
    double sum = 0;
    for (rs::Index k = 0; k < block.rows * block.columns; ++k)
      sum += values[static_cast<std::size_t>(block.offset + k)] *
             values[static_cast<std::size_t>(block.offset + k)];
    return std::sqrt(sum / static_cast<double>(block.rows * block.columns));
  };
  CHECK(spread(he) == Approx(std::sqrt(2.0 / 200)).epsilon(0.02));
  CHECK(spread(xavier) == Approx(std::sqrt(6.0 / 500) / std::sqrt(3.0)).epsilon(0.02));
  CHECK(layout.initialise<double>(9)[0] == values[0]);
  CHECK(layout.initialise<double>(10)[0] != values[0]);
}

TEST_CASE("a chain's gradient by its input, and the gradient of a penalty on it", "[nn]") {
  using Chain =
      rs::Sequential<rs::SpectralDense<5>, rs::LeakyReLU, rs::Dropout, rs::Dense<4>, rs::ReLU, rs::Dense<1>>;
  Chain chain;
  rs::ParameterLayout layout;
  chain.configure(3, layout, "d");
  auto weights = layout.initialise<double>(7);
  auto state = layout.initialise_state<double>(7);
  chain.prepare(weights.data(), state.data(), 5);
  const rs::Pass pass{.training = true, .seed = 3, .step = 1};
  rs::Matrix<double> x(6, 3);
  rs::RandomSequence random(rs::RandomStream(3, rs::Purpose::user));
  for (rs::Index i = 0; i < x.size(); ++i)
    x.data()[i] = random.normal();
  const auto output = [&](const rs::Matrix<double>& input) {
    rs::Tape<double> tape;
    return rs::sum(chain.forward(rs::BoundParameters<double>(tape, weights.data(), nullptr, state.data()),
                                 tape.constant(input), pass))
        .item();
  };
  // By the input.
  {
    rs::Tape<double> tape;
    const auto both = chain.forward_with_gradient(
        rs::BoundParameters<double>(tape, weights.data(), nullptr, state.data()), tape.constant(x), pass);
    CHECK(rs::sum(both.output).item() == Approx(output(x)));
    for (rs::Index i = 0; i < x.size(); ++i) {
      auto up = x;
      auto down = x;
      up.data()[i] += 1e-6;
      down.data()[i] -= 1e-6;
      CHECK(both.gradient.data()[i] == Approx((output(up) - output(down)) / 2e-6).margin(1e-6));
    }
  }
  // Of Σ |gradient|² by every weight.
  const auto penalty = [&](double* gradients) {
    rs::Tape<double> tape;
    const rs::BoundParameters<double> parameters(tape, weights.data(), gradients, state.data());
    const auto both = chain.forward_with_gradient(parameters, tape.constant(x), pass);
    const auto loss = rs::add(rs::sum(rs::square(both.gradient)), rs::sum(both.output));
    if (gradients != nullptr)
      tape.backward(loss);
    return loss.item();
  };
  rs::AlignedBuffer<double> gradients(weights.size());
  penalty(gradients.data());
  for (const auto& entry : layout.entries()) {
    for (rs::Index i = entry.block.offset; i < entry.block.offset + entry.block.rows * entry.block.columns;
         ++i) {
      double& weight = weights[static_cast<std::size_t>(i)];
      const double keep = weight;
      weight = keep + 1e-6;
      const double up = penalty(nullptr);
      weight = keep - 1e-6;
      const double down = penalty(nullptr);
      weight = keep;
      CAPTURE(entry.name, i);
      CHECK(gradients[static_cast<std::size_t>(i)] == Approx((up - down) / 2e-6).margin(2e-5));
    }
  }
}

TEST_CASE("the state of a spectral layer lies apart from its weights", "[nn]") {
  rs::Sequential<rs::SpectralDense<4>, rs::ReLU, rs::SpectralDense<1>> chain;
  rs::ParameterLayout layout;
  chain.configure(3, layout, "d");
  CHECK(layout.entries().size() == 4); // two weights, two biases
  CHECK(layout.state_size() == 4 * 16);
  const auto weights = layout.initialise<float>(1);
  rs::Tape<float> tape;
  const rs::Matrix<float> x = rs::Matrix<float>::Ones(2, 3);
  CHECK_THROWS_WITH(chain.forward(rs::BoundParameters<float>(tape, weights.data(), nullptr),
                                  tape.constant(x.data(), 2, 3), rs::Pass{}),
                    Catch::Contains("state"));
}
