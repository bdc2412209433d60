// SPDX-License-Identifier: MIT
// Private trainings as a whole: what they spend, what they tell, and what they refuse.
#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/io/model_file.hpp>
#include <rowsmith/models/likelihood.hpp>
#include <rowsmith/train/private_trainer.hpp>

#include "small_training.hpp"

namespace rs = rowsmith;
using Catch::Contains;
using rs::PrivacySpending;

namespace {

using PrivateHeads =
    rs::Autoencoder<rs::Dense<8>, rs::ReLU, rs::Latent<2>, rs::AutoregressiveHeads<8, std::ratio<0>>>;
using PrivateTrainer = rs::PrivateTrainer<PrivateHeads>;

rs::TrainerOptions private_options(double epsilon, std::size_t steps = 60) {
  rs::TrainerOptions options{.recipe = "private"};
  options.autoencoder.optimiser = {.learning_rate = 0.02};
  options.privacy.epsilon = epsilon;
  options.privacy.delta = 1e-5;
  options.privacy.steps = steps;
  options.privacy.batch = 500;
  return options;
}

double share_of(const rs::Table& table, const std::string& name, const std::string& text) {
  const auto& column = table[name];
  const auto code = column.dictionary.find(text);
  return static_cast<double>(std::count(column.codes.begin(), column.codes.end(), code)) /
         static_cast<double>(table.rows());
}

} // namespace

TEST_CASE("a private training spends what it promises, all of it and no more", "[privacy]") {
  const auto table = small::table(3000);
  for (const auto& [pairs, steps] : {std::pair(rs::PrivatePairs::none, std::size_t{30}),
                                     std::pair(rs::PrivatePairs::label, std::size_t{0}),
                                     std::pair(rs::PrivatePairs::tree, std::size_t{30})}) {
    auto options = private_options(2, steps);
    options.privacy.pairs = pairs;
    const auto model = PrivateTrainer(options).fit(table);
    const auto& ledger = model.privacy();
    INFO("pairs " << static_cast<int>(pairs) << ", " << steps << " steps");
    CHECK(ledger.epsilon == 2);
    CHECK(ledger.delta == 1e-5);
    CHECK(ledger.spent(1e-5) <= 2 * (1 + 1e-9));
    CHECK(ledger.spent(1e-5) > 2 * 0.99);
    CHECK(std::count_if(ledger.spendings.begin(), ledger.spendings.end(),
                        [](const PrivacySpending& spending) { return spending.sampling_rate < 1; }) ==
          (steps > 0 ? 1 : 0));
    CHECK(std::any_of(ledger.spendings.begin(), ledger.spendings.end(), [](const PrivacySpending& spending) {
            return spending.kind == PrivacySpending::Kind::pure;
          }) == (pairs == rs::PrivatePairs::tree));
    CHECK(ledger.statement().find("(2, 1e-05)-differentially private") != std::string::npos);
  }
}

TEST_CASE("rows of a private model are like the table's, the more so the more may be told", "[privacy]") {
  const auto table = small::table(4000);
  const auto far = [&](double epsilon, std::size_t steps) {
    const auto made = PrivateTrainer(private_options(epsilon, steps)).fit(table).sample(4000, {.seed = 5});
    REQUIRE(made.schema() == table.schema());
    double result = 0;
    for (const auto* text : {"a", "b", "c"})
      result = std::max(result, std::abs(share_of(made, "kind", text) - share_of(table, "kind", text)));
    // The flag says the kind: nothing that is off is of kind a.
    std::size_t off = 0;
    std::size_t off_and_a = 0;
    for (std::size_t r = 0; r < made.rows(); ++r)
      if (made["flag"].cell(r).text() == "off") {
        ++off;
        off_and_a += made["kind"].cell(r).text() == "a" ? 1 : 0;
      }
    return result + static_cast<double>(off_and_a) / static_cast<double>(std::max<std::size_t>(off, 1));
  };
  // Counts alone, and counts with a training behind them, which adds noise of its own.
  CHECK(far(20, 0) < 0.06);
  CHECK(far(20, 60) < 0.25);
  CHECK(far(0.02, 0) > 0.1);
}

TEST_CASE("what only a few rows have is not told", "[privacy]") {
  auto columns = small::table(3000).into_columns();
  columns[0].codes[7] = columns[0].dictionary.insert("nobody else");
  columns[2].values[8] = 123456;
  columns[2].values[9] = -0.123456789;
  for (std::size_t r = 100; r < 500; ++r)
    columns[0].codes[r] = columns[0].dictionary.insert("many");
  const rs::Table table(std::move(columns), "flag");
  const auto model = PrivateTrainer(private_options(1)).fit(table);
  const auto& codecs = model.encoder().codecs();
  CHECK(std::find(codecs[0].categories.begin(), codecs[0].categories.end(), "many") !=
        codecs[0].categories.end());
  CHECK(std::find(codecs[0].categories.begin(), codecs[0].categories.end(), "nobody else") ==
        codecs[0].categories.end());
  CHECK(codecs[2].maximum < 100);
  CHECK(codecs[2].decimals == 1);
  const auto made = model.sample(2000, {.seed = 1});
  CHECK(*std::max_element(made["size"].values.begin(), made["size"].values.end()) < 100);
}

TEST_CASE("zero is a value of its own where many rows have it, whatever the digits of the others",
          "[privacy]") {
  auto columns = small::table(4000).into_columns();
  rs::RandomSequence random(rs::RandomStream(4, rs::Purpose::user));
  for (auto& value : columns[2].values)
    value = random.below(3) == 0 ? 0 : std::exp(3 * random.normal());
  columns[2].decimals = -1;
  const rs::Table table(std::move(columns), "flag");
  const auto model = PrivateTrainer(private_options(4, 0)).fit(table);
  const auto& codec = model.encoder().codecs()[2];
  CHECK(codec.decimals == -1);
  CHECK(codec.points == std::vector<double>{0});
  CHECK(codec.minimum == 0);
  const auto made = model.sample(4000, {.seed = 3});
  const auto& values = made["size"].values;
  CHECK(*std::min_element(values.begin(), values.end()) == 0);
  CHECK(static_cast<double>(std::count(values.begin(), values.end(), 0.0)) / 4000 ==
        Approx(1 / 3.0).margin(0.05));
  CHECK(std::count_if(values.begin(), values.end(), [](double v) { return v > 0.05 && v < 20; }) > 1000);
}

TEST_CASE("what is declared is not paid for, and said to be public", "[privacy]") {
  const auto table = small::table(2000);
  auto options = private_options(1, 0);
  const auto looks = PrivateTrainer(options).fit(table).privacy().spendings[1].count;
  options.privacy.domains = {{.name = "size", .minimum = -10, .maximum = 20, .decimals = 1},
                             {.name = "kind", .categories = {"a", "b", "c", "d"}}};
  const auto model = PrivateTrainer(options).fit(table);
  CHECK(model.privacy().spendings[1].count == looks - 2);
  CHECK(model.encoder().codecs()[0].categories == std::vector<std::string>{"a", "b", "c", "d"});
  CHECK(model.encoder().codecs()[2].minimum >= -10);
  CHECK(model.privacy().statement().find("what is declared of column 'size'") != std::string::npos);

  const auto refused = [&](const rs::ColumnDomain& domain) {
    auto wrong = options;
    wrong.privacy.domains = {domain};
    CHECK_THROWS_AS(PrivateTrainer(wrong).fit(table), rs::Error);
  };
  refused({.name = "nobody"});
  refused({.name = "kind", .minimum = 0, .maximum = 1});
  refused({.name = "size", .categories = {"a"}});
  refused({.name = "size", .minimum = 3});
  refused({.name = "size", .minimum = 3, .maximum = 2});
  refused({.name = "size", .decimals = 9});
  refused({.name = "kind", .categories = {"a", "a"}});
}

TEST_CASE("columns of texts become numbers where nearly all rows hold one", "[privacy]") {
  auto columns = small::table(2500).into_columns();
  auto texts = rs::Column::categorical("size");
  for (const double value : columns[2].values) {
    std::string text = std::to_string(std::lround(10 * value));
    texts.codes.push_back(texts.dictionary.insert(text));
  }
  texts.codes[3] = texts.dictionary.insert("none");
  columns[2] = texts;
  const rs::Table table(std::move(columns), "flag");
  auto options = private_options(3, 20);
  options.privacy.learn_kinds = true;
  const auto model = PrivateTrainer(options).fit(table);
  CHECK(model.schema()[2].kind == rs::ColumnKind::numerical);
  CHECK(model.schema()[0].kind == rs::ColumnKind::categorical);
  CHECK(model.encoder().codecs()[2].decimals == 0);
  CHECK(model.privacy().spent(1e-5) <= 3 * (1 + 1e-9));
  CHECK(std::any_of(model.privacy().spendings.begin(), model.privacy().spendings.end(),
                    [](const PrivacySpending& spending) { return spending.decides && spending.count == 3; }));
}

TEST_CASE(
    "noise is the system's: two private trainings differ; with one key they are the same on any threads",
    "[privacy][threads]") {
  const auto table = small::table(1500);
  auto options = private_options(2, 15);
  const auto weights = [](const rs::TableModel& model) {
    return std::get<rs::AutoregressiveNetwork>(model.heads()).weights.output_bias;
  };
  const auto same = [](const rs::AlignedBuffer<float>& a, const rs::AlignedBuffer<float>& b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin());
  };
  CHECK_FALSE(same(weights(PrivateTrainer(options).fit(table)), weights(PrivateTrainer(options).fit(table))));
  const rs::NoiseSource known(std::array<std::uint32_t, 8>{1, 1, 2, 3, 5, 8, 13, 21});
  options.threads = 1;
  const auto alone = weights(PrivateTrainer(options).fit(table, known));
  for (const int threads : {2, 3}) {
    options.threads = threads;
    CHECK(same(weights(PrivateTrainer(options).fit(table, known)), alone));
  }
}

TEST_CASE("a private model is saved with its ledger, and refused if that was altered", "[privacy]") {
  const auto table = small::table(1200);
  const auto model = PrivateTrainer(private_options(1.5, 10)).fit(table);
  const auto file = rs::pack_model(model);
  const auto back = rs::unpack_model(file);
  CHECK(back.privacy().statement() == model.privacy().statement());
  CHECK(back.sample(50, {.seed = 2})["size"].values == model.sample(50, {.seed = 2})["size"].values);
  const auto altered = [&](const std::string& from, const std::string& to) {
    auto other = file;
    auto& json = other.metadata["model"];
    const auto at = json.find(from, json.find("\"privacy\""));
    REQUIRE(at != std::string::npos);
    json.replace(at, from.size(), to);
    CHECK_THROWS_WITH(rs::unpack_model(other),
                      Contains("privacy") || Contains("ledger") || Contains("epsilon"));
  };
  // No loss of a row is told that the ledger did not pay for.
  CHECK(model.parts().curves.empty());
  CHECK(file.metadata.at("model").find("\"training\":") == std::string::npos);
  altered("\"privacy\":",
          "\"training\":[{\"stage\":\"gan\",\"end\":\"stopped\",\"epochs\":1,\"figures\":[\"loss\"],"
          "\"steps\":[1],\"values\":[1]}],\"privacy\":");
  altered("\"epsilon\":1.5", "\"epsilon\":0.5");
  altered("\"delta\":1e-05", "\"delta\":1e-09");
  altered("\"kind\":\"gaussian\"", "\"kind\":\"pure\"");
  altered("\"sampling_rate\":", "\"sampling_rate\":-");
  altered("\"noise_multiplier\":", "\"noise_multiplier\":1e-9,\"unread\":");
  altered("\"count\":1.0", "\"count\":1e300");
  altered("\"spendings\":[", "\"spendings\":[],\"unread\":[");
}

TEST_CASE("a variational autoencoder trains with privacy, too, and a GAN in its latent space", "[privacy]") {
  const auto table = small::table(2000);
  auto options = private_options(8);
  for (const auto parts : {rs::PrivateParts::heads_and_encoder, rs::PrivateParts::heads_encoder_and_gan}) {
    options.privacy.parts = parts;
    const auto model = PrivateTrainer(options).fit(table);
    const bool gan = parts == rs::PrivateParts::heads_encoder_and_gan;
    CHECK(model.privacy().spent(1e-5) <= 8 * (1 + 1e-9));
    CHECK(model.privacy().spent(1e-5) > 8 * 0.99);
    // The discriminator's steps are paid for as well.
    CHECK(std::count_if(model.privacy().spendings.begin(), model.privacy().spendings.end(),
                        [](const PrivacySpending& spending) { return spending.sampling_rate < 1; }) ==
          (gan ? 2 : 1));
    CHECK((model.parts().generator_network.layers().size() > 1) == gan);
    const auto made = model.sample(2000, {.seed = 5});
    CHECK(std::abs(share_of(made, "kind", "a") - share_of(table, "kind", "a")) < 0.25);
  }
}

TEST_CASE("what there is no private form of is refused", "[privacy]") {
  const auto refused = [](auto change, const std::string& why) {
    auto options = private_options(1);
    change(options);
    CHECK_THROWS_WITH(PrivateTrainer(options), Contains(why));
  };
  refused([](auto& o) { o.privacy.epsilon = 0; }, "privacy.epsilon");
  refused([](auto& o) { o.privacy.epsilon = 101; }, "privacy.epsilon");
  refused([](auto& o) { o.privacy.delta = 0; }, "privacy.delta");
  refused([](auto& o) { o.privacy.counts = 1; }, "privacy.counts");
  refused([](auto& o) { o.conditional = true; }, "conditional");
  refused([](auto& o) { o.preparation.relations = {"a = b + c"}; }, "relations");
  refused([](auto& o) { o.autoencoder.optimiser.clip_norm = 1; }, "clip_norm");
  // A recipe without a guarantee makes no promise.
  CHECK_THROWS_WITH(small::Trainer(private_options(1)), Contains("without a guarantee"));
  rs::CheckpointStore store;
  store.save = [](const rs::TensorFile&) {};
  CHECK_THROWS_WITH(PrivateTrainer(private_options(1)).fit(small::table(100), {}, store),
                    Contains("no checkpoints"));
  CHECK_THROWS_AS(PrivateTrainer(private_options(1)).fit(small::table(9)), rs::SchemaError);
}

TEST_CASE("progress of a private training tells nothing of the rows", "[privacy]") {
  std::size_t calls = 0;
  auto options = private_options(1, 40);
  PrivateTrainer trainer(options);
  const auto model = trainer.fit(small::table(500), [&](const rs::Progress& progress) {
    ++calls;
    CHECK(progress.values.empty());
    return calls == 5 ? rs::ProgressAction::stop : rs::ProgressAction::go_on;
  });
  CHECK(calls == 5);
  REQUIRE(trainer.stages().size() == 1);
  CHECK(trainer.stages()[0].stopped);
  // Stopped early, it has spent what was planned at most.
  CHECK(model.privacy().spent(1e-5) <= 1 * (1 + 1e-9));
}
