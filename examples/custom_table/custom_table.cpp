// SPDX-License-Identifier: MIT
// A table of your own: read it, learn it, write as many new rows, judge them.
// usage: custom_table [TABLE.csv [SYNTHETIC.csv]]; without a file, a small table of flats is made up.
#include <cmath>
#include <iostream>
#include <sstream>

#include <rowsmith/rowsmith.hpp>

namespace rs = rowsmith;

static std::string flats() {
  std::ostringstream csv("town,rooms,size,rent\n", std::ios::ate);
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  for (int i = 0; i < 2000; ++i) {
    const auto town = random.below(3);
    const auto rooms = 1 + random.below(5);
    const auto size = std::lround(12 + 18 * rooms + 4 * random.normal());
    csv << (town == 0   ? "Lima"
            : town == 1 ? "Oslo"
                        : "Kyoto")
        << ',' << rooms << ',' << size << ',' << size * (8 + 5 * town) << '\n';
  }
  return csv.str();
}

int main(int argc, char** argv) try {
  std::istringstream made(flats());
  const rs::Table table = argc > 1 ? rs::read_csv(argv[1]) : rs::read_csv(made, "flats");
  rs::RecipeOptions<> options; // the defaults; every one can be changed
  options.seed = 7;
  const auto model = rs::Synthesizer::fit(table, options, rs::progress_bar());
  const rs::Table synthetic = model.sample(table.rows(), /*seed=*/1);
  rs::write_csv(argc > 2 ? argv[2] : "synthetic.csv", synthetic);
  std::cout << rs::detection(table, synthetic);
} catch (const std::exception& error) {
  std::cerr << "custom_table: " << error.what() << '\n';
  return 1;
}
