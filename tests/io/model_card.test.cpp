// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/io/model_card.hpp>
#include <rowsmith/io/model_card_page.hpp>
#include <rowsmith/io/model_file.hpp>
#include <rowsmith/models/autoencoder.hpp>
#include <rowsmith/models/gan.hpp>

namespace rs = rowsmith;
using Catch::Matchers::Contains;

namespace {

// A model that has learnt nothing of a table of 600 rows.
rs::TableModel model_of(const rs::Table& table, rs::EncodingOptions encoding,
                        std::map<std::string, std::string> notes) {
  rs::TableModelParts model;
  // Of a lookup, all keys have to be categories.
  model.preparation = rs::Preparation::fit(table, {.lookups = encoding.min_category_rows == 0});
  const auto prepared = model.preparation.forward(table);
  model.encoder = rs::TableEncoder::fit(prepared, encoding);
  const auto encoded = model.encoder.encode(prepared);
  const rs::Autoencoder<rs::Dense<4>, rs::ReLU, rs::Latent<2>, rs::IndependentHeads> autoencoder(
      model.encoder, false, 1, {&encoded});
  const auto weights = autoencoder.layout().initialise<float>(1);
  model.encoder_network = autoencoder.encoder_network(weights.data());
  model.decoder_network = autoencoder.decoder_network(weights.data());
  model.heads = autoencoder.heads_network(weights.data());
  const rs::Generator<rs::Noise<2>, rs::Dense<2>, rs::Tanh> generator(0);
  model.generator_network = generator.network(generator.layout().initialise<float>(2).data());
  model.noise_width = 2;
  model.latent_scale = {1, 1};
  model.latent_offset = {0, 0};
  model.notes = std::move(notes);
  return rs::TableModel(std::move(model));
}

rs::Table table() {
  auto town = rs::Column::categorical("town");
  auto country = rs::Column::categorical("country");
  auto kind = rs::Column::numerical("kind", {}, 0);
  auto price = rs::Column::numerical("price", {}, 2);
  auto day = rs::Column::numerical("day", {}, 0);
  auto same = rs::Column::numerical("same", {}, 0);
  for (std::size_t i = 0; i < 600; ++i) {
    const std::size_t t = i * i % 23 % 12;
    town.codes.push_back(town.dictionary.insert("t" + std::to_string(t)));
    country.codes.push_back(country.dictionary.insert(t % 3 == 0 ? "DE" : "FR"));
    kind.values.push_back(static_cast<double>(i * 7 % 5));
    price.values.push_back(i % 4 == 0 ? 9.99 : 100 + 0.37 * static_cast<double>(i * i % 599));
    day.values.push_back(18'000 + static_cast<double>(i * i % 401));
    same.values.push_back(3);
  }
  return rs::Table({town, country, kind, price, day, same});
}

const rs::CardColumn& column(const std::vector<rs::CardColumn>& columns, const std::string& name) {
  for (const auto& one : columns)
    if (one.name == name)
      return one;
  throw rs::SchemaError("no column " + name);
}

} // namespace

TEST_CASE("a model's card counts what it repeats, and of how many rows", "[io]") {
  const auto card = rs::model_card(model_of(table(), {}, {{"recipe", "trees"}, {"training_rows", "600"}}));
  CHECK(card.recipe == "trees");
  CHECK(card.training_rows == 600);
  REQUIRE(card.columns.size() == 6);
  const auto copied = [&](const char* name) {
    std::string text;
    for (const auto& values : column(card.columns, name).copied)
      text +=
          std::to_string(values.count) + " " + values.what + " " + std::to_string(values.least_rows) + "; ";
    return text;
  };
  CHECK(copied("town") == "8 categories 1; ");
  CHECK(copied("country") == "2 values in a table 1; 8 keys of it 1; ");
  CHECK_THAT(column(card.columns, "country").otherwise, Contains("put back: ") && Contains("'town'"));
  CHECK(copied("kind") == "5 values 1; ");
  CHECK(copied("price") == "1 point masses 5; ");
  CHECK_THAT(column(card.columns, "price").otherwise, Contains("numbers drawn from 9.99 to 32"));
  CHECK(copied("day").empty());
  CHECK(copied("same") == "1 value 1; ");
  CHECK(card.relations.size() == 2);
  const auto text = to_text(card);
  CHECK_THAT(text, Contains("recipe trees, of 600 rows") && Contains("8 categories (of 1 row or more)") &&
                       Contains("1 point masses (of 5 rows or more)") && Contains("'same' is always 3") &&
                       Contains("nothing"));
}

TEST_CASE("a card says what options and the file's format say", "[io]") {
  rs::TableFormat format;
  for (const char* name : {"key", "town", "country", "kind", "price", "note", "day", "same"}) {
    format.columns.push_back({.name = name, .role = rs::ColumnRole::real});
    const std::string text = name;
    if (text == "town" || text == "country")
      format.columns.back().role = rs::ColumnRole::category;
    if (text == "key" || text == "day") {
      format.columns.back().role = text == "key" ? rs::ColumnRole::identifier : rs::ColumnRole::date;
      format.columns.back().pattern = text == "key" ? "#" : "YYYY-MM-DD";
    }
    if (text == "note")
      format.columns.back().role = rs::ColumnRole::text;
  }
  const auto model =
      model_of(table(), {.unseen = rs::UnseenCategory::other, .min_category_rows = 60},
               {{"format", rs::to_json(format)}, {"options", "seed = 0\nencoding.min_category_rows = 60\n"}});
  const auto card = rs::model_card(model);
  CHECK_FALSE(card.training_rows);
  REQUIRE(card.columns.size() == 8);
  CHECK(column(card.columns, "key").otherwise == "made anew");
  CHECK(column(card.columns, "key").copied.empty());
  CHECK(column(card.columns, "note").otherwise == "a placeholder");
  REQUIRE(column(card.columns, "town").copied.size() == 1);
  CHECK(column(card.columns, "town").copied[0].least_rows == 60);
  CHECK(column(card.columns, "town").copied[0].count < 8);
  CHECK_THAT(column(card.columns, "town").otherwise, Contains("rarer ones are '(other)'"));
  CHECK(column(card.columns, "day").role == "date");
  CHECK_THAT(column(card.columns, "day").otherwise, Contains("numbers drawn from 2019-0"));
  CHECK_THAT(to_text(card), Contains("recipe unknown"));
  // Axes have dates, not the days since 1970 that the model knows.
  const auto page = rs::description_of(card, "people.model");
  for (const auto& one : page.columns)
    if (one.name == "day")
      CHECK_THAT(one.picture, Contains(">2019-0") && Contains(">2020-0"));
}

TEST_CASE("pictures are drawn of as many columns of a card as the page shows", "[io]") {
  rs::ModelCard card;
  card.columns.assign(150, {.name = "x", .edges = {1, 2}});
  card.made = card.columns;
  const auto page = rs::description_of(card, "wide.model");
  REQUIRE(page.columns.size() == 300);
  CHECK_FALSE(page.columns[rs::evaluate::described_pictures - 1].picture.empty());
  CHECK(page.columns[rs::evaluate::described_pictures].picture.empty());
}

TEST_CASE("a card tells how the training went and what the model holds, in words and on a page", "[io]") {
  auto parts = model_of(table(), {}, {{"recipe", "<b>"}}).parts();
  CHECK(to_text(rs::model_card(rs::TableModel(parts))).find("training, stage by stage") == std::string::npos);
  parts.curves = {{.stage = "refit & more",
                   .end = rs::StageEnd::converged,
                   .epochs = 30,
                   .figures = {"loss", "validation"},
                   .steps = {10, 20, 30},
                   .values = {5, 6, 4, 4.5, 3, 5}}};
  const auto card = rs::model_card(rs::TableModel(parts));
  CHECK_THAT(to_text(card),
             Contains("refit & more: 30 epochs, 30 steps; ended because held-out rows got no "
                      "likelier any more; loss 5.000 to 3.000; validation 6.000 to 5.000, least "
                      "of the points that were kept 4.500 after step 20"));
  parts.curves[0].best = rs::BestEpoch{.step = 17, .loss = 4.25}; // between two points
  CHECK_THAT(to_text(rs::model_card(rs::TableModel(parts))),
             Contains("validation 6.000 to 5.000, least 4.250 after step 17"));
  const auto page = to_html(rs::description_of(card, "people.model"));
  CHECK_THAT(page, Contains("refit &amp; more") && Contains("recipe &lt;b&gt;") && !Contains("<b>,"));
  CHECK_THAT(page, Contains("t0, t1") && Contains("Edges of bins") && Contains("'same' is always 3"));
  // Both lines have the axis from 3 to 6, and a point for each step.
  CHECK_THAT(page, Contains("<polyline class=\"lr\" points=\"56.0,70.0 ") &&
                       Contains("<polyline class=\"ls\" points=\"56.0,8.0 "));
}

TEST_CASE("the file of a model is told from a table", "[io]") {
  const auto path =
      (std::filesystem::temp_directory_path() / ("rowsmith-card-" + std::to_string(rand()))).string();
  rs::save_model(model_of(table(), {}, {}), path);
  CHECK(rs::looks_like_model(path));
  for (const std::string bytes : {"a,b\n1,{2\n", "{\"a\": 1}", "", "12345678{"}) {
    std::ofstream(path, std::ios::binary) << bytes;
    CHECK_FALSE(rs::looks_like_model(path));
  }
  std::filesystem::remove(path);
  CHECK_FALSE(rs::looks_like_model(path));
}
