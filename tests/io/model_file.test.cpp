// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/io/checkpoint.hpp>
#include <rowsmith/io/model_file.hpp>
#include <rowsmith/io/model_json.hpp>
#include <rowsmith/io/safetensors.hpp>
#include <rowsmith/models/autoencoder.hpp>
#include <rowsmith/models/gan.hpp>

#include "../deploy/small_models.hpp"

namespace rs = rowsmith;

namespace {
rs::Table small_table() {
  auto city = rs::Column::categorical("city");
  auto size = rs::Column::numerical("size", {}, 2);
  auto age = rs::Column::numerical("age", {}, 0);
  for (int i = 0; i < 400; ++i) {
    city.codes.push_back(
        city.dictionary.insert(i % 3 == 0 ? "Köln" : (i % 3 == 1 ? "\"quoted\", Rome" : "Oslo")));
    size.values.push_back(i % 7 == 0 ? std::nan("") : 0.37 * i);
    age.values.push_back(i % 50);
  }
  return rs::Table({city, size, age}, "city");
}

template <class Heads = rs::IndependentHeads>
rs::TableModelParts small_parts(bool conditional,
                                rs::NumericalEncoding numerical = rs::NumericalEncoding::standardised,
                                const rs::Table& table = small_table()) {
  rs::TableModelParts model;
  model.encoder = rs::TableEncoder::fit(table, {.numerical = numerical});
  const auto encoded = model.encoder.encode(table);
  const rs::Autoencoder<rs::Dense<12>, rs::ReLU, rs::LayerNorm, rs::Latent<4>, Heads> autoencoder(
      model.encoder, false, 1, {&encoded});
  const auto weights = autoencoder.layout().template initialise<float>(1);
  model.encoder_network = autoencoder.encoder_network(weights.data());
  model.decoder_network = autoencoder.decoder_network(weights.data());
  model.heads = autoencoder.heads_network(weights.data());
  if (conditional) {
    model.labels = model.encoder.codecs()[0].categories;
    model.label_shares = {0.25, 0.5, 0.25};
  }
  const rs::Generator<rs::Noise<5>, rs::Dense<9>, rs::LeakyReLU, rs::Dense<4>, rs::Tanh> generator(
      static_cast<rs::Index>(model.labels.size()));
  model.generator_network = generator.network(generator.layout().initialise<float>(2).data());
  model.noise_width = 5;
  model.latent_scale = {1, 2, 3, 4};
  model.latent_offset = {0, 0.5F, -1, 2};
  model.temperature = 0.75;
  model.notes = {{"recipe", "test"}};
  return model;
}
template <class Heads = rs::IndependentHeads>
rs::TableModel small_model(bool conditional,
                           rs::NumericalEncoding numerical = rs::NumericalEncoding::standardised) {
  return rs::TableModel(small_parts<Heads>(conditional, numerical));
}

/// A file with another value at a place of its JSON.
rs::TensorFile altered(rs::TensorFile file, const std::string& path, const nlohmann::json& value) {
  auto json = nlohmann::json::parse(file.metadata["model"]);
  json[nlohmann::json::json_pointer(path)] = value;
  file.metadata["model"] = json.dump();
  return file;
}
std::string text_of(const rs::Table& table) {
  std::string text;
  for (std::size_t r = 0; r < table.rows(); ++r)
    for (const auto& column : table.columns())
      text += column.is_missing(r)                       ? "?"
              : column.kind == rs::ColumnKind::numerical ? std::to_string(column.values[r])
                                                         : column.dictionary.text(column.codes[r]);
  return text;
}

struct TemporaryFile {
  std::string path =
      (std::filesystem::temp_directory_path() / ("rowsmith-model-" + std::to_string(rand()))).string();
  ~TemporaryFile() { std::filesystem::remove(path); }
};
} // namespace

TEST_CASE("a saved model makes the same rows when loaded", "[io]") {
  const bool conditional = GENERATE(false, true);
  const auto model = small_model(conditional);
  const TemporaryFile file;
  rs::save_model(model, file.path);
  const auto loaded = rs::load_model(file.path);
  CHECK(text_of(loaded.sample(100, {.seed = 5})) == text_of(model.sample(100, {.seed = 5})));
  CHECK(loaded.parts().temperature == 0.75);
  CHECK(loaded.parts().notes.at("recipe") == "test");
  CHECK(loaded.schema() == model.schema());
  CHECK((rs::format_model(loaded) == rs::format_model(model)));
  if (conditional)
    CHECK(text_of(loaded.sample(20, {.seed = 5, .label = "Oslo"})) ==
          text_of(model.sample(20, {.seed = 5, .label = "Oslo"})));
}

TEST_CASE("a folder is no model file", "[io]") {
  const auto folder = std::filesystem::temp_directory_path().string();
  CHECK_THROWS_AS(rs::load_model(folder), rs::ModelFileError);
  CHECK_THROWS_WITH(rs::load_model(folder), Catch::Contains(folder));
}

TEST_CASE("a truncated, altered or foreign file is refused with a reason", "[io]") {
  const auto bytes = rs::format_model(small_model(false));
  REQUIRE_NOTHROW(rs::parse_model(bytes));
  SECTION("truncated anywhere") {
    for (std::size_t size = 0; size < bytes.size(); size += 97)
      CHECK_THROWS_AS(rs::parse_model(std::string_view(bytes).substr(0, size)), rs::ModelFileError);
    CHECK_THROWS_AS(rs::parse_model(bytes + "x"), rs::ModelFileError);
  }
  SECTION("one bit altered anywhere") {
    rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
    for (int i = 0; i < 300; ++i) {
      auto altered = bytes;
      altered[random.below(static_cast<std::uint32_t>(bytes.size()))] ^=
          static_cast<char>(1U << random.below(8));
      CHECK_THROWS_AS(rs::parse_model(altered), rs::ModelFileError);
    }
  }
  SECTION("foreign") {
    const TemporaryFile file;
    std::ofstream(file.path) << "age,income\n39,<=50K\n";
    CHECK_THROWS_WITH(rs::load_model(file.path), Catch::Contains(file.path));
    CHECK_THROWS_WITH(rs::load_model("/no/such/file"), Catch::Contains("cannot be opened"));
    CHECK_THROWS_AS(rs::parse_model(std::string(1000, '\0')), rs::ModelFileError);
    CHECK_THROWS_AS(rs::parse_model(std::string(1000, '\xFF')), rs::ModelFileError);
  }
}

TEST_CASE("a file whose checksum is right but whose content lies is refused", "[io]") {
  // An attacker can make the checksum fit; every part must be checked on its own.
  const auto model = small_model(true);
  const auto file = rs::parse_tensor_file(rs::format_model(model));
  const auto refused = [](const rs::TensorFile& content) {
    CHECK_THROWS_AS(rs::parse_model(rs::format_tensor_file(content)), rs::ModelFileError);
  };
  SECTION("a tensor missing, too many, of another shape, not finite") {
    for (const auto& [name, tensor] : file.tensors) {
      auto content = file;
      content.tensors.erase(name);
      refused(content);
      content = file;
      content.tensors[name].values[0] = std::nanf("");
      refused(content);
      content = file;
      content.tensors[name].shape.push_back(1);
      refused(content);
    }
    auto content = file;
    content.tensors["extra"] = {{1}, rs::AlignedBuffer<float>(1)};
    refused(content);
  }
  SECTION("the model's JSON changed") {
    rs::RandomSequence random(rs::RandomStream(2, rs::Purpose::user));
    const auto& json = file.metadata.at("model");
    std::size_t accepted = 0;
    for (int i = 0; i < 1500; ++i) {
      auto content = file;
      auto& text = content.metadata["model"];
      switch (random.below(3)) {
      case 0:
        text[random.below(static_cast<std::uint32_t>(json.size()))] =
            static_cast<char>(32 + random.below(95));
        break;
      case 1:
        text.erase(random.below(static_cast<std::uint32_t>(json.size())), 1 + random.below(20));
        break;
      default:
        text.insert(random.below(static_cast<std::uint32_t>(json.size())), std::to_string(random.bits()));
      }
      try {
        // Some changes are another valid model; then it must work.
        const auto parsed = rs::parse_model(rs::format_tensor_file(content));
        CHECK(parsed.sample(3).rows() == 3);
        ++accepted;
      } catch (const rs::ModelFileError&) {
      }
    }
    CHECK(accepted < 900); // most changes are refused
  }
  SECTION("parts that do not fit together") {
    const auto with = [&](const char* member, const nlohmann::json& value) {
      refused(altered(file, member, value));
    };
    with("/noise_width", 6);
    with("/noise_width", -1);
    with("/noise_width", 1e300);
    with("/labels", {"Oslo"});
    with("/label_shares", {0.5, 0.5});
    with("/label_shares", {2, 0, 0});
    with("/label_shares", {0.25, 0.5, 0.2});
    with("/schema/label", "size");
    with("/schema/label", "nobody");
    with("/schema/columns/0/name", "age");
    with("/schema/columns/0/kind", "numerical");
    with("/columns/0/categories", {"z", "a", "b"});
    with("/columns/1/sd", 0);
    with("/columns/1/decimals", 100000);
    with("/temperature", 0);
    with("/decoding", "guess");
    with("/networks/decoder/0/inputs", 1 << 20);
    with("/networks/decoder/0/kind", "convolution");
    with("/networks/decoder", nlohmann::json::array());
  }
  SECTION("another version") {
    auto content = file;
    for (const std::string version : {"0", "8", "45", ""}) {
      content.metadata["format_version"] = version;
      CHECK_THROWS_WITH(rs::parse_model(rs::format_tensor_file(content)),
                        Catch::Contains("version '" + version + "'"));
    }
  }
}

TEST_CASE("a model file holds no training value of a continuous column", "[io]") {
  const auto numerical = GENERATE(rs::NumericalEncoding::standardised, rs::NumericalEncoding::codes);
  const double scale = GENERATE(1e-6, 1.0, 1e9);
  auto amount = rs::Column::numerical("amount");
  auto kind = rs::Column::categorical("kind");
  rs::RandomSequence random(rs::RandomStream(3, rs::Purpose::user));
  std::set<double> values;
  std::set<float> floats;
  for (int i = 0; i < 3000; ++i) {
    amount.values.push_back(scale * (random.normal() + 0.5));
    kind.codes.push_back(kind.dictionary.insert(i % 2 == 0 ? "a" : "b"));
    values.insert(amount.values.back());
    floats.insert(static_cast<float>(amount.values.back()));
  }
  const rs::TableModel model(small_parts(false, numerical, rs::Table({amount, kind})));
  const auto file = rs::pack_model(model);
  std::size_t numbers = 0;
  std::size_t copied = 0;
  const std::function<void(const nlohmann::json&)> visit = [&](const nlohmann::json& json) {
    if (json.is_structured())
      for (const auto& part : json)
        visit(part);
    else if (json.is_number()) {
      ++numbers;
      copied += values.contains(json.get<double>()) ? 1 : 0;
    }
  };
  visit(nlohmann::json::parse(file.metadata.at("model")));
  for (const auto& [name, tensor] : file.tensors)
    for (const float value : tensor.values)
      copied += floats.contains(value) && value != 0 ? 1 : 0;
  CHECK(numbers > 20);
  CHECK(copied == 0);
  // The declared range still holds every value, and hardly more.
  const auto& codec = model.encoder().codecs()[0];
  const double width = *values.rbegin() - *values.begin();
  CHECK(codec.minimum <= *values.begin());
  CHECK(codec.maximum >= *values.rbegin());
  CHECK(codec.minimum > *values.begin() - width / 20);
  CHECK(codec.maximum < *values.rbegin() + width / 20);
}

TEST_CASE("a model with atoms survives saving, and wrong atoms are refused", "[io]") {
  auto amount = rs::Column::numerical("amount", {}, 2);
  auto kind = rs::Column::categorical("kind");
  rs::RandomSequence random(rs::RandomStream(4, rs::Purpose::user));
  for (int i = 0; i < 4000; ++i) {
    const double x = std::floor(1e5 * random.uniform()) / 100;
    amount.values.push_back(i % 2 == 0 ? 10 * std::floor(x / 10) : x);
    kind.codes.push_back(kind.dictionary.insert(i % 3 == 0 ? "a" : "b"));
  }
  const rs::Table table({amount, kind});
  const rs::TableModel model(small_parts(false, rs::NumericalEncoding::codes, table));
  const auto& atoms = model.encoder().codecs()[0].atoms;
  REQUIRE(atoms.size() > 50);
  const auto file = rs::pack_model(model);
  CHECK(file.metadata.at("format_version") == "3");
  const auto again = rs::parse_model(rs::format_model(model));
  CHECK(again.encoder().codecs()[0].atoms == atoms);
  CHECK(text_of(again.sample(500, {.seed = 4})) == text_of(model.sample(500, {.seed = 4})));
  CHECK((rs::format_model(again) == rs::format_model(model)));
  const auto with = [&file](const std::string& path, const nlohmann::json& value, const char* why) {
    const auto content = altered(file, path, value);
    CAPTURE(path, value.dump());
    CHECK_THROWS_AS(rs::unpack_model(content), rs::ModelFileError);
    CHECK_THROWS_WITH(rs::unpack_model(content), Catch::Contains(why));
  };
  with("/columns/0/atoms/7", atoms[8], "do not rise");
  with("/columns/0/atoms/7", atoms[9], "do not rise");
  with("/columns/0/atoms/7", "ten", "not a list of finite numbers");
  with("/columns/0/atoms", 10, "not a list");
  with("/columns/0/atoms", nullptr, "not a list");
  with("/columns/0/atoms/0", -1e9, "in no bin");
  with("/columns/0/atoms/" + std::to_string(atoms.size() - 1), 1e9, "in no bin");
  with("/columns/0/fine", 0, "without a fine code");
  with("/columns/0/kind", "exact", "has a fine code");
  with("/columns/1/atoms", {1}, "without a fine code");
  with("/columns/0/atoms", {atoms.front()}, "do not fit together");
  with("/columns/0/atoms", nlohmann::json::array(), "do not fit together");
}

TEST_CASE("a file has the oldest version that can say what the model is", "[io]") {
  const auto version = [](const rs::TableModelParts& parts) {
    return rs::pack_model(rs::TableModel(parts)).metadata.at("format_version");
  };
  auto columns = small_table().into_columns();
  for (double& age : columns[2].values) // so few values that each is a code
    age = std::fmod(age, 20);
  const rs::Table table(columns, "city");
  const auto codes = rs::NumericalEncoding::codes;
  auto plain = small_parts(true, rs::NumericalEncoding::standardised, table);
  CHECK(version(plain) == "1");
  CHECK(version(small_parts<rs::JointHeads<100>>(true, codes, table)) == "1");
  CHECK(version(small_parts<rs::AutoregressiveHeads<6>>(true, codes, table)) == "3");
  // Earlier versions would write distances for numbers that are counted from an origin.
  auto counted = plain;
  counted.notes["format"] = "{\"columns\":[{\"name\":\"age\",\"origin\":\"9007199254740993000\"}]}";
  CHECK(version(counted) == "5");
  columns.push_back(rs::Column::numerical("one", std::vector<double>(400, 1.0)));
  plain.preparation = rs::Preparation::fit(rs::Table(std::move(columns), "city"));
  CHECK(version(plain) == "2");
}

TEST_CASE("autoregressive heads survive saving, and wrong ones are refused", "[io]") {
  const auto model = small_model<rs::AutoregressiveHeads<6>>(true, rs::NumericalEncoding::codes);
  const auto file = rs::pack_model(model);
  const auto again = rs::parse_model(rs::format_model(model));
  CHECK(text_of(again.sample(300, {.seed = 4})) == text_of(model.sample(300, {.seed = 4})));
  const auto with = [&file](const char* path, const nlohmann::json& value) {
    const auto content = altered(file, path, value);
    CAPTURE(path, value.dump());
    CHECK_THROWS_AS(rs::unpack_model(content), rs::ModelFileError);
  };
  with("/heads/kind", "independent");
  with("/heads/kind", "other");
  {
    auto content = file;
    auto json = nlohmann::json::parse(content.metadata["model"]);
    CHECK(json["heads"]["kind"] == "embedded");
    json["heads"]["kind"] = "autoregressive"; // what earlier versions wrote
    content.metadata["model"] = json.dump();
    CHECK_THROWS_AS(rs::unpack_model(content), rs::ModelFileError);
    CHECK_THROWS_WITH(rs::unpack_model(content),
                      Catch::Contains("earlier versions") && Catch::Contains("train it again"));
  }
  with("/heads/width", 7);
  with("/heads/width", 0);
  with("/heads/inputs", 5);
  with("/heads/order", {0, 1});
  with("/heads/order", {0, 1, 1});
  with("/heads/order", {0, 1, 3});
  with("/heads/order", {0, 1, 1.5});
  with("/heads/order", {0, 1, 4294967298});
  with("/heads/order", "first");
  for (const auto& [name, tensor] : file.tensors)
    if (name.rfind("heads.", 0) == 0) {
      auto content = file;
      content.tensors.erase(name);
      CHECK_THROWS_WITH(rs::unpack_model(content), Catch::Contains(name));
      content = file;
      content.tensors[name].values[0] = std::numeric_limits<float>::quiet_NaN();
      CHECK_THROWS_WITH(rs::unpack_model(content), Catch::Contains(name));
    }
}

TEST_CASE("a linear path between columns survives saving, and wrong ones are refused", "[io]") {
  auto columns = small_table().select(std::vector<std::size_t>{}).into_columns();
  for (int i = 0; i < 140; ++i) {
    const double wave = std::sin(7.0 * i * i);
    columns[0].codes.push_back(wave < -0.5 ? 0 : wave < 0.4 ? 1 : 2);
    columns[1].values.push_back(std::round(100 * wave) / 10);
    columns[2].values.push_back(std::round(10 * wave) + i % 3);
  }
  const rs::Table related(std::move(columns), "city");
  const auto parts = small_parts<rs::AutoregressiveHeads<6>>(true, rs::NumericalEncoding::codes, related);
  const rs::TableModel model(parts);
  const auto file = rs::pack_model(model);
  CHECK(file.metadata.at("format_version") == "7");
  const auto& path = std::get<rs::AutoregressiveNetwork>(parts.heads).order.path();
  REQUIRE(path.columns.size() == 3);
  const auto again = rs::parse_model(rs::format_model(model));
  CHECK(text_of(again.sample(300, {.seed = 4})) == text_of(model.sample(300, {.seed = 4})));
  const auto read = std::get<rs::AutoregressiveNetwork>(again.parts().heads).order.path();
  CHECK(read.columns == path.columns);
  CHECK(read.scores == path.scores);
  CHECK(read.weights == path.weights);
  for (const nlohmann::json& wrong :
       {nlohmann::json(), nlohmann::json::array(), nlohmann::json{0, 1}, nlohmann::json{0, 2, 1},
        nlohmann::json{0, 0, 1}, nlohmann::json{0, 1, 2, 2}, nlohmann::json{0, 1, 9},
        nlohmann::json{0, 1, -1}, nlohmann::json{0, 1, 1.5}, nlohmann::json{{"a", 1}}}) {
    CAPTURE(wrong.dump());
    if (wrong != nlohmann::json(path.columns))
      CHECK_THROWS_AS(rs::unpack_model(altered(file, "/heads/linear", wrong)), rs::ModelFileError);
  }
  for (const char* name : {"heads.scores", "heads.linear"}) {
    auto content = file;
    content.tensors[name].values[0] = std::numeric_limits<float>::quiet_NaN();
    CHECK_THROWS_WITH(rs::unpack_model(content), Catch::Contains(name));
    content.tensors.erase(name);
    CHECK_THROWS_WITH(rs::unpack_model(content), Catch::Contains(name));
  }
}

TEST_CASE("learning curves survive saving, older files have none, and wrong ones are refused", "[io]") {
  const auto plain = small_model(false);
  CHECK(rs::parse_model(rs::format_model(plain)).parts().curves.empty());
  auto parts = plain.parts();
  parts.curves = {{.stage = "autoencoder",
                   .end = rs::StageEnd::converged,
                   .epochs = 40,
                   .figures = {"loss", "validation"},
                   .steps = {2, 80},
                   .values = {3.5, 4.25, -1e-5, rs::LearningCurve::rounded(1.0 / 3)},
                   .best = rs::BestEpoch{.step = 79, .loss = 0.25}},
                  {.stage = "gan", .figures = {"generator"}}};
  const rs::TableModel model(parts);
  const auto file = rs::pack_model(model);
  CHECK(file.metadata.at("format_version") == rs::pack_model(plain).metadata.at("format_version"));
  CHECK(rs::parse_model(rs::format_model(model)).parts().curves == parts.curves);
  const auto with = [&](const std::string& member, const nlohmann::json& value) {
    CAPTURE(member, value.dump().substr(0, 60));
    CHECK_THROWS_AS(rs::parse_model(rs::format_tensor_file(altered(file, member.c_str(), value))),
                    rs::ModelFileError);
  };
  with("/training", 7);
  with("/training", nlohmann::json::array({7}));
  with("/training", nlohmann::json(17, nlohmann::json::parse(file.metadata.at("model"))["training"][1]));
  with("/training/0/stage", "");
  with("/training/0/stage", std::string(100'000, 'x'));
  with("/training/0/end", "bored");
  with("/training/0/epochs", -1);
  with("/training/0/figures", nlohmann::json::array());
  with("/training/0/figures", std::vector<std::string>(9, "loss"));
  with("/training/0/figures/1", std::string(41, 'x'));
  with("/training/0/steps", {2});
  with("/training/0/steps", {80, 80});
  with("/training/0/steps", {-1, 80});
  with("/training/0/steps", {1.5, 80});
  with("/training/0/values", {1, 2, 3});
  with("/training/0/values/0", "1");
  with("/training/0/best", nullptr);
  with("/training/0/best/step", 0);
  with("/training/0/best/step", 81);
  with("/training/0/best/loss", 0.5); // more than the last point has
  with("/training/0/best/loss", "0.25");
  with("/training/1/best", {{"step", 1}, {"loss", 1}}); // without held-out rows
  std::vector<std::uint64_t> steps(201);
  for (std::size_t i = 0; i < steps.size(); ++i)
    steps[i] = i;
  auto content = altered(file, "/training/1/steps", steps);
  content = altered(content, "/training/1/values", std::vector<double>(201));
  CHECK_THROWS_WITH(rs::parse_model(rs::format_tensor_file(content)), Catch::Contains("at most 200 points"));
}

TEST_CASE("a guide survives saving, and wrong ones are refused", "[io]") {
  auto parts = small_parts(true, rs::NumericalEncoding::codes);
  small::add_guide(parts, small_table());
  REQUIRE_FALSE(parts.guide.empty());
  const rs::TableModel model(parts);
  const auto file = rs::pack_model(model);
  CHECK(file.metadata.at("format_version") == "5");
  const auto again = rs::parse_model(rs::format_model(model));
  CHECK(again.parts().guide.words == parts.guide.words);
  CHECK(again.parts().guide.accepted == parts.guide.accepted);
  CHECK(text_of(again.sample(300, {.seed = 4})) == text_of(model.sample(300, {.seed = 4})));
  CHECK(text_of(again.sample(300, {.seed = 4})) != text_of(model.without_guide().sample(300, {.seed = 4})));
  CHECK(rs::pack_model(model.without_guide()).metadata.at("format_version") != "5");
  const auto with = [&file](const char* path, const nlohmann::json& value) {
    const auto content = altered(file, path, value);
    CAPTURE(path, value.dump());
    CHECK_THROWS_AS(rs::unpack_model(content), rs::ModelFileError);
  };
  with("/guide", "none");
  with("/guide/columns", nlohmann::json::array());
  with("/guide/columns/0", {1, 2, 3});
  with("/guide/columns/0", {1, 2, 3, -4});
  with("/guide/columns/0", {4294967296, 2, 3, 4});
  with("/guide/columns/0/1", 4294967298);
  with("/guide/columns/0/3", 18446744073709551615U);
  with("/guide/trees/0", 0);
  with("/guide/trees/1", 18446744073709551615U);
  with("/guide/trees/2", 4294967295);
  with("/guide/trees/3", 18446744073709551614U);
  with("/guide/largest_odds", 0);
  with("/guide/largest_odds", nullptr);
  with("/guide/tries", 0);
  with("/guide/tries", 65536);
  with("/guide/accepted", {0.5});
  with("/guide/accepted", {0.5, 2});
  auto content = file;
  content.tensors.erase("guide");
  CHECK_THROWS_WITH(rs::unpack_model(content), Catch::Contains("guide"));
}

TEST_CASE("joint heads, mixture noise and a residual generator survive saving, and wrong ones are refused",
          "[io]") {
  auto parts = small_parts<rs::JointHeads<1000>>(true, rs::NumericalEncoding::codes);
  const auto& groups = std::get<rs::JointCodes>(parts.heads).groups;
  REQUIRE(
      std::any_of(groups.begin(), groups.end(), [](const auto& group) { return group.columns.size() > 1; }));
  const rs::Generator<rs::MixtureNoise<4, 2>, rs::Dense<9>, rs::LeakyReLU, rs::Dense<4>, rs::Residual>
      generator(3);
  parts.generator_network = generator.network(generator.layout().initialise<float>(2).data());
  parts.noise_width = 4;
  parts.mixture.width = 4;
  parts.mixture.shares = {0.5, 0.5, 0.25, 0.75, 1, 0};
  parts.mixture.means = {0, 0, 0, 0, 3, 2, 1, 0};
  parts.mixture.factors.assign(32, 0);
  for (std::size_t j = 0; j < 4; ++j)
    parts.mixture.factors[5 * j] = parts.mixture.factors[16 + 5 * j] = 0.5F;
  const rs::TableModel model(parts);
  const auto file = rs::pack_model(model);
  const auto again = rs::parse_model(rs::format_model(model));
  CHECK(text_of(again.sample(300, {.seed = 4})) == text_of(model.sample(300, {.seed = 4})));
  CHECK(again.parts().generator_network.residual());
  CHECK(again.parts().mixture.components() == 2);
  const auto with = [&file](const char* path, const nlohmann::json& value) {
    const auto content = altered(file, path, value);
    CAPTURE(path, value.dump());
    CHECK_THROWS_AS(rs::unpack_model(content), rs::ModelFileError);
  };
  with("/heads/groups", nlohmann::json::array());
  with("/heads/groups/0/columns", {0, 0});
  with("/heads/groups/0/columns", {77});
  with("/heads/groups/0/columns", nlohmann::json::array());
  with("/heads/groups/0/combinations", {1});
  with("/heads/groups/0/combinations/0", 5000);
  with("/heads/groups/0/combinations/0", -1);
  with("/heads/kind", "independent");
  with("/residual_generator", 1);
  with("/mixture/components", 3);
  with("/mixture/components", 0);
  with("/mixture/components", -1);
  with("/mixture/shares", {0.5});
  with("/mixture/shares/0", 7);
  with("/mixture/shares/0", 0.4);
  with("/noise_width", 3);
  for (const char* name : {"mixture.means", "mixture.factors"}) {
    auto content = file;
    content.tensors.erase(name);
    CHECK_THROWS_WITH(rs::unpack_model(content), Catch::Contains(name));
  }
}

TEST_CASE("tensor headers are checked before a byte is read", "[io]") {
  const auto with_header = [](const std::string& entry) {
    std::string header = R"({"__metadata__":{"sha256":")" + std::string(64, '0') + R"("},"t":)" + entry + "}";
    std::string file;
    rs::detail::put_u64(file, header.size());
    file += header + std::string(16, '\0');
    const auto position = rs::detail::checksum_position(file);
    file.replace(position, 64, rs::detail::file_checksum(file, position));
    return file;
  };
  // So deep that whoever walks down it to print it runs out of stack.
  const std::string deep = "{\"dtype\":" + std::string(200'000, '[') + std::string(200'000, ']') +
                           ",\"shape\":[4],\"data_offsets\":[0,16]}";
  CHECK_NOTHROW(rs::parse_tensor_file(with_header(R"({"dtype":"F32","shape":[2,2],"data_offsets":[0,16]})")));
  for (const char* entry : {
           R"({"dtype":"F16","shape":[8],"data_offsets":[0,16]})",
           R"({"dtype":"F32","shape":[4],"data_offsets":[0,12]})",
           R"({"dtype":"F32","shape":[3],"data_offsets":[0,12]})",
           R"({"dtype":"F32","shape":[4],"data_offsets":[4,20]})",
           R"({"dtype":"F32","shape":[4],"data_offsets":[16,0]})",
           R"({"dtype":"F32","shape":[4],"data_offsets":[-16,0]})",
           R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]})",
           R"({"dtype":"F32","shape":[18446744073709551615,4],"data_offsets":[0,16]})",
           R"({"dtype":"F32","shape":[0,18446744073709551615],"data_offsets":[0,0]})",
           R"({"dtype":"F32","shape":"4","data_offsets":[0,16]})",
           R"({"dtype":"F32","shape":[4],"data_offsets":[0,18446744073709551615]})",
           R"({"shape":[4]})",
           R"([])",
           deep.c_str(),
       }) {
    INFO(std::string(entry).substr(0, 200));
    CHECK_THROWS_AS(rs::parse_tensor_file(with_header(entry)), rs::ModelFileError);
  }
}

TEST_CASE("a text that JSON cannot hold is an error when saving, and leaves no file", "[io]") {
  auto parts = small_parts(false);
  parts.notes["broken"] = "\xFF\xFE";
  const rs::TableModel model(parts);
  const TemporaryFile file;
  CHECK_THROWS_AS(rs::save_model(model, file.path), rs::ModelFileError);
  CHECK_FALSE(std::filesystem::exists(file.path));
}

TEST_CASE("whatever goes wrong with files is an Error", "[io]") {
  // A file among the folders of the path: the file system itself refuses.
  const TemporaryFile file;
  std::ofstream(file.path) << "x";
  auto store = rs::checkpoint_file(file.path + "/below/fit.checkpoint");
  CHECK_THROWS_AS(store.discard(), rs::Error);
  CHECK_FALSE(store.load().has_value());
  // Memory that is not there, and texts that are no JSON.
  CHECK_THROWS_AS(rs::detail::model_file_errors([] { throw std::bad_alloc(); }), rs::ModelFileError);
  CHECK_THROWS_AS(rs::detail::model_file_errors([] { throw std::length_error("x"); }), rs::ModelFileError);
  CHECK_THROWS_AS(rs::detail::model_file_errors([] { (void)nlohmann::json().at("x"); }), rs::ModelFileError);
}
