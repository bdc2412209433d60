// SPDX-License-Identifier: MIT
#include <rowsmith/autodiff/ops/autoregressive.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "../check_op.hpp"

namespace rs = rowsmith;
using rs::Index;
using test::Doubles;
using Variables = std::vector<test::DoubleVariable>;
using Catch::Matchers::Contains;

namespace {
/// Columns A of 2 codes; B of one point and 3 bins, whose second code is one of 2 parts or the bin's atom; D
/// of one point and 4 bins without parts. The encoder numbers them A, B, its second code, D from 0, 2, 6 and
/// 9; the order is B, its second code, D, A.
struct Small {
  std::array<Index, 5> prefix{0, 4, 7, 12, 14};
  std::array<std::int32_t, 4> order{1, 2, 3, 0};
  std::array<std::int32_t, 4> shift{-2, -2, -2, 12};
  std::array<double, 4> weights{1, 0.5, 2, 0.75};
  std::array<rs::AutoregressivePosition, 4> positions{
      rs::AutoregressivePosition{.first_smooth = 1,
                                 .smooth = 3,
                                 .bumps = 2,
                                 .bump = 0,
                                 .height = 0,
                                 .line = 0,
                                 .lines = 1,
                                 .score = 0},
      {.parent = 0,
       .pair = 0,
       .bin = 0,
       .first_bin = 1,
       .bins = 3,
       .place = 0,
       .knot = 0,
       .first_smooth = 0,
       .smooth = 2,
       .bumps = 1,
       .bump = 2,
       .height = 6},
      {.bin = 2, .first_bin = 1, .bins = 4, .place = 9, .knot = 4, .line = 1, .lines = 5},
      {.line = 6, .lines = 1, .score = 4}};
  std::array<float, 13> places{0.25F, 0.75F, 0.1F, 0.25F, 0.75F, 0.9F, 0.25F,
                               0.75F, 0.5F,  0.5F, 0.5F,  0.5F,  0.5F};
  std::array<float, 8> heights{0.9F, 0.1F, 0.5F, 0.6F, 0.1F, 0.8F, 0.7F, -0.3F};
  // The linear path: B has one line, D one for each of its 5 codes, A one.
  std::array<float, 6> scores{-1.5F, -0.5F, 0.25F, 1.25F, -0.75F, 1.5F};
  std::array<float, 49> linear{0, 0.3F, -0.8F, 0.2F, 0.6F, -0.4F, 0.7F,  // B tells D and A
                               0, 0,    0,     0,    0,    0,     0.5F,  // each code of D tells A
                               0, 0,    0,     0,    0,    0,     -0.9F, //
                               0, 0,    0,     0,    0,    0,     0.1F,  //
                               0, 0,    0,     0,    0,    0,     -0.2F, //
                               0, 0,    0,     0,    0,    0,     1.1F};
  // Row by row A, B, second, D: a bin with each kind of second code, and a point.
  std::array<std::int32_t, 20> codes{0, 3, 6, 9, 1, 5, 7, 11, 1, 2, 6, 13, 0, 4, 8, 12, 1, 3, 8, 10};
  Index width = 5;
  Index latent = 2;
  Index rows_of_it = 5;

  rs::AutoregressiveShape shape() const {
    return {.columns = 4,
            .width = width,
            .latent = latent,
            .prefix = prefix.data(),
            .order = order.data(),
            .shift = shift.data(),
            .weights = weights.data(),
            .positions = positions.data(),
            .places = places.data(),
            .heights = heights.data(),
            .knots = 9,
            .pairs = 12,
            .bumps = 3,
            .lines = 7,
            .gains = 7,
            .scores = scores.data(),
            .linear = linear.data()};
  }
  rs::MixedRows<double> rows() const { return {.rows = 5, .code_columns = 4, .codes = codes.data()}; }
  /// The latent code, then the weights as `AutoregressiveWeights` names them.
  std::vector<Doubles> inputs() const {
    std::vector<Doubles> result{test::random_matrix(5, latent, 1)};
    const rs::AutoregressiveWeights<int> sizes;
    sizes.each(shape(), [&](const char*, int, Index rows, Index columns) {
      result.push_back(test::random_matrix(rows, columns, static_cast<unsigned>(result.size() + 1)));
    });
    return result;
  }
};
rs::AutoregressiveWeights<test::DoubleVariable> parts(const Variables& v) {
  return {v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11], v[12]};
}

/// The definition, one row and one column at a time.
double by_hand(const Small& small, const std::vector<Doubles>& x, double weight) {
  double total = 0;
  const Doubles& embedding = x[1];
  const Doubles& knots = x[2];
  for (Index r = 0; r < 5; ++r) {
    const auto* row = small.codes.data() + 4 * r; // A, B, second, D
    // What each position tells later ones.
    std::array<Eigen::VectorXd, 4> told;
    told[0] = embedding.row(row[1] - 2);
    told[1] = embedding.row(row[2] - 2);
    const int bin = row[1] - 2 - 1;
    if (bin >= 0) {
      const double place = static_cast<double>(small.places[static_cast<std::size_t>(3 * bin + row[2] - 6)]);
      told[1] += (1 - place) * knots.row(bin).transpose() + place * knots.row(bin + 1).transpose();
    }
    told[2] = embedding.row(row[3] - 2);
    if (row[3] > 9) // the middle of the bin
      told[2] += 0.5 * (knots.row(4 + row[3] - 10) + knots.row(5 + row[3] - 10)).transpose();
    Eigen::VectorXd c = Eigen::VectorXd::Zero(small.width);
    for (Index q = 0; q < 4; ++q) {
      const auto i = static_cast<std::size_t>(q);
      Eigen::VectorXd h = x[3].row(q).transpose().cwiseProduct(c) + x[5].row(q).transpose();
      h += x[4].middleRows(q * small.latent, small.latent).transpose() * x[0].row(r).transpose();
      h = h.cwiseMax(0);
      const Eigen::VectorXd g =
          (x[6].middleRows(q * small.width, small.width).transpose() * h + x[7].row(q).transpose())
              .cwiseMax(0);
      const Index first = small.prefix[i];
      const Index count = small.prefix[i + 1] - first;
      Doubles output = x[8].middleRows(first, count);
      const auto height = [&small](Index k) {
        return static_cast<double>(small.heights[static_cast<std::size_t>(k)]);
      };
      if (q == 0)
        for (Index k = 0; k < 3; ++k)
          output.row(1 + k) += height(2 * k) * x[11].row(0) + height(2 * k + 1) * x[11].row(1);
      if (q == 1)
        for (Index k = 0; k < 2; ++k)
          output.row(k) += height(6 + k) * x[11].row(2);
      Eigen::VectorXd logits = output * (h + g) + x[9].middleCols(first, count).transpose();
      if (q == 1)
        logits += x[10].middleCols(3 * (row[1] - 2), 3).transpose();
      const auto score = [&small](std::size_t at) { return static_cast<double>(small.scores[at]); };
      const auto linear = [&small](Index from, Index to) {
        return static_cast<double>(small.linear[static_cast<std::size_t>(7 * from + to)]);
      };
      const double of_b = score(static_cast<std::size_t>(row[1] - 2));
      if (q == 2)
        for (Index k = 0; k < 5; ++k)
          logits(k) += x[12](0, 1 + k) * of_b * linear(0, 1 + k);
      if (q == 3)
        for (Index k = 0; k < 2; ++k)
          logits(k) += x[12](0, 6) * score(static_cast<std::size_t>(4 + k)) *
                       (of_b * linear(0, 6) + linear(1 + row[3] - 9, 6));
      const Index code = row[small.order[i]] + small.shift[i] - first;
      total += small.weights[i] * (std::log(logits.array().exp().sum()) - logits(code));
      if (q < 3)
        c += told[i];
    }
  }
  return weight * total;
}
} // namespace

TEST_CASE("autoregressive_loss: the definition, and gradients in the latent code and all weights",
          "[autodiff]") {
  const Small small;
  const auto shape = small.shape();
  const auto inputs = small.inputs();
  rs::Tape<double> tape;
  Variables constants;
  for (const auto& input : inputs)
    constants.push_back(tape.constant(input));
  CHECK(rs::autoregressive_loss(constants[0], parts(constants), shape, small.rows(), 0.25).item() ==
        Approx(by_hand(small, inputs, 0.25)).epsilon(1e-9));
  test::check_op(inputs, [&](test::DoubleTape&, const Variables& v) {
    return rs::autoregressive_loss(v[0], parts(v), shape, small.rows(), 0.25);
  });
}

TEST_CASE("autoregressive_loss: a column does not see itself or later ones", "[autodiff]") {
  Small small;
  const auto shape = small.shape();
  const auto inputs = small.inputs();
  const auto parts_of_loss = [&] {
    rs::Tape<double> tape;
    Variables v;
    for (const auto& input : inputs)
      v.push_back(tape.constant(input));
    std::array<double, 4> each{};
    rs::autoregressive_loss(v[0], parts(v), shape, small.rows(), 1, {}, each.data());
    return each;
  };
  const auto before = parts_of_loss();
  small.codes[0] = 1; // A stands last in the order
  const auto after = parts_of_loss();
  CHECK(after[0] == before[0]);
  CHECK(after[1] == before[1]);
  CHECK(after[2] == before[2]);
  CHECK(after[3] != before[3]);
  small.codes[1] = 4; // B stands first
  const auto moved = parts_of_loss();
  CHECK(moved[1] != after[1]);
  CHECK(moved[2] != after[2]);
}

TEST_CASE("autoregressive_loss: dropped units are scaled so that their mean stays", "[autodiff]") {
  // With one unit at each place the loss is that of the units kept; what is kept is divided by its share.
  const Small small;
  const auto shape = small.shape();
  const auto inputs = small.inputs();
  const auto loss = [&](double rate, std::uint32_t step) {
    rs::Tape<double> tape;
    Variables v;
    for (const auto& input : inputs)
      v.push_back(tape.constant(input));
    return rs::autoregressive_loss(
               v[0], parts(v), shape, small.rows(), 1,
               {.rate = rate, .stream = rs::RandomStream(1, rs::Purpose::dropout, step), .first_row = 0})
        .item();
  };
  CHECK(loss(0, 0) == loss(0, 1));
  CHECK(loss(0.5, 0) == loss(0.5, 0));
  CHECK(loss(0.5, 0) != loss(0.5, 1));
  // The gradient of what was dropped, too.
  test::check_op(inputs, [&](test::DoubleTape&, const Variables& v) {
    return rs::autoregressive_loss(
        v[0], parts(v), shape, small.rows(), 0.25,
        {.rate = 0.5, .stream = rs::RandomStream(1, rs::Purpose::dropout), .first_row = 3});
  });
}

TEST_CASE("bump_heights: bumps of length 1, one after the other", "[autodiff]") {
  const Index count = 64;
  const Index bumps = 12;
  const auto heights = rs::bump_heights(count, bumps);
  REQUIRE(heights.size() == static_cast<std::size_t>(count * bumps));
  Index before = -1;
  for (Index m = 0; m < bumps; ++m) {
    double square = 0;
    Index top = 0;
    for (Index k = 0; k < count; ++k) {
      const auto height = static_cast<double>(heights[static_cast<std::size_t>(k * bumps + m)]);
      square += height * height;
      if (height > static_cast<double>(heights[static_cast<std::size_t>(top * bumps + m)]))
        top = k;
    }
    CHECK(square == Approx(1).epsilon(1e-5));
    CHECK(top > before);
    before = top;
  }
}

TEST_CASE("autoregressive_loss refuses what does not fit", "[autodiff]") {
  Small small;
  const auto shape = small.shape();
  rs::Tape<double> tape;
  Variables v;
  for (const auto& input : small.inputs())
    v.push_back(tape.constant(input));
  auto wrong = v;
  wrong[1] = v[2];
  CHECK_THROWS_WITH(rs::autoregressive_loss(v[0], parts(wrong), shape, small.rows(), 1),
                    Contains("embedding") && Contains("14 x 5"));
  small.codes[4] = 2;
  CHECK_THROWS_WITH(rs::autoregressive_loss(v[0], parts(v), shape, small.rows(), 1),
                    Contains("row 1, position 3") && Contains("code 2 of 2"));
  auto numbers = small.rows();
  numbers.number_columns = 1;
  CHECK_THROWS_WITH(rs::autoregressive_loss(v[0], parts(v), shape, numbers, 1), Contains("1 numbers"));
}
