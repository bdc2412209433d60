// SPDX-License-Identifier: MIT
#include <rowsmith/models/autoregressive_heads.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <ratio>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <rowsmith/models/autoencoder.hpp>
#include <rowsmith/models/gan.hpp>
#include <rowsmith/models/table_model.hpp>

namespace rs = rowsmith;
using Catch::Matchers::Contains;
using rs::Index;

namespace {
using Heads = rs::AutoregressiveHeads<8>;
using Model = rs::Autoencoder<rs::Dense<6>, rs::ReLU, rs::Latent<3>, Heads>;
using Generator = rs::Generator<rs::Noise<4>, rs::Dense<3>, rs::Tanh>;

/// Columns of 6, 3, 2 (the label) and 3 codes.
rs::Table towns_and_sizes() {
  auto die = rs::Column::numerical("die", {}, 0);
  auto city = rs::Column::categorical("city");
  auto rich = rs::Column::categorical("rich");
  auto size = rs::Column::numerical("size", {}, 1);
  for (int i = 0; i < 60; ++i) {
    die.values.push_back(i % 6);
    city.codes.push_back(city.dictionary.insert(i % 3 == 0 ? "Rome" : (i % 3 == 1 ? "Oslo" : "Bern")));
    rich.codes.push_back(rich.dictionary.insert(i % 4 == 0 ? "yes" : "no"));
    size.values.push_back(i % 5 == 0 ? std::nan("") : i % 2);
  }
  return rs::Table({die, city, rich, size}, "rich");
}

rs::TableModel untrained_heads(bool conditional) {
  rs::TableModelParts model;
  model.encoder = rs::TableEncoder::fit(towns_and_sizes());
  const Model autoencoder(model.encoder, true);
  auto weights = autoencoder.layout().initialise<float>(3);
  for (auto& weight : weights)
    weight *= 4; // far from uniform
  model.encoder_network = autoencoder.encoder_network(weights.data());
  model.decoder_network = autoencoder.decoder_network(weights.data());
  model.heads = autoencoder.heads_network(weights.data());
  if (conditional) {
    model.labels = {"no", "yes"};
    model.label_shares = {0.75, 0.25};
  }
  const Generator generator(static_cast<Index>(model.labels.size()));
  model.generator_network = generator.network(generator.layout().initialise<float>(4).data());
  model.noise_width = 4;
  model.latent_scale = {2, 2, 2};
  model.latent_offset = {0, 1, -1};
  return rs::TableModel(model);
}

std::vector<std::string> rows_of(const rs::Table& made) {
  std::vector<std::string> rows(made.rows());
  for (std::size_t r = 0; r < made.rows(); ++r)
    for (const auto& column : made.columns())
      rows[r] += column.is_missing(r)                       ? "?|"
                 : column.kind == rs::ColumnKind::numerical ? std::to_string(column.values[r]) + "|"
                                                            : column.dictionary.text(column.codes[r]) + "|";
  return rows;
}
} // namespace

TEST_CASE("automatic order: the label, then few-valued columns first", "[models]") {
  CHECK(rs::automatic_order(rs::TableEncoder::fit(towns_and_sizes())) ==
        std::vector<std::int32_t>{2, 1, 3, 0});
}

TEST_CASE("an autoencoder with autoregressive heads has no decoder layers unless they are written",
          "[models]") {
  static_assert(std::is_same_v<Model::DecoderLayers, rs::Sequential<>>);
  using Written = rs::Autoencoder<rs::Dense<6>, rs::ReLU, rs::Latent<3>, rs::Dense<5>, rs::ReLU, Heads>;
  static_assert(std::is_same_v<Written::DecoderLayers, rs::Sequential<rs::Dense<5>, rs::ReLU>>);
  const auto encoder = rs::TableEncoder::fit(towns_and_sizes());
  const Written written(encoder);
  const auto weights = written.layout().initialise<float>(1);
  CHECK(written.decoder_network(weights.data()).outputs() == 5);
  CHECK(written.heads_network(weights.data()).inputs == 5);
  CHECK(Model(encoder).decoder_network(weights.data()).empty());
}

TEST_CASE("autoregressive heads refuse columns that are not codes, and orders that are none", "[models]") {
  const auto encoder =
      rs::TableEncoder::fit(towns_and_sizes(), {.numerical = rs::NumericalEncoding::standardised});
  CHECK_THROWS_WITH(Model(encoder), Contains("NumericalEncoding::codes"));
  const auto codes = rs::TableEncoder::fit(towns_and_sizes());
  for (const auto& wrong : {std::vector<std::int32_t>{0, 1, 2}, {0, 1, 2, 2}, {0, 1, 2, 4}, {0, 1, 2, -1}})
    CHECK_THROWS_WITH(rs::AutoregressiveOrder(codes, wrong), Contains("permutation of the 4 columns"));
}

TEST_CASE("rows are drawn with the probability that the loss gives them", "[models]") {
  // One latent code, many draws: shares of whole rows against exp(−loss) of the same rows.
  const auto encoder = rs::TableEncoder::fit(towns_and_sizes());
  const Model autoencoder(encoder);
  auto weights = autoencoder.layout().initialise<float>(3);
  for (auto& weight : weights)
    weight *= 4;
  const auto heads = autoencoder.heads_network(weights.data());
  constexpr Index rows = 200'000;
  const std::vector<float> code{0.5F, -1, 0.25F};
  std::vector<float> latent;
  for (Index r = 0; r < rows; ++r)
    latent.insert(latent.end(), code.begin(), code.end());
  std::vector<std::int32_t> drawn(static_cast<std::size_t>(4 * rows));
  rs::InferenceScratch scratch;
  rs::RandomSequence random(rs::RandomStream(5, rs::Purpose::user));
  heads.each_position(latent.data(), rows, drawn.data(), scratch, [&](Index q, float* logits, Index width) {
    for (Index r = 0; r < rows; ++r)
      drawn[static_cast<std::size_t>(4 * r + q)] =
          static_cast<std::int32_t>(heads.shape().prefix[q]) +
          rs::kernel::choose(logits + r * width, logits + r * width, width, {}, random.uniform_float());
  });
  const auto shape = heads.shape();
  std::vector<int> counts(2 * 3 * 3 * 6);
  const auto cell = [&](const std::int32_t* row) {
    std::size_t index = 0;
    for (std::size_t q = 0; q < 4; ++q)
      index = index * static_cast<std::size_t>(shape.prefix[q + 1] - shape.prefix[q]) +
              static_cast<std::size_t>(row[q] - shape.prefix[q]);
    return index;
  };
  for (Index r = 0; r < rows; ++r)
    ++counts[cell(drawn.data() + 4 * r)];
  rs::Tape<float> tape;
  double all = 0;
  double chi_square = 0;
  int cells = 0;
  for (std::int32_t a = 0; a < 2; ++a)
    for (std::int32_t b = 0; b < 3; ++b)
      for (std::int32_t c = 0; c < 3; ++c)
        for (std::int32_t d = 0; d < 6; ++d) {
          tape.rewind();
          const std::int32_t numbered[4] = {a, 2 + b, 5 + c, 8 + d};
          const auto& offsets = encoder.code_offsets();
          // By column: die, city, rich, size.
          const std::int32_t codes[4] = {offsets[0] + d, offsets[1] + b, offsets[2] + a, offsets[3] + c};
          const auto loss = autoencoder.reconstruction_loss(
              rs::BoundParameters<float>(tape, weights.data(), nullptr), tape.constant(code.data(), 1, 3),
              {.rows = 1, .code_columns = 4, .codes = codes}, {}, 1);
          const double probability = std::exp(-static_cast<double>(loss.item()));
          const double expected = probability * static_cast<double>(rows);
          all += probability;
          if (expected < 10)
            continue;
          const double difference = counts[cell(numbered)] - expected;
          chi_square += difference * difference / expected;
          ++cells;
        }
  CHECK(all == Approx(1).epsilon(1e-4));
  REQUIRE(cells > 20);
  CHECK(chi_square < cells + 5 * std::sqrt(2.0 * cells));
}

TEST_CASE("row i of autoregressive heads depends on the model, the seed and i only", "[models][threads]") {
  const auto model = untrained_heads(GENERATE(false, true));
  const auto all = rows_of(model.sample(700, {.seed = 11, .threads = 1}));
  CHECK(rows_of(model.sample(700, {.seed = 11, .threads = 3})) == all);
  CHECK(rows_of(model.sample(700, {.seed = 12})) != all);
  for (const std::size_t i : {0U, 1U, 255U, 256U, 699U})
    CHECK(rows_of(model.sample(1, {.seed = 11, .first_row = i}))[0] == all[i]);
}

TEST_CASE("a conditional model with autoregressive heads gives exactly the label asked for", "[models]") {
  const auto model = untrained_heads(true);
  for (const std::string label : {"no", "yes"}) {
    const auto made = model.sample(500, {.seed = 2, .label = label});
    for (std::size_t r = 0; r < made.rows(); ++r)
      REQUIRE(made["rich"].dictionary.text(made["rich"].codes[r]) == label);
  }
  const auto mixed = model.sample(4000, {.seed = 2});
  std::size_t yes = 0;
  for (std::size_t r = 0; r < mixed.rows(); ++r)
    yes += mixed["rich"].dictionary.text(mixed["rich"].codes[r]) == "yes" ? 1 : 0;
  CHECK(static_cast<double>(yes) / 4000 == Approx(0.25).margin(0.03));
}

namespace {
/// Two categoricals, a heaped number with gaps (bins, parts and atoms), and one of bins without parts.
rs::Table numbers(std::size_t rows) {
  auto kind = rs::Column::categorical("kind");
  auto amount = rs::Column::numerical("amount", {}, 2);
  auto few = rs::Column::numerical("few", {}, 3);
  auto rich = rs::Column::categorical("rich");
  rs::RandomSequence random(rs::RandomStream(7, rs::Purpose::user));
  for (std::size_t i = 0; i < rows; ++i) {
    const auto drawn = random.below(10);
    kind.codes.push_back(kind.dictionary.insert(drawn < 7 ? "a" : drawn < 9 ? "b" : "c"));
    const double x = 1000 * random.uniform() * random.uniform();
    amount.values.push_back(i % 10 == 3 ? std::nan("") : i % 5 < 2 ? 5 * std::floor(x / 5) : x);
    few.values.push_back(i < rows - 300 ? std::nan("") : random.normal());
    rich.codes.push_back(rich.dictionary.insert(random.below(4) == 0 ? "yes" : "no"));
  }
  return rs::Table({kind, amount, few, rich}, "rich");
}
/// Logarithms of the probabilities that heads whose units say nothing give each code of each position, given
/// the rows' own codes before it. \returns [position][row * codes + code]
std::vector<std::vector<double>> margins(rs::AutoregressiveNetwork heads, const rs::EncodedTable& rows) {
  std::fill(heads.weights.output_weight.begin(), heads.weights.output_weight.end(), 0.0F);
  const auto shape = heads.shape();
  const auto count = static_cast<Index>(rows.rows());
  std::vector<std::int32_t> codes;
  for (std::size_t r = 0; r < rows.rows(); ++r)
    for (Index h = 0; h < shape.columns; ++h)
      codes.push_back(rows.code(r, static_cast<std::size_t>(h)));
  const auto numbered = heads.number_through(codes.data(), count);
  const std::vector<float> read(static_cast<std::size_t>(count * heads.inputs), 0.5F);
  std::vector<std::vector<double>> result;
  std::vector<float> room(static_cast<std::size_t>(shape.codes()));
  rs::InferenceScratch scratch;
  heads.each_position(read.data(), count, numbered.data(), scratch, [&](Index, float* logits, Index width) {
    result.emplace_back();
    for (Index r = 0; r < count; ++r)
      for (Index k = 0; k < width; ++k)
        result.back().push_back(-rs::kernel::cross_entropy(logits + r * width, room.data(), width, k));
  });
  return result;
}
} // namespace

TEST_CASE("untrained autoregressive heads that know the rows give each code its share", "[models]") {
  const auto table = numbers(6000);
  const auto encoder = rs::TableEncoder::fit(table);
  const auto& layout = encoder.layout();
  REQUIRE(layout.size() == 5);
  REQUIRE_FALSE(encoder.codecs()[1].atoms.empty());
  REQUIRE((encoder.codecs()[2].fine == 0 && encoder.codecs()[2].bins() > 1));
  const auto rows = encoder.encode(table);
  const auto n = static_cast<double>(rows.rows());
  const Model autoencoder(encoder, true, 1, {&rows});
  const auto weights = autoencoder.initialise<float>(3);
  const auto heads = autoencoder.heads_network(weights.data());
  const auto shape = heads.shape();
  const auto found = margins(heads, rows);
  double entropy = 0;
  for (Index q = 0; q < 5; ++q) {
    const auto column = static_cast<std::size_t>(shape.order[q]);
    const auto& stretch = layout[column];
    const auto width = static_cast<std::size_t>(stretch.width);
    std::vector<double> share(width);
    std::map<std::int32_t, std::vector<double>> given; // the first code, of a second
    for (std::size_t r = 0; r < rows.rows(); ++r) {
      const auto code = static_cast<std::size_t>(rows.code(r, column));
      share[code] += 1 / n;
      auto& of_parent = given[stretch.fine ? rows.code(r, column - 1) : 0];
      of_parent.resize(width);
      ++of_parent[code];
    }
    // A second code has some rows as all others beside its own: as many as make each row likeliest to the
    // others, of which its own is then none.
    double strength = 0;
    double best = -1e300;
    for (double candidate = 2; candidate <= 4096 && stretch.fine; candidate *= 2) {
      double sum = 0;
      for (std::size_t r = 0; r < rows.rows(); ++r) {
        const auto code = static_cast<std::size_t>(rows.code(r, column));
        const auto& counts = given[rows.code(r, column - 1)];
        const double all = std::accumulate(counts.begin(), counts.end(), 0.0) - 1;
        const double others = (share[code] * n - 1 + 0.5) / (n - 1 + 0.5 * static_cast<double>(width));
        sum += std::log((counts[code] - 1 + candidate * others) / (all + candidate));
      }
      if (sum > best) {
        best = sum;
        strength = candidate;
      }
    }
    double worst = 0;
    for (std::size_t r = 0; r < rows.rows(); ++r) {
      const auto& counts = given[stretch.fine ? rows.code(r, column - 1) : 0];
      const double all = std::accumulate(counts.begin(), counts.end(), 0.0);
      double total = 0;
      for (std::size_t k = 0; k < width; ++k) {
        const double log_p = found[static_cast<std::size_t>(q)][r * width + k];
        total += std::exp(log_p);
        // Half a row of each code.
        const double smooth = (share[k] * n + 0.5) / (n + 0.5 * static_cast<double>(width));
        const double expected = stretch.fine ? (counts[k] + strength * smooth) / (all + strength) : smooth;
        worst = std::max(worst, std::abs(log_p - std::log(expected)));
      }
      REQUIRE(total == Approx(1).epsilon(1e-4));
      entropy -=
          found[static_cast<std::size_t>(q)][r * width + static_cast<std::size_t>(rows.code(r, column))];
    }
    CAPTURE(q);
    CHECK(worst < 1e-3);
  }
  // Rows that are held out tell nothing.
  std::vector<std::uint32_t> learnt;
  std::vector<std::size_t> kept;
  for (std::uint32_t r = 0; r < 6000; r += 2) {
    learnt.push_back(r);
    kept.push_back(r);
  }
  const auto half = encoder.encode(table.select(kept));
  const auto of_learnt = Model(encoder, true, 1, {&rows, learnt}).initialise<float>(3);
  const auto of_half = Model(encoder, true, 1, {&half}).initialise<float>(3);
  CHECK(std::equal(of_learnt.begin(), of_learnt.end(), of_half.begin(), of_half.end()));
  CHECK_FALSE(std::equal(of_learnt.begin(), of_learnt.end(), weights.begin(), weights.end()));
  // And the loss that training begins with is hardly more than that.
  rs::Tape<float> tape;
  std::vector<std::int32_t> codes;
  for (std::size_t r = 0; r < rows.rows(); ++r)
    for (std::size_t h = 0; h < 5; ++h)
      codes.push_back(encoder.code_offsets()[h] + rows.code(r, h));
  const rs::Matrix<float> latent = rs::Matrix<float>::Random(6000, 3);
  const rs::MixedRows<float> mixed{.rows = 6000, .code_columns = 5, .codes = codes.data()};
  const auto loss_of = [&](const Model& model) {
    tape.rewind();
    const auto fresh = model.initialise<float>(4);
    const rs::BoundParameters<float> bound(tape, fresh.data(), nullptr);
    return static_cast<double>(
        model.reconstruction_loss(bound, tape.constant(latent.data(), 6000, 3), mixed, {}, 1).item());
  };
  CHECK(loss_of(autoencoder) == Approx(entropy).epsilon(0.01));
  // Without the rows it is that of evenly shared codes.
  double even = 0;
  for (const auto& stretch : layout)
    even += n * std::log(static_cast<double>(stretch.width));
  CHECK(loss_of(Model(encoder, true)) == Approx(even).epsilon(0.01));
  CHECK(entropy < 0.8 * even);
}

TEST_CASE("an automatic width is that of numbers or of categories", "[models]") {
  const auto width = [](const rs::Table& table) {
    const auto encoder = rs::TableEncoder::fit(table);
    using Automatic = rs::Autoencoder<rs::Dense<6>, rs::ReLU, rs::Latent<3>, rs::AutoregressiveHeads<>>;
    const Automatic autoencoder(encoder);
    const auto weights = autoencoder.initialise<float>(1);
    CHECK(autoencoder.heads_network(weights.data()).width == rs::automatic_width(encoder));
    return rs::automatic_width(encoder);
  };
  rs::RandomSequence random(rs::RandomStream(7, rs::Purpose::user));
  const auto columns = [&random](std::size_t numbers, std::size_t categories, std::size_t coarse) {
    std::vector<rs::Column> all;
    for (std::size_t c = 0; c < numbers + categories + coarse; ++c) {
      const std::string name = std::to_string(c);
      all.push_back(c < numbers || c >= numbers + categories ? rs::Column::numerical(name)
                                                             : rs::Column::categorical(name));
      for (std::size_t r = 0; r < 400; ++r)
        if (c < numbers)
          all.back().values.push_back(random.normal());
        else if (c < numbers + categories)
          all.back().codes.push_back(all.back().dictionary.insert(std::to_string(random.below(20))));
        else
          all.back().values.push_back(random.below(4)); // too few codes to count as a number
    }
    return rs::Table(std::move(all));
  };
  CHECK(width(columns(0, 3, 0)) == 64);
  CHECK(width(columns(3, 2, 0)) == 128);
  CHECK(width(columns(2, 2, 0)) == 64);
  CHECK(width(columns(3, 0, 3)) == 64);
  CHECK(width(columns(200, 0, 0)) == 128);
  CHECK(width(columns(201, 0, 0)) == 64);
  const auto encoder = rs::TableEncoder::fit(towns_and_sizes());
  const Model written(encoder);
  CHECK(written.heads_network(written.initialise<float>(1).data()).width == 8);
}

TEST_CASE("heads of small tables decay faster, but not their biases", "[models]") {
  rs::RandomSequence random(rs::RandomStream(8, rs::Purpose::user));
  auto size = rs::Column::numerical("size"); // bins in order, whose outputs have bumps
  auto kind = rs::Column::categorical("kind");
  for (std::size_t r = 0; r < 400; ++r) {
    size.values.push_back(random.normal());
    kind.codes.push_back(kind.dictionary.insert(std::to_string(random.below(3))));
  }
  const rs::Table table({size, kind});
  const auto encoder = rs::TableEncoder::fit(table);
  const auto rows = encoder.encode(table);
  const auto factors = [](const Model& model) {
    std::set<double> found;
    for (const auto& range : model.layout().decay())
      found.insert(range.factor);
    return found;
  };
  const double faster = rs::detail::decay_by_rows(table.rows());
  REQUIRE(faster > 1);
  CHECK(factors(Model(encoder, true)) == std::set<double>{0, 1, 100});
  CHECK(factors(Model(encoder, true, 1, {&rows})) == std::set<double>{0, faster, 100 * faster});
  CHECK(rs::detail::decay_by_rows(300) == 10);
  CHECK(rs::detail::decay_by_rows(4'000) == 2.5);
  CHECK(rs::detail::decay_by_rows(10'000) == 1);
  CHECK(rs::detail::decay_by_rows(1'000'000) == 1);
}

TEST_CASE("automatic dropout is stronger for small tables", "[models]") {
  using Automatic = rs::detail::DropoutRateOf<rs::AutomaticDropout>;
  CHECK(Automatic::value(10) == Approx(0.6));
  CHECK(Automatic::value(300) == Approx(0.6));
  CHECK(Automatic::value(400) == Approx(0.5));
  CHECK(Automatic::value(500) == Approx(0.4));
  CHECK(Automatic::value(1250) == Approx(0.3));
  CHECK(Automatic::value(2000) == Approx(0.2));
  CHECK(Automatic::value(1'000'000) == Approx(0.2));
  CHECK(rs::detail::DropoutRateOf<std::ratio<1, 8>>::value(10) == 0.125);

  // Units are dropped in training only, and only where a rate says so.
  const auto differs = [](const auto& autoencoder, const rs::TableEncoder& encoder) {
    const auto weights = autoencoder.template initialise<float>(1);
    const std::int32_t codes[] = {encoder.code_offsets()[0], encoder.code_offsets()[1],
                                  encoder.code_offsets()[2], encoder.code_offsets()[3]};
    rs::Tape<float> tape;
    const rs::BoundParameters<float> bound(tape, weights.data(), nullptr);
    const std::vector<float> latent{1, -1, 0.5F};
    const auto loss = [&](bool training) {
      return autoencoder
          .reconstruction_loss(bound, tape.constant(latent.data(), 1, 3),
                               {.rows = 1, .code_columns = 4, .codes = codes}, {.training = training}, 1)
          .item();
    };
    return loss(true) != loss(false);
  };
  const auto encoder = rs::TableEncoder::fit(towns_and_sizes());
  using None = rs::AutoregressiveHeads<8, std::ratio<0, 1>>;
  CHECK(differs(Model(encoder), encoder));
  CHECK_FALSE(differs(rs::Autoencoder<rs::Dense<6>, rs::ReLU, rs::Latent<3>, None>(encoder), encoder));
}
