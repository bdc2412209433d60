// SPDX-License-Identifier: MIT
#include <rowsmith/models/tree_heads.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch.hpp>

#include <rowsmith/deploy/sampler.hpp>
#include <rowsmith/models/likelihood.hpp>

#include "../deploy/small_parts.hpp"
#include "../support/csv_text.hpp"

namespace rs = rowsmith;
using Catch::Matchers::Contains;

namespace {

// Few columns of few codes, so that every row can be counted: b follows a, and c the latent code.
rs::Table four_columns() {
  auto a = rs::Column::categorical("a");
  auto b = rs::Column::categorical("b");
  auto c = rs::Column::numerical("c", {}, 0);
  rs::RandomSequence random(rs::RandomStream(2, rs::Purpose::user));
  for (int i = 0; i < 400; ++i) {
    const auto k = random.below(3);
    a.codes.push_back(a.dictionary.insert(std::string(1, static_cast<char>('x' + k))));
    b.codes.push_back(
        b.dictionary.insert(random.below(5) == 0 ? "other" : std::string(1, static_cast<char>('x' + k))));
    c.values.push_back(random.below(4));
  }
  return rs::Table({a, b, c});
}

using Plain = rs::Autoencoder<rs::Dense<6>, rs::ReLU, rs::Latent<3>, rs::AutoregressiveHeads<8>>;
using Generator = rs::Generator<rs::Noise<4>, rs::Dense<3>, rs::Tanh>;

rs::TableModelParts model(double share) {
  auto parts =
      small::parts<Plain, Generator>(rs::TableEncoder::fit(four_columns()), false, 3, four_columns());
  small::add_trees(parts, share, four_columns());
  return parts;
}
const rs::TreeNetwork& trees_of(const rs::TableModelParts& parts) {
  const auto* mixed = std::get_if<rs::MixedNetwork>(&parts.heads);
  return mixed != nullptr ? mixed->trees : std::get<rs::TreeNetwork>(parts.heads);
}

} // namespace

TEST_CASE("rows are drawn with the probability that trees and mixed heads give them", "[models]") {
  for (const double share : {1.0, 0.6}) {
    CAPTURE(share);
    const rs::TableModel made(model(share));
    const auto& encoder = made.encoder();
    const auto& layout = encoder.layout();
    constexpr rs::Index rows = 100'000;
    std::vector<float> latents;
    for (rs::Index r = 0; r < rows; ++r)
      latents.insert(latents.end(), {0.3F, 1.1F, -0.4F});
    auto columns = encoder.empty_columns(static_cast<std::size_t>(rows));
    rs::InferenceScratch scratch;
    made.decode(5, 0, latents.data(), rows, {}, columns, 0, scratch);
    const auto drawn = encoder.encode(rs::Table(std::move(columns)));
    REQUIRE(layout.size() == 3);
    const auto sizes = std::vector<std::int32_t>{layout[0].width, layout[1].width, layout[2].width};
    std::vector<double> counts(static_cast<std::size_t>(sizes[0] * sizes[1] * sizes[2]));
    const auto cell = [&](std::int32_t i, std::int32_t j, std::int32_t k) {
      return static_cast<std::size_t>((i * sizes[1] + j) * sizes[2] + k);
    };
    for (std::size_t r = 0; r < static_cast<std::size_t>(rows); ++r)
      ++counts[cell(drawn.code(r, 0), drawn.code(r, 1), drawn.code(r, 2))];
    double all = 0;
    double chi_square = 0;
    int cells = 0;
    for (std::int32_t i = 0; i < sizes[0]; ++i)
      for (std::int32_t j = 0; j < sizes[1]; ++j)
        for (std::int32_t k = 0; k < sizes[2]; ++k) {
          const std::int32_t codes[] = {i, j, k};
          double error = 0;
          std::visit(
              [&](const auto& heads) {
                heads.score(made.columns(), latents.data(), 1, codes, nullptr, &error, scratch);
              },
              made.heads());
          const double probability = std::exp(-error);
          const double expected = probability * static_cast<double>(rows);
          all += probability;
          if (expected < 10)
            continue;
          const double difference = counts[cell(i, j, k)] - expected;
          chi_square += difference * difference / expected;
          ++cells;
        }
    CHECK(all == Approx(1).epsilon(1e-5));
    REQUIRE(cells > 20);
    CHECK(chi_square < cells + 5 * std::sqrt(2.0 * cells));
  }
}

TEST_CASE("trees read the columns before and the latent code", "[models]") {
  const rs::TableModel made(model(1));
  const auto& trees = trees_of(made.parts());
  const auto view = trees.view();
  // The first column of the order follows the latent code's second number: its code is that much larger.
  std::vector<std::int32_t> codes{0, 0, 0};
  const auto probability = [&](float second, std::int32_t code) {
    codes[trees.columns[0].stretch] = code;
    const float latent[] = {0, second, 0};
    return view.probability(0, latent, codes.data());
  };
  CHECK(probability(-2, 0) > 0.6);
  CHECK(probability(4, 0) < 0.2);
  double sum = 0;
  for (std::int32_t code = 0; code < 3; ++code)
    sum += probability(0.5F, code);
  CHECK(sum == Approx(1).epsilon(1e-6));
}

TEST_CASE("where no tree reads the latent code, rows and likelihoods do not depend on it", "[models]") {
  for (const bool tells : {true, false}) {
    CAPTURE(tells);
    auto parts = model(1);
    small::add_trees(parts, 1, four_columns(), tells ? 1 : 0);
    auto elsewhere = parts; // its generator makes other codes
    for (auto& offset : elsewhere.latent_offset)
      offset += 3;
    const rs::TableModel made(parts);
    const rs::TableModel other(elsewhere);
    CHECK(rs::reads_latent(made.heads()) == tells);
    CHECK((csv_of(made.sample(300, {.seed = 4})) == csv_of(other.sample(300, {.seed = 4}))) != tells);
    const rs::SampleOptions some{.seed = 4, .conditions = {rs::where("a").is("x")}};
    CHECK((csv_of(made.sample(100, some)) == csv_of(other.sample(100, some))) != tells);
    // Single rows are made with the code, whether it is read or not.
    CHECK(csv_of(rs::Sampler(made).sample_rows(300, {.seed = 4})) == csv_of(made.sample(300, {.seed = 4})));
    const auto likelihood = rs::log_likelihood(made, four_columns(), {.samples = 16});
    CHECK(likelihood.samples == (tells ? 16U : 1U));
    CHECK((likelihood.latent_nats > 0.01) == tells);
    CHECK((likelihood.rows == rs::log_likelihood(other, four_columns(), {.samples = 16}).rows) != tells);
    if (!tells) { // the product of what each column's trees say
      const auto codes = made.encoder().encode(four_columns());
      const std::int32_t row[] = {codes.code(7, 0), codes.code(7, 1), codes.code(7, 2)};
      const float latent[] = {0.5F, -1, 2};
      double error = 0;
      rs::InferenceScratch scratch;
      trees_of(made.parts()).score(made.columns(), latent, 1, row, nullptr, &error, scratch);
      CHECK(likelihood.rows[7] == Approx(-error));
    }
  }
}

TEST_CASE("a share of 0 leaves a column to the network, bit for bit", "[models]") {
  auto parts = model(0.5);
  auto& mixed = std::get<rs::MixedNetwork>(parts.heads);
  auto alone = parts;
  alone.heads = mixed.neural;
  mixed.shares.assign(mixed.shares.size(), 0.0);
  const auto a = rs::TableModel(parts).sample(300, {.seed = 4});
  const auto b = rs::TableModel(alone).sample(300, {.seed = 4});
  CHECK(csv_of(a) == csv_of(b));
}

TEST_CASE("trees behind a decoder are refused: they read the latent code itself", "[models]") {
  using Decoder = rs::Generator<rs::Noise<3>, rs::Dense<3>, rs::Tanh>;
  auto parts = model(1);
  const Decoder decoder(0);
  parts.decoder_network = decoder.network(decoder.layout().initialise<float>(4).data());
  REQUIRE(parts.latent_width() == 3);
  CHECK_THROWS_WITH(rs::TableModel(parts), Contains("trees, which read the latent code itself"));
}

TEST_CASE("tree heads whose words lead astray are refused", "[models]") {
  const auto fine = model(1);
  REQUIRE_NOTHROW(rs::TableModel(fine));
  const auto refused = [&](auto&& change) {
    auto parts = fine;
    change(std::get<rs::TreeNetwork>(parts.heads));
    CHECK_THROWS_WITH(rs::TableModel(parts), Contains("tree heads"));
  };
  constexpr auto most = std::numeric_limits<std::uint32_t>::max();
  refused([](rs::TreeNetwork& trees) { trees.columns.pop_back(); });
  refused([](rs::TreeNetwork& trees) { trees.columns[1].stretch = trees.columns[0].stretch; });
  refused([](rs::TreeNetwork& trees) { trees.columns[0].stretch = 99; });
  refused([](rs::TreeNetwork& trees) { trees.columns[0].tuples += 1; });
  refused([](rs::TreeNetwork& trees) { trees.columns[0].fine_codes = 2; });
  refused([](rs::TreeNetwork& trees) { trees.columns[0].fine_codes = 0; });
  refused([](rs::TreeNetwork& trees) { trees.columns[0].nodes = trees.words.size(); });
  refused([](rs::TreeNetwork& trees) { // two leaves that share entries: looked at again and again
    auto& column = trees.columns.back();
    std::uint32_t* last = nullptr;
    for (std::uint32_t i = 0; i < column.node_count; ++i)
      if (std::uint32_t* node = trees.words.data() + column.nodes + 4 * std::size_t{i}; node[0] == 0) {
        if (last != nullptr) {
          node[2] = last[2];
          node[3] = last[3];
          return;
        }
        last = node;
      }
  });
  refused([](rs::TreeNetwork& trees) { trees.columns[0].levels = std::numeric_limits<std::size_t>::max(); });
  refused([](rs::TreeNetwork& trees) { trees.columns[0].level_count = 1; });
  refused([](rs::TreeNetwork& trees) { trees.columns[0].trees = 0; });
  refused([](rs::TreeNetwork& trees) { trees.columns[2].trees = most; });
  refused([](rs::TreeNetwork& trees) { trees.columns[2].entry_count = 1; });
  refused([](rs::TreeNetwork& trees) { trees.words[trees.columns[0].roots] = trees.columns[0].node_count; });
  refused([](rs::TreeNetwork& trees) {
    trees.words[trees.columns[0].margin] = most;
    trees.words[trees.columns[0].margin + 1] = 0;
  });
  refused([](rs::TreeNetwork& trees) {
    trees.words[trees.columns[0].margin + trees.columns[0].tuples - 1] = most - 1;
  });
  refused([](rs::TreeNetwork& trees) { trees.words[trees.columns[1].orders] = most; });
  refused([](rs::TreeNetwork& trees) { trees.smoothing = std::nan(""); });
  refused([](rs::TreeNetwork& trees) { trees.smoothing = -1; });
  const auto inner = [](rs::TreeNetwork& trees) { // the first inner node of the last column
    std::size_t node = trees.columns[2].nodes;
    while (trees.words[node] == 0)
      node += 4;
    return node;
  };
  refused([&](rs::TreeNetwork& trees) { trees.words[inner(trees)] = 1000; });
  refused([&](rs::TreeNetwork& trees) { trees.words[inner(trees) + 2] = 0; }); // back to the root
  refused([&](rs::TreeNetwork& trees) { trees.words[inner(trees) + 2] = trees.columns[2].node_count - 1; });
  const auto leaf = [](rs::TreeNetwork& trees) {
    std::size_t node = trees.columns[2].nodes;
    while (trees.words[node] != 0 || trees.words[node + 3] < 2)
      node += 4;
    return node;
  };
  refused([&](rs::TreeNetwork& trees) { trees.words[leaf(trees) + 3] = 0; });
  refused([&](rs::TreeNetwork& trees) { trees.words[leaf(trees) + 2] = trees.columns[2].entry_count; });
  refused([&](rs::TreeNetwork& trees) {
    const std::size_t entry = trees.columns[2].entries + 2 * std::size_t{trees.words[leaf(trees) + 2]};
    trees.words[entry + 2] = trees.words[entry]; // the same code twice
  });
  refused([&](rs::TreeNetwork& trees) {
    const std::size_t entry = trees.columns[2].entries + 2 * std::size_t{trees.words[leaf(trees) + 2]};
    trees.words[entry + 3] = 0; // fewer rows than before it
  });
  auto mixed = model(0.5);
  REQUIRE_NOTHROW(rs::TableModel(mixed));
  std::get<rs::MixedNetwork>(mixed.heads).shares[0] = 1;
  CHECK_THROWS_WITH(rs::TableModel(mixed), Contains("a share outside"));
  std::get<rs::MixedNetwork>(mixed.heads).shares.pop_back();
  CHECK_THROWS_WITH(rs::TableModel(mixed), Contains("not one share for each column"));
  mixed = model(0.5);
  std::swap(std::get<rs::MixedNetwork>(mixed.heads).trees.columns[0],
            std::get<rs::MixedNetwork>(mixed.heads).trees.columns[1]);
  CHECK_THROWS(rs::TableModel(mixed));
  auto argmax = model(1);
  argmax.decoding = rs::Decoding::argmax;
  CHECK_THROWS_WITH(rs::TableModel(argmax), Contains("argmax"));
}
