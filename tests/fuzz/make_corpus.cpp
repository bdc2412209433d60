// SPDX-License-Identifier: MIT
// Writes the inputs that fuzzing starts from: a folder for each target. usage: fuzz_corpus FOLDER
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include <rowsmith/deploy/sampler.hpp>
#include <rowsmith/io/model_file.hpp>
#include <rowsmith/table/write_csv.hpp>

#include "../deploy/small_parts.hpp"

namespace rs = rowsmith;

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: fuzz_corpus FOLDER\n";
    return 2;
  }
  const std::filesystem::path root(argv[1]);
  const auto write = [&root](const std::string& target, const std::string& name, const std::string& bytes) {
    std::filesystem::create_directories(root / target);
    std::ofstream(root / target / name, std::ios::binary) << bytes;
  };
  const auto table = small::table(40);
  std::ostringstream csv;
  rs::write_csv(csv, table);
  write("csv", "header", '\0' + csv.str());
  write("csv", "no_header", "\1" + csv.str().substr(csv.str().find('\n') + 1));
  write("csv", "semicolons", "\2a;b\r\n1;\"x \"\"y\"\"\"\r\n-2.5e3;\r\n");
  write("csv", "comments", "\4#first\na,b\n1,2\n#last\n");

  const auto encoder = [](const rs::EncodingOptions& options) {
    return rs::TableEncoder::fit(small::table(), options);
  };
  using rs::Dense, rs::ReLU, rs::Latent, rs::Noise;
  using To2 = rs::Generator<Noise<2>, Dense<3>, rs::LayerNorm, Dense<2>, rs::Tanh>;
  using Residual2 = rs::Generator<Noise<2>, Dense<3>, ReLU, Dense<2>, rs::Residual>;
  using Plain = rs::Autoencoder<Dense<3>, ReLU, Latent<2>>;
  using InOrder = rs::Autoencoder<Dense<3>, ReLU, Latent<2>, rs::AutoregressiveHeads<2>>;
  using Joint = rs::Autoencoder<Dense<3>, ReLU, Latent<2>, rs::JointHeads<8>>;
  const auto numbers = encoder({.numerical = rs::NumericalEncoding::standardised});
  const auto codes =
      encoder({.max_exact_values = 8, .bins = 4, .fine = 3, .unseen = rs::UnseenCategory::other});
  write("model", "numbers", rs::format_model(rs::TableModel(small::parts<Plain, To2>(numbers, true))));
  write("model", "in_order", rs::format_model(rs::TableModel(small::parts<InOrder, To2>(codes, true))));
  // Amounts that follow ages, in few rows: heads have a linear path.
  auto related = small::table(150).into_columns();
  for (std::size_t r = 0; r < 150; ++r)
    related[0].values[r] = 5 * (related[1].values[r] - 46) + static_cast<double>(r % 7);
  const auto linear = small::parts<InOrder, To2>(codes, true, 1, rs::Table(std::move(related), "rich"));
  if (std::get<rs::AutoregressiveNetwork>(linear.heads).order.path().columns.empty())
    throw rs::Error("no linear path");
  write("model", "linear", rs::format_model(rs::TableModel(linear)));
  auto joint = small::parts<Joint, Residual2>(codes, false);
  joint.latent_bound.clear();
  small::mix_noise(joint);
  write("model", "joint", rs::format_model(rs::TableModel(joint)));
  // Few rows, so that the trees are small.
  for (const double share : {1.0, 0.5}) {
    auto trees = small::parts<InOrder, To2>(codes, true);
    small::add_trees(trees, share, small::table(120), 4);
    write("model", share < 1 ? "mixed" : "trees", rs::format_model(rs::TableModel(trees)));
  }

  write("schema", "schema", rs::detail::schema_json(table.schema()).dump());

  write("limits", "limits", R"({"shapes.mean": {"max": 0.05}, "copies.p_value": {"min": 1e-3, "max": 1}})");
  write("service", "sample", "0n=3&seed=5&first=7&label=yes&format=csv");
  write("service", "where", "0n=2&where=age >= 40&where=city in Oslo, \"a\\b\"&where=amount is missing");
  const std::string row = R"({"amount": 1.5, "age": 40, "one": 1, "city": null, "shade": "3", "rich": "no"})";
  write("service", "score", "1" + row);
  write("service", "scores", "1[" + row + ", " + row + "]");
}
