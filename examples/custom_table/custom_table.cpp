// SPDX-License-Identifier: MIT
// A table of your own: read it, learn it, write as many new rows, judge them.
// usage: custom_table [TABLE.csv [SYNTHETIC.csv]]; without a file it makes a small table of flats first.
#include <cmath>
#include <exception>
#include <iostream>
#include <sstream>
#include <string>

#include <rowsmith/rowsmith.hpp>

namespace rs = rowsmith;

static std::string flats() {
  std::ostringstream csv;
  csv << "town,rooms,size,rent\n";
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  const char* towns[] = {"Kyoto", "Lima", "Oslo"};
  for (int i = 0; i < 2000; ++i) {
    const auto town = random.below(3);
    const auto rooms = 1 + random.below(5);
    const double size = std::round(10.0 * (12.0 + 18.0 * rooms + 4.0 * random.normal())) / 10.0;
    csv << towns[town] << ',' << rooms << ',' << size << ',' << std::lround(size * (8 + 5 * town)) << '\n';
  }
  return csv.str();
}

int main(int argc, char** argv) try {
  std::istringstream made(flats());
  const rs::Table table = argc > 1 ? rs::read_csv(argv[1]) : rs::read_csv(made, "flats");
  const auto [train, test] = rs::split(table, 0.8, 1);
  auto options = rs::recipe_options(rs::Recipe::sampled);
  options.seed = 7;
  const auto model = rs::Synthesizer::fit(train, options, rs::progress_bar());
  const rs::Table synthetic = model.sample(train.rows(), 1);
  rs::write_csv(argc > 2 ? argv[2] : "synthetic.csv", synthetic);
  std::cout << rs::detection(train, synthetic);
} catch (const std::exception& error) {
  std::cerr << "custom_table: " << error.what() << '\n';
  return 1;
}
