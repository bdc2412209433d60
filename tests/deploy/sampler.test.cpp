// SPDX-License-Identifier: MIT
#include <rowsmith/deploy/sampler.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch.hpp>

#include "../support/count_allocations.hpp"
#include "small_parts.hpp"

namespace rs = rowsmith;
using Catch::Matchers::Contains;

namespace {
// All bits of a cell: of a number or of a code.
std::uint64_t bits(const rs::Table& table, std::size_t row, std::size_t column) {
  const auto& c = table[column];
  return c.kind == rs::ColumnKind::numerical
             ? (std::isnan(c.values[row]) ? 1U : std::bit_cast<std::uint64_t>(c.values[row]))
             : static_cast<std::uint64_t>(c.codes[row]);
}
std::uint64_t bits(const rs::DynamicRow& row, std::size_t column) {
  return row.schema()[column].kind == rs::ColumnKind::numerical
             ? (row.is_missing(column) ? 1U : std::bit_cast<std::uint64_t>(row.number(column)))
             : static_cast<std::uint64_t>(row.category(column).code);
}
std::size_t cells_that_differ(const rs::Table& table, std::size_t at, const rs::DynamicRow& row) {
  std::size_t count = 0;
  for (std::size_t c = 0; c < row.size(); ++c)
    count += bits(table, at, c) == bits(row, c) ? 0 : 1;
  return count;
}
rs::DynamicRow row_of(const rs::Sampler& sampler, const rs::Table& table, std::size_t at) {
  auto row = sampler.row();
  for (std::size_t c = 0; c < table.size(); ++c) {
    row.set_missing(c);
    if (table[c].is_missing(at))
      continue;
    if (table[c].kind == rs::ColumnKind::numerical)
      row.set_number(c, table[c].values[at]);
    else
      REQUIRE(row.set_text(c, table[c].dictionary.text(table[c].codes[at])));
  }
  return row;
}
} // namespace

static_assert(!std::is_copy_constructible_v<rs::Sampler::Scratch>); // its pointers are into its own buffers
static_assert(noexcept(std::declval<const rs::Sampler&>()(1, 2, std::declval<rs::Sampler::Scratch&>(),
                                                          std::declval<rs::DynamicRow&>())));
static_assert(noexcept(std::declval<const rs::Sampler&>()(1, 2, 0, std::declval<rs::Sampler::Scratch&>(),
                                                          std::declval<rs::DynamicRow&>())));
static_assert(noexcept(std::declval<const rs::Sampler&>().score(std::declval<const rs::DynamicRow&>(),
                                                                std::declval<rs::Sampler::Scratch&>())));

TEST_CASE("a row alone has the bits of the batch's row", "[deploy]") {
  for (const auto& [name, model] : small::models()) {
    CAPTURE(name);
    const rs::Sampler sampler(model);
    auto scratch = sampler.scratch();
    auto row = sampler.row();
    constexpr std::size_t rows = 700;
    const auto batch = model.sample(rows, {.seed = 11});
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < rows; ++i) {
      sampler(11, i, scratch, row);
      wrong += cells_that_differ(batch, i, row);
    }
    CHECK(wrong == 0);
    // Far out, and with another seed.
    const std::uint64_t far = (std::uint64_t{1} << 40U) + 12345;
    const auto there = model.sample(3, {.seed = ~std::uint64_t{0}, .first_row = far});
    for (std::size_t i = 0; i < 3; ++i) {
      sampler(~std::uint64_t{0}, far + i, scratch, row);
      CHECK(cells_that_differ(there, i, row) == 0);
    }
    for (const auto& label : model.labels()) {
      const auto wanted = model.sample(300, {.seed = 2, .label = label});
      if (model.parts().decoding == rs::Decoding::sample)
        for (std::size_t i = 0; i < 300; ++i)
          REQUIRE(wanted[5].dictionary.text(wanted[5].codes[i]) == label);
      const auto index = sampler.label_index(label);
      wrong = 0;
      for (std::size_t i = 0; i < 300; ++i) {
        sampler(2, i, index, scratch, row);
        wrong += cells_that_differ(wanted, i, row);
      }
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("atoms are drawn as they are, and by all kinds of heads", "[deploy]") {
  std::size_t with_atoms = 0;
  for (const auto& [name, model] : small::models()) {
    const auto& codec = model.encoder().codecs()[0];
    if (codec.atoms.empty())
      continue;
    CAPTURE(name);
    ++with_atoms;
    CHECK(codec.most_atoms() > 1); // and not each bin has as many
    CHECK(codec.atoms.size() < codec.bins() * codec.most_atoms());
    const auto made = model.sample(4000, {.seed = 3});
    std::set<double> drawn;
    for (const double value : made[0].values)
      if (std::binary_search(codec.atoms.begin(), codec.atoms.end(), value))
        drawn.insert(value);
    // Untrained models prefer some codes to others.
    CHECK(drawn.size() > codec.atoms.size() / 4);
  }
  CHECK(with_atoms == 3);
}

TEST_CASE("the batch call of a sampler makes the model's rows", "[deploy][threads]") {
  for (const auto& [name, model] : small::models()) {
    CAPTURE(name);
    const rs::Sampler sampler(model);
    const rs::SampleOptions options{.seed = 5, .first_row = 77};
    const auto expected = model.sample(1500, options);
    for (const int threads : {1, 2, 3, 8}) {
      auto with = options;
      with.threads = threads;
      const auto made = sampler.sample_rows(1500, with);
      REQUIRE(made.schema() == expected.schema());
      std::size_t wrong = 0;
      for (std::size_t r = 0; r < 1500; ++r)
        for (std::size_t c = 0; c < made.size(); ++c)
          wrong += bits(made, r, c) == bits(expected, r, c) ? 0 : 1;
      CHECK(wrong == 0);
    }
    CHECK(sampler.sample_rows(0).rows() == 0);
    CHECK_THROWS_AS(sampler.sample_rows(1, {.label = "nobody"}), rs::SchemaError);
    CHECK_THROWS_AS(sampler.sample_rows(1, {.threads = -1}), rs::OptionError);
  }
}

TEST_CASE("calls allocate nothing, not even the first", "[deploy]") {
  auto all = small::models();
  all.push_back({"constants", rs::TableModel(small::with_constants(small::all_parts()[5].model))});
  all.push_back({"relations", rs::TableModel(small::related_parts())});
  for (const auto& [name, model] : all) {
    CAPTURE(name);
    const rs::Sampler sampler(model);
    auto scratch = sampler.scratch();
    auto row = sampler.row();
    double sum = 0;
    const long before = allocation::count;
    for (std::uint64_t i = 0; i < 50; ++i) {
      sampler(1, i, scratch, row);
      sum += sampler.score(row, scratch);
      if (model.conditional())
        sampler(1, i, 1, scratch, row);
      row.set_text(3, "Oslo");
      row.set_number(0, sum);
    }
    CHECK(allocation::count == before);
    CHECK(sum > 0);
  }
}

TEST_CASE("a row's score is its reconstruction loss, alone and in a batch", "[deploy]") {
  const auto plain = small::table(300);
  const auto check = [&]<class Autoencoder>(const rs::TableEncoder& encoder, const Autoencoder& autoencoder,
                                            const rs::Table& table) {
    auto weights = autoencoder.layout().template initialise<float>(9);
    for (auto& weight : weights)
      weight *= 3;
    auto model = small::all_parts().front().model; // for a generator of any kind
    model.encoder = encoder;
    model.encoder_network = autoencoder.encoder_network(weights.data());
    model.decoder_network = autoencoder.decoder_network(weights.data());
    model.heads = autoencoder.heads_network(weights.data());
    const rs::Sampler sampler{rs::TableModel(model)};
    auto scratch = sampler.scratch();
    const auto batch = sampler.score_rows(table, 2);
    const auto encoded = encoder.encode(table);
    rs::Tape<float> tape;
    for (std::size_t r = 0; r < table.rows(); ++r) {
      const double alone = sampler.score(row_of(sampler, table, r), scratch);
      REQUIRE(std::bit_cast<std::uint64_t>(alone) == std::bit_cast<std::uint64_t>(batch[r]));
      // The loss of the row by the tape that trains.
      std::vector<std::int32_t> codes;
      std::vector<float> numbers;
      for (std::size_t c = 0; c < encoder.code_columns(); ++c)
        codes.push_back(encoder.code_offsets()[c] + encoded.code(r, c));
      for (std::size_t c = 0; c < encoder.number_columns(); ++c)
        numbers.push_back(encoded.number(r, c));
      tape.rewind();
      const rs::BoundParameters<float> bound(tape, weights.data(), nullptr);
      const rs::MixedRows<float> rows{1,
                                      static_cast<rs::Index>(codes.size()),
                                      static_cast<rs::Index>(numbers.size()),
                                      codes.data(),
                                      numbers.data(),
                                      autoencoder.number_weights().data()};
      const auto latent = autoencoder.encode(bound, rows, {});
      const auto loss = autoencoder.reconstruction_loss(bound, latent, rows, {}, 1);
      CHECK(alone == Approx(static_cast<double>(loss.item())).epsilon(2e-5));
    }
  };
  const auto codes = rs::TableEncoder::fit(plain, {.max_exact_values = 80, .bins = 16});
  const auto numbers = rs::TableEncoder::fit(plain, {.numerical = rs::NumericalEncoding::standardised});
  const auto fine = rs::TableEncoder::fit(plain, {.max_exact_values = 80, .bins = 8, .fine = 5});
  using Plain = rs::Autoencoder<rs::Dense<40>, rs::ReLU, rs::LayerNorm, rs::Latent<5>>;
  using InOrder = rs::Autoencoder<rs::Dense<24>, rs::ReLU, rs::Latent<5>, rs::AutoregressiveHeads<20>>;
  check(codes, Plain(codes), plain);
  check(numbers, Plain(numbers), plain);
  check(codes, InOrder(codes), plain);
  check(fine, Plain(fine), plain);
  check(fine, InOrder(fine), plain);
  const auto atoms =
      rs::TableEncoder::fit(small::heaped_table(), {.max_exact_values = 20, .bins = 11, .fine = 4});
  const auto heaped = small::heaped_table(300);
  check(atoms, Plain(atoms), heaped);
  check(atoms, InOrder(atoms), heaped);
  using Joint = rs::Autoencoder<rs::Dense<24>, rs::ReLU, rs::Latent<5>, rs::JointHeads<64>>;
  const auto encoded = fine.encode(plain);
  check(fine, Joint(fine, false, 1, {&encoded}), plain);
}

TEST_CASE("joint heads score a combination that no training row has as infinite", "[deploy]") {
  const auto all = small::models();
  const auto found = std::find_if(all.begin(), all.end(), [](const auto& m) { return m.name == "joint"; });
  REQUIRE(found != all.end());
  const auto& model = found->model;
  const auto& layout = model.encoder().layout();
  const auto table = small::table();
  const auto encoded = model.encoder().encode(table);
  const rs::Sampler sampler(model);
  auto scratch = sampler.scratch();
  // Each column from one of two training rows; then whether some training row is the same in a group.
  std::size_t infinite = 0;
  rs::RandomSequence random(rs::RandomStream(8, rs::Purpose::user));
  for (int trial = 0; trial < 300; ++trial) {
    const std::size_t two[] = {random.below(400), random.below(400)};
    const auto mask = trial == 0 ? 0U : static_cast<unsigned>(random.below(64));
    const auto from = [&](std::size_t column) { return two[(mask >> column) & 1U]; };
    auto row = row_of(sampler, table, two[0]);
    const auto other = row_of(sampler, table, two[1]);
    for (std::size_t c = 0; c < table.size(); ++c)
      if (from(c) == two[0])
        continue;
      else if (table[c].kind == rs::ColumnKind::numerical)
        row.set_number(c, other.number(c));
      else
        REQUIRE(row.set_code(c, other.category(c).code));
    bool known = true;
    for (const auto& group : std::get<rs::JointCodes>(model.heads()).groups) {
      if (group.columns.size() == 1)
        continue;
      bool seen = false;
      for (std::size_t r = 0; r < table.rows() && !seen; ++r)
        seen = std::all_of(group.columns.begin(), group.columns.end(), [&](std::int32_t column) {
          const auto h = static_cast<std::size_t>(column);
          return encoded.code(r, h) == encoded.code(from(layout[h].column), h);
        });
      known = known && seen;
    }
    const double score = sampler.score(row, scratch);
    REQUIRE(std::isinf(score) == !known);
    REQUIRE_FALSE(std::isnan(score));
    infinite += known ? 0 : 1;
  }
  CHECK(infinite > 0);
  CHECK(infinite < 300);
}

TEST_CASE("a score is NaN where a cell has no code", "[deploy]") {
  const auto all = small::models();
  const rs::Sampler sampler(all.front().model);
  auto scratch = sampler.scratch();
  auto row = row_of(sampler, small::table(), 1);
  CHECK(std::isfinite(sampler.score(row, scratch)));
  SECTION("infinite") { row.set_number(1, std::numeric_limits<double>::infinity()); }
  SECTION("missing where no training row was") { row.set_missing(1); }
  SECTION("missing category where no training row was") { row.set_missing(4); }
  CHECK(std::isnan(sampler.score(row, scratch)));
}

TEST_CASE("a number beyond all bounds is as odd as can be, not typical", "[deploy]") {
  // Numbers only: nothing but overflow could say so.
  const rs::Table table({rs::Column::numerical("a", {1, 2, 3, 4}), rs::Column::numerical("b", {4, 2, 3, 1})});
  using Autoencoder = rs::Autoencoder<rs::Dense<8>, rs::ReLU, rs::Latent<2>>;
  using Generator = rs::Generator<rs::Noise<3>, rs::Dense<2>, rs::Tanh>;
  const rs::Sampler sampler(rs::TableModel(small::parts<Autoencoder, Generator>(
      rs::TableEncoder::fit(table, {.numerical = rs::NumericalEncoding::standardised}), false, 3, table)));
  auto scratch = sampler.scratch();
  auto row = row_of(sampler, table, 1);
  CHECK(std::isfinite(sampler.score(row, scratch)));
  row.set_number(0, 1e300);
  CHECK(sampler.score(row, scratch) == std::numeric_limits<double>::infinity());
  auto columns = table.columns();
  columns[0].values[2] = 1e300;
  CHECK(sampler.score_rows(rs::Table(columns))[2] == std::numeric_limits<double>::infinity());
}

TEST_CASE("a number outside the training range is odder than any inside, and the odder the farther",
          "[deploy]") {
  const auto table = small::table();
  for (const auto& [name, model] : small::models()) {
    CAPTURE(name);
    const rs::Sampler sampler(model);
    auto scratch = sampler.scratch();
    auto columns = table.columns();
    for (const std::size_t column : {0U, 1U}) {
      const auto& codec = model.encoder().codecs()[column];
      auto row = row_of(sampler, table, 1);
      // Codes of numbers outside are those of the range's ends.
      row.set_number(column, codec.maximum);
      const double highest = sampler.score(row, scratch);
      double before = highest;
      for (const double steps : {1.0, 3.0, 50.0, 1e290}) {
        row.set_number(column, codec.maximum + steps * (codec.maximum - codec.minimum));
        const double score = sampler.score(row, scratch);
        CHECK((score > before || std::isinf(score)));
        CHECK_FALSE(std::isnan(score));
        if (!codec.has_number() && !std::isinf(score)) {
          CHECK(score - highest == Approx(steps * static_cast<double>(codec.plain_codes())));
        }
        before = score;
      }
      row.set_number(column, codec.minimum);
      const double lowest = sampler.score(row, scratch);
      row.set_number(column, codec.minimum - 1e9);
      const double score = sampler.score(row, scratch);
      CHECK((score > lowest + 1e6 || std::isinf(score)));
      columns[column].values[1] = codec.minimum - 1e9;
      const double batch = sampler.score_rows(rs::Table(columns, "rich"))[1];
      columns[column].values[1] = table[column].values[1];
      CHECK(std::bit_cast<std::uint64_t>(batch) == std::bit_cast<std::uint64_t>(score));
    }
    auto row = row_of(sampler, table, 1);
    row.set_number(2, 2); // all training rows have 1 there
    CHECK(std::isinf(sampler.score(row, scratch)));
  }
}

TEST_CASE("a missing cell is scored where training rows had some", "[deploy]") {
  const auto all = small::models();
  const rs::Sampler sampler(all.front().model);
  auto scratch = sampler.scratch();
  auto row = row_of(sampler, small::table(), 1);
  row.set_missing(0);
  row.set_missing(3);
  CHECK(std::isfinite(sampler.score(row, scratch)));
}

TEST_CASE("rows know their columns", "[deploy]") {
  const auto all = small::models();
  const rs::Sampler sampler(all.front().model);
  auto row = sampler.row();
  CHECK(row.size() == 6);
  for (std::size_t c = 0; c < row.size(); ++c)
    CHECK(row.is_missing(c));
  row.set("age", 41.0);
  row.set("city", "Oslo");
  CHECK(row.number(1) == 41);
  CHECK(row.category(3).text == "Oslo");
  CHECK_FALSE(row.set_text(3, "Atlantis"));
  CHECK(row.category(3).text == "Oslo");
  row.set_missing(3);
  CHECK(row.category(3).is_missing());
  CHECK(row.category(3).text.empty());
  CHECK_THROWS_WITH(row.set("city", "Atlantis"), Contains("'city'") && Contains("'Atlantis'"));
  CHECK_THROWS_WITH(row.set("city", 1.0), Contains("categorical"));
  CHECK_THROWS_WITH(row.set("age", "old"), Contains("numerical"));
  CHECK_THROWS_WITH(row.set("ages", 1.0), Contains("'ages'"));
  CHECK_THROWS_WITH(row.set("age", std::numeric_limits<double>::infinity()), Contains("infinite"));
}

TEST_CASE("texts outlive the sampler while a row lives", "[deploy]") {
  auto sampler = std::make_unique<rs::Sampler>(small::models().back().model);
  auto scratch = sampler->scratch();
  auto row = sampler->row();
  (*sampler)(1, 2, scratch, row);
  const auto copy = row;
  sampler.reset();
  CHECK_FALSE(copy.category(5).text.empty());
}

TEST_CASE("a scratch can be moved, and a sampler copied", "[deploy]") {
  const auto all = small::models();
  const rs::Sampler first(all[6].model);
  auto from = first.scratch();
  const rs::Sampler sampler = first;
  auto scratch = std::move(from);
  auto row = first.row();
  const auto expected = all[6].model.sample(10, {.seed = 3});
  for (std::size_t i = 0; i < 10; ++i) {
    if (i == 5)
      scratch = sampler.scratch();
    sampler(3, i, scratch, row);
    CHECK(cells_that_differ(expected, i, row) == 0);
  }
}

TEST_CASE("one sampler serves several threads", "[deploy][threads]") {
  const auto all = small::models();
  const rs::Sampler sampler(all[5].model);
  const auto expected = all[5].model.sample(400, {.seed = 3});
  std::vector<std::size_t> wrong(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < wrong.size(); ++t)
    threads.emplace_back([&, t] {
      auto scratch = sampler.scratch();
      auto row = sampler.row();
      for (std::size_t i = t; i < 400; i += 4) {
        sampler(3, i, scratch, row);
        wrong[t] += cells_that_differ(expected, i, row);
      }
    });
  for (auto& thread : threads)
    thread.join();
  CHECK(wrong == std::vector<std::size_t>(4, 0));
}

TEST_CASE("a model whose parts do not fit is refused when it is made", "[deploy]") {
  auto model = small::all_parts().front().model;
  const auto joint = [&model]() -> rs::JointCodes& {
    model = small::all_parts().back().model;
    return std::get<rs::JointCodes>(model.heads);
  };
  SECTION("noise") { model.noise_width = 3; }
  SECTION("scale") { model.latent_scale.pop_back(); }
  SECTION("bound") { model.latent_bound.pop_back(); }
  SECTION("a bound outside its range") { model.latent_bound.back() = 1; }
  SECTION("labels") { model.labels = {"no", "yes"}; }
  SECTION("decoder") { model.decoder_network = model.generator_network; }
  SECTION("no decoder") { model.decoder_network = {}; }
  SECTION("encoder") { model.encoder_network = model.generator_network; }
  SECTION("temperature") { model.temperature = 0; }
  SECTION("a mixture of another width") {
    small::mix_noise(model);
    ++model.mixture.width;
  }
  SECTION("a mixture without shares") {
    small::mix_noise(model);
    model.mixture.shares.pop_back();
  }
  SECTION("a mixture whose shares do not add up to 1") {
    small::mix_noise(model);
    model.mixture.shares.front() += 0.01;
  }
  SECTION("joint heads for other columns") {
    model.heads = std::get<rs::JointCodes>(small::all_parts().back().model.heads);
  }
  SECTION("joint heads with a code that is not there") { joint().groups.front().combinations.back() = 1000; }
  SECTION("joint heads that leave a column out") { joint().groups.pop_back(); }
  SECTION("joint heads whose combinations do not rise") {
    for (auto& group : joint().groups)
      if (group.width() > 1) {
        const auto second = group.combinations.begin() + static_cast<std::ptrdiff_t>(group.columns.size());
        std::swap_ranges(group.combinations.begin(), second, second);
      }
  }
  SECTION("autoregressive heads with a weight of another size") {
    model = small::all_parts().at(5).model;
    std::get<rs::AutoregressiveNetwork>(model.heads).weights.embedding.resize(10);
  }
  SECTION("autoregressive heads of another encoding") {
    model = small::all_parts().at(5).model;
    model.heads = small::all_parts().at(6).model.heads;
  }
  SECTION("autoregressive heads that take other codes for bins") {
    model = small::all_parts().at(9).model;
    auto codecs = model.encoder.codecs();
    // A point for a bin: as many codes as before.
    codecs[0].points.insert(codecs[0].points.begin(), codecs[0].knots.front() - 1);
    codecs[0].knots.erase(codecs[0].knots.begin() + 1);
    codecs[0].index_atoms();
    REQUIRE(codecs[0].fine_codes() == model.encoder.codecs()[0].fine_codes());
    model.encoder = rs::TableEncoder(codecs, model.encoder.schema());
    REQUIRE(model.encoder.width() == small::all_parts().at(9).model.encoder.width());
  }
  CHECK_THROWS_WITH(rs::TableModel(model), Contains("do not fit together"));
}

TEST_CASE("label shares that do not add up to 1, or are none, are refused", "[deploy]") {
  auto model = small::all_parts().at(1).model;
  REQUIRE(model.label_shares.size() == 2);
  CHECK_NOTHROW(rs::TableModel(model));
  for (const auto& wrong : std::vector<std::vector<double>>{{0.75, 0.2},
                                                            {0.75, 0.25001},
                                                            {1.5, -0.5},
                                                            {std::nan(""), 0.25},
                                                            {std::numeric_limits<double>::infinity(), 0},
                                                            {1}}) {
    model.label_shares = wrong;
    CHECK_THROWS_WITH(rs::TableModel(model), Contains("shares"));
  }
}

TEST_CASE("conditions on the label are kept, alone and in a batch, without allocations", "[deploy]") {
  const auto all = small::models();
  const auto& model = all.at(6).model; // labels "no" of 3 in 4 rows, and "yes"
  const rs::Sampler sampler(model);
  auto scratch = sampler.scratch();
  auto row = sampler.row();
  for (const auto& values : std::vector<std::vector<std::string>>{{"yes"}, {"yes", "no"}, {"no"}}) {
    const rs::SampleOptions options{.seed = 4, .conditions = {{"rich", values}}};
    const auto made = model.sample(500, options);
    const auto conditions = sampler.resolve(options.conditions);
    std::size_t wrong = 0;
    std::size_t yes = 0;
    const long before = allocation::count;
    for (std::size_t i = 0; i < 500; ++i) {
      wrong += sampler(4, i, conditions, scratch, row) ? 0 : 1;
      wrong += cells_that_differ(made, i, row);
      yes += row.category(5).text == "yes" ? 1 : 0;
    }
    CHECK(allocation::count == before);
    CHECK(wrong == 0);
    CHECK(static_cast<double>(yes) / 500 == Approx(values.size() == 2   ? 0.25
                                                   : values[0] == "yes" ? 1
                                                                        : 0)
                                                .margin(0.06));
  }
  // One value is what `label` says.
  CHECK(model.sample(50, {.seed = 4, .label = "yes"})[0].values ==
        model.sample(50, {.seed = 4, .conditions = {{"rich", {"yes"}}}})[0].values);
  const auto refused = [&](const std::vector<rs::Condition>& conditions, const char* why) {
    CHECK_THROWS_AS(sampler.resolve(conditions), rs::SchemaError);
    CHECK_THROWS_WITH(sampler.resolve(conditions), Contains(why));
  };
  refused({{"wage", {"1"}}}, "'wage'");
  refused({{"rich", {}}}, "no value");
  refused({{"rich", {"maybe"}}}, "'no', 'yes'");
  refused({{"rich", {"yes", "yes"}}}, "names 'yes' twice");
  refused({{"rich", {"yes"}}, {"rich", {"no"}}}, "allow no value together");
  CHECK_THROWS_WITH(model.sample(1, {.label = "no", .conditions = {{"rich", {"yes"}}}}),
                    Contains("allow none of the model"));
}

TEST_CASE("half precision reads half the bytes, and makes nearly the same rows and scores", "[deploy]") {
  for (const auto& [name, model] : small::models()) {
    CAPTURE(name);
    const rs::Sampler single(model);
    const rs::Sampler half(model, {.precision = rs::Precision::half});
    CHECK(half.generation_bytes() < single.generation_bytes());
    CHECK(half.generation_bytes() >= single.generation_bytes() / 2);
    auto scratch = single.scratch();
    auto half_scratch = half.scratch();
    auto row = single.row();
    auto half_row = half.row();
    constexpr std::size_t rows = 400;
    const auto made = model.sample(rows, {.seed = 3});
    std::size_t differ = 0;
    std::size_t far = 0;
    const bool trees = std::holds_alternative<rs::TreeNetwork>(model.heads()) ||
                       std::holds_alternative<rs::MixedNetwork>(model.heads());
    for (std::size_t i = 0; i < rows; ++i) {
      half(3, i, half_scratch, half_row);
      const std::size_t cells = cells_that_differ(made, i, half_row);
      differ += cells > 0 ? 1 : 0;
      row = row_of(single, made, i);
      const double score = single.score(row, scratch);
      const double near = half.score(row_of(half, made, i), half_scratch);
      far +=
          std::isfinite(score) == std::isfinite(near) &&
                  (!std::isfinite(score) || std::abs(near - score) <= 0.01 * std::max(1.0, std::abs(score)))
              ? 0
              : 1;
    }
    // Standardised numbers are never quite the same; a latent code near a threshold goes the other way in
    // trees.
    bool numbers = false;
    for (const auto& stretch : model.encoder().layout())
      numbers = numbers || !stretch.categorical;
    if (!numbers)
      CHECK(differ <= rows / 10);
    CHECK(far <= (trees ? rows / 20 : rows / 100));
    const long before = allocation::count;
    for (std::size_t i = 0; i < 50; ++i) {
      half(3, i, half_scratch, half_row);
      (void)half.score(half_row, half_scratch);
    }
    CHECK(allocation::count == before);
  }
}

TEST_CASE("half precision refuses weights that it cannot hold", "[deploy]") {
  auto parts = small::all_parts()[1].model;
  rs::InferenceNetwork network;
  for (auto layer : parts.generator_network.layers()) {
    if (layer.kind == rs::InferenceLayer::Kind::dense)
      layer.weight[0] = 70000;
    network.add(std::move(layer));
  }
  network.set_residual(parts.generator_network.residual());
  parts.generator_network = network;
  const rs::TableModel model(parts);
  CHECK_NOTHROW(rs::Sampler(model));
  CHECK_THROWS_WITH(rs::Sampler(model, {.precision = rs::Precision::half}),
                    Contains("Sampler: a weight beyond ±65504"));
}
