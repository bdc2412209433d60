// SPDX-License-Identifier: MIT
#include <rowsmith/models/linear_path.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <rowsmith/models/autoencoder.hpp>
#include <rowsmith/models/autoregressive_heads.hpp>

namespace rs = rowsmith;
using rs::Index;

namespace {
using Linear = rs::Autoencoder<rs::Dense<6>, rs::ReLU, rs::Latent<3>, rs::AutoregressiveHeads<8>>;
constexpr std::size_t numbers_of_hidden = 10;

/// Ten numbers, a choice of four and one of two that follow a hidden number. \param strength  0: they do not
rs::Table of_hidden(std::size_t rows, double strength, std::uint32_t part = 0) {
  rs::RandomSequence random(rs::RandomStream(31, rs::Purpose::user, part));
  std::vector<rs::Column> columns;
  for (std::size_t c = 0; c < numbers_of_hidden; ++c)
    columns.push_back(rs::Column::numerical("n" + std::to_string(c), {}, 6));
  auto choice = rs::Column::categorical("choice");
  auto yes = rs::Column::categorical("yes");
  for (const char* text : {"a", "b", "c", "d"})
    choice.dictionary.insert(text);
  yes.dictionary.insert("no");
  yes.dictionary.insert("yes");
  for (std::size_t r = 0; r < rows; ++r) {
    const double hidden = strength * random.normal();
    for (std::size_t c = 0; c < numbers_of_hidden; ++c)
      columns[c].values.push_back((c % 2 == 0 ? hidden : -hidden) + random.normal());
    const double place = hidden + 0.5 * random.normal();
    choice.codes.push_back(place < -0.7 ? 2 : place < 0 ? 0 : place < 0.7 ? 3 : 1); // in no order
    yes.codes.push_back(hidden + random.normal() > 0 ? 1 : 0);
  }
  columns.push_back(choice);
  columns.push_back(yes);
  return rs::Table(std::move(columns));
}

/// What untrained heads, but for their free part, think of rows: mean log-probability.
double likelihood(const rs::TableEncoder& encoder, const rs::EncodedTable& fitted,
                  const rs::EncodedTable& rows, std::span<const std::uint32_t> learnt = {}) {
  const Linear autoencoder(encoder, true, 1, {&fitted, learnt});
  auto weights = autoencoder.initialise<float>(3);
  auto heads = autoencoder.heads_network(weights.data());
  std::fill_n(heads.weights.output_weight.data(), heads.weights.output_weight.size(), 0.0F);
  const auto count = static_cast<Index>(rows.rows());
  std::vector<std::int32_t> codes;
  for (std::size_t r = 0; r < rows.rows(); ++r)
    for (std::size_t h = 0; h < encoder.layout().size(); ++h)
      codes.push_back(rows.code(r, h));
  const std::vector<float> read(rows.rows() * 3);
  std::vector<double> scores(rows.rows());
  rs::InferenceScratch scratch;
  heads.score({}, read.data(), count, codes.data(), nullptr, scores.data(), scratch);
  double sum = 0;
  for (const double score : scores)
    sum -= score;
  return sum / static_cast<double>(count);
}
Index lines(const rs::TableEncoder& encoder, const rs::EncodedTable& rows,
            std::span<const std::uint32_t> learnt = {}) {
  const Linear autoencoder(encoder, true, 1, {&rows, learnt});
  return autoencoder.heads_network(autoencoder.initialise<float>(3).data()).shape().lines;
}
} // namespace

TEST_CASE("heads begin with what linear prediction knows of columns that move together", "[models]") {
  const auto table = of_hidden(500, 1.5);
  const auto encoder = rs::TableEncoder::fit(table);
  const auto rows = encoder.encode(table);
  CHECK(lines(encoder, rows) == static_cast<Index>(numbers_of_hidden) + 4 + 1);
  const auto unseen = encoder.encode(of_hidden(4000, 1.5, 1));
  // Margins are those of the same rows, each column in an order of its own.
  auto shuffled = rs::Table(table).into_columns();
  for (std::size_t c = 0; c < shuffled.size(); ++c) {
    std::rotate(shuffled[c].values.begin(),
                shuffled[c].values.begin() +
                    static_cast<std::ptrdiff_t>(c * 41 % (shuffled[c].values.size() + 1)),
                shuffled[c].values.end());
    std::rotate(shuffled[c].codes.begin(),
                shuffled[c].codes.begin() +
                    static_cast<std::ptrdiff_t>(c * 41 % (shuffled[c].codes.size() + 1)),
                shuffled[c].codes.end());
  }
  const auto independent = encoder.encode(rs::Table(std::move(shuffled)));
  REQUIRE(lines(encoder, independent) == 0);
  const double gain = likelihood(encoder, rows, unseen) - likelihood(encoder, independent, unseen);
  // The ten numbers alone tell this much of each other: half the logarithm of 1 + 10 · 2.25 less 10 times
  // that of 1 + 2.25, by the determinant of their correlations. The choices add to it; bins cost some.
  const double of_numbers = (10 * std::log(1 + 2.25) - std::log(1 + 10 * 2.25)) / 2;
  CHECK(gain > of_numbers);
  CHECK(gain < of_numbers + 2);
}

TEST_CASE("no linear path without relations, or where rows are many", "[models]") {
  const auto alone = of_hidden(500, 0);
  const auto encoder = rs::TableEncoder::fit(alone);
  CHECK(lines(encoder, encoder.encode(alone)) == 0);
  const auto many = of_hidden(12 * 50, 1.5); // 50 rows for each of its columns
  const auto of_many = rs::TableEncoder::fit(many);
  const auto rows = of_many.encode(many);
  CHECK(lines(of_many, rows) == 0);
  // Rows that are kept apart do not count.
  std::vector<std::uint32_t> learnt;
  for (std::uint32_t r = 0; r + 1 < 12 * 50; ++r)
    learnt.push_back(r);
  CHECK(lines(of_many, rows, learnt) > 0);
}

TEST_CASE(
    "a linear path of hundreds of columns with few common factors knows learnt rows no better than others",
    "[models]") {
  // Three hidden numbers, and 150 columns of as much noise: as many correlations as there are cells in 75
  // rows.
  const auto make = [](std::size_t rows, std::uint32_t part) {
    rs::RandomSequence fixed(rs::RandomStream(33, rs::Purpose::user));
    rs::RandomSequence random(rs::RandomStream(34, rs::Purpose::user, part));
    std::vector<rs::Column> columns;
    std::vector<std::array<double, 3>> weights(150);
    for (std::size_t c = 0; c < weights.size(); ++c) {
      columns.push_back(c % 4 == 0 ? rs::Column::categorical("c" + std::to_string(c))
                                   : rs::Column::numerical("n" + std::to_string(c), {}, 6));
      for (double& weight : weights[c])
        weight = fixed.normal() / std::sqrt(3.0);
    }
    for (std::size_t r = 0; r < rows; ++r) {
      const std::array<double, 3> hidden{random.normal(), random.normal(), random.normal()};
      for (std::size_t c = 0; c < weights.size(); ++c) {
        const double value =
            std::inner_product(hidden.begin(), hidden.end(), weights[c].begin(), 0.0) + random.normal();
        if (c % 4 == 0)
          columns[c].codes.push_back(columns[c].dictionary.insert(
              std::to_string(std::clamp(static_cast<int>(std::lround(value)), -2, 2))));
        else
          columns[c].values.push_back(value);
      }
    }
    return rs::Table(std::move(columns));
  };
  const auto table = make(1000, 0);
  const auto encoder = rs::TableEncoder::fit(table);
  const auto learnt = encoder.encode(table);
  const auto others = encoder.encode(make(1000, 1));
  REQUIRE(lines(encoder, learnt) == 112 + 5 * 38);
  // What the path knows of learnt rows beyond the margins, and of others.
  auto alone = rs::Table(table).into_columns();
  for (std::size_t c = 0; c < alone.size(); ++c)
    if (c % 4 == 0)
      std::rotate(alone[c].codes.begin(), alone[c].codes.begin() + static_cast<std::ptrdiff_t>(1 + c * 6),
                  alone[c].codes.end());
    else
      std::rotate(alone[c].values.begin(), alone[c].values.begin() + static_cast<std::ptrdiff_t>(1 + c * 6),
                  alone[c].values.end());
  const auto independent = encoder.encode(rs::Table(std::move(alone)));
  REQUIRE(lines(encoder, independent) == 0);
  const double of_learnt = likelihood(encoder, learnt, learnt) - likelihood(encoder, independent, learnt);
  const double of_others = likelihood(encoder, learnt, others) - likelihood(encoder, independent, others);
  CHECK(of_others > 30);
  // 150 columns follow three factors: some 450 numbers learnt of 1,000 rows, half a nat a row for each
  // thousand of them and that twice; all 11,175 correlations would make eleven.
  CHECK(of_learnt - of_others < 2);
}

TEST_CASE("many columns that have nothing to do with each other have no linear path", "[models]") {
  rs::RandomSequence random(rs::RandomStream(32, rs::Purpose::user));
  std::vector<rs::Column> columns;
  for (int c = 0; c < 300; ++c) {
    columns.push_back(rs::Column::numerical("n" + std::to_string(c), {}, 6));
    for (int r = 0; r < 200; ++r)
      columns.back().values.push_back(random.normal());
  }
  const rs::Table table(std::move(columns));
  const auto encoder = rs::TableEncoder::fit(table);
  CHECK(lines(encoder, encoder.encode(table)) == 0);
}

TEST_CASE("what only rows apart have is improbable by the linear path, not impossible", "[models]") {
  auto columns = of_hidden(330, 1.5).into_columns();
  for (const char* name : {"rare", "rarer"}) {
    auto rare = rs::Column::categorical(name);
    rare.dictionary.insert("no");
    rare.dictionary.insert("yes");
    rare.dictionary.insert("maybe");
    for (std::int32_t r = 0; r < 330; ++r)
      rare.codes.push_back(r < 300 ? r % 2 : 2);
    columns.push_back(rare);
    auto constant = rs::Column::categorical(std::string("constant ") + name);
    constant.dictionary.insert("a");
    constant.dictionary.insert("b");
    for (std::int32_t r = 0; r < 330; ++r)
      constant.codes.push_back(r < 300 ? 0 : 1);
    columns.push_back(constant);
  }
  const rs::Table table(std::move(columns));
  const auto encoder = rs::TableEncoder::fit(table);
  const auto rows = encoder.encode(table);
  std::vector<std::uint32_t> learnt(300);
  std::iota(learnt.begin(), learnt.end(), 0U);
  std::vector<std::size_t> apart(30);
  std::iota(apart.begin(), apart.end(), std::size_t{300});
  CHECK(lines(encoder, rows, learnt) > 0);
  // Four cells of a row have codes of half a row in 300: 6.4 nats each beside what its other cells cost.
  const auto strange = encoder.encode(table.select(apart));
  std::vector<std::size_t> first(30);
  std::iota(first.begin(), first.end(), std::size_t{0});
  const auto usual = encoder.encode(table.select(first));
  const double worse = likelihood(encoder, rows, usual, learnt) - likelihood(encoder, rows, strange, learnt);
  CHECK(worse > 15);
  CHECK(worse < 35);
}

TEST_CASE("how often a cell is missing does not hang on a linear prediction of its value", "[models]") {
  auto columns = of_hidden(500, 1.5).into_columns();
  for (std::size_t r = 0; r < 500; r += 5)
    columns[3].values[r] = std::nan("");
  const rs::Table table(std::move(columns));
  const auto encoder = rs::TableEncoder::fit(table);
  const auto rows = encoder.encode(table);
  const Linear autoencoder(encoder, true, 1, {&rows});
  auto weights = autoencoder.initialise<float>(3);
  auto heads = autoencoder.heads_network(weights.data());
  REQUIRE(heads.shape().lines > 0);
  std::fill_n(heads.weights.output_weight.data(), heads.weights.output_weight.size(), 0.0F);
  std::vector<std::int32_t> codes;
  for (std::size_t r = 0; r < 500; ++r)
    for (std::size_t h = 0; h < encoder.layout().size(); ++h)
      codes.push_back(rows.code(r, h));
  const auto numbered = heads.number_through(codes.data(), 500);
  const std::vector<float> read(1500);
  rs::InferenceScratch scratch;
  bool found = false;
  heads.each_position(read.data(), 500, numbered.data(), scratch, [&](Index q, float* logits, Index width) {
    const auto& stretch = encoder.layout()[static_cast<std::size_t>(heads.shape().order[q])];
    if (encoder.codecs()[stretch.column].name != "n3" || stretch.fine)
      return;
    found = true;
    double least = 1;
    double most = 0;
    std::vector<float> room(static_cast<std::size_t>(width));
    for (Index r = 0; r < 500; ++r) {
      const double missing =
          std::exp(-rs::kernel::cross_entropy(logits + r * width, room.data(), width, width - 1));
      least = std::min(least, missing);
      most = std::max(most, missing);
    }
    CHECK(least == Approx(0.2).epsilon(0.05));
    CHECK(most == Approx(0.2).epsilon(0.05));
  });
  CHECK(found);
}

TEST_CASE("an order refuses a linear path that is none of it", "[models]") {
  const auto encoder = rs::TableEncoder::fit(of_hidden(500, 1.5));
  const auto order = rs::automatic_order(encoder); // the choice of two, that of four, numbers
  const auto with = [&](std::vector<std::int32_t> columns, std::size_t scores, std::size_t weights) {
    return rs::AutoregressiveOrder(
        encoder, order, 1, {},
        {std::move(columns), std::vector<float>(scores, 1.0F), std::vector<float>(weights, 1.0F)});
  };
  const auto choice = static_cast<std::int32_t>(order[1]);
  const auto two = static_cast<std::int32_t>(order[0]);
  CHECK_NOTHROW(with({two, choice}, 2, 25));
  CHECK_THROWS_AS(with({choice, two}, 2, 25), rs::ShapeError); // not in the order
  CHECK_THROWS_AS(with({two, two}, 4, 4), rs::ShapeError);
  CHECK_THROWS_AS(with({two, 99}, 2, 25), rs::ShapeError);
  CHECK_THROWS_AS(with({two, choice}, 3, 25), rs::ShapeError);
  CHECK_THROWS_AS(with({two, choice}, 2, 24), rs::ShapeError);
}
