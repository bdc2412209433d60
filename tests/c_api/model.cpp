// SPDX-License-Identifier: MIT
// Writes a model file and, as text, the rows and scores that the library makes of it.
// usage: c_api_model MODEL EXPECTED
#include <bit>
#include <cstdint>
#include <fstream>
#include <iostream>

#include <rowsmith/deploy.hpp>
#include <rowsmith/io/model_file.hpp>

#include "../deploy/small_models.hpp"

namespace rs = rowsmith;

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: c_api_model MODEL EXPECTED\n";
    return 2;
  }
  const auto model = small::models().at(6).model;
  rs::save_model(model, argv[1]);
  const rs::Sampler sampler(model);
  auto scratch = sampler.scratch();
  auto row = sampler.row();
  std::ofstream out(argv[2]);
  for (std::uint64_t i = 0; i < 200; ++i) {
    if (i % 2 == 0)
      sampler(5, i, scratch, row);
    else
      sampler(5, i, 1, scratch, row);
    for (std::size_t c = 0; c < row.size(); ++c)
      if (row.schema()[c].kind == rs::ColumnKind::categorical)
        out << (row.category(c).is_missing() ? "?" : row.category(c).text) << '|';
      else
        out << (row.is_missing(c) ? 0 : std::bit_cast<std::uint64_t>(row.number(c))) << '|';
    out << std::bit_cast<std::uint64_t>(sampler.score(row, scratch)) << '\n';
  }
  return out.flush() ? 0 : 1;
}
