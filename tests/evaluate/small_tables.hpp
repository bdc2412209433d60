// SPDX-License-Identifier: MIT
// Tables to judge: two linked numbers, two categories that depend on them, a target.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/table/table.hpp>

namespace small_tables {

// The same source for every seed; `noise` is added to the number b. Some values are missing.
inline rowsmith::Table people(std::size_t rows, std::uint64_t seed, double shift = 0) {
  namespace rs = rowsmith;
  std::vector<double> a;
  std::vector<double> b;
  auto c = rs::Column::categorical("c");
  std::vector<std::string> d;
  std::vector<std::string> y;
  rs::RandomSequence random(rs::RandomStream(seed, rs::Purpose::user, 77));
  for (std::size_t i = 0; i < rows; ++i) {
    const double x = random.normal();
    a.push_back(random.below(20) == 0 ? std::numeric_limits<double>::quiet_NaN() : x + shift);
    b.push_back(0.5 * x + random.normal());
    const auto letter = std::string(1, static_cast<char>('p' + random.below(x > 0 ? 3 : 6)));
    c.codes.push_back(random.below(15) == 0 ? rs::missing_code : c.dictionary.insert(letter));
    d.push_back(random.below(3) == 0 ? "left" : "right");
    y.push_back(x + 0.7 * random.normal() > 0.5 ? "yes" : "no");
  }
  return rs::Table({rs::Column::numerical("a", a), rs::Column::numerical("b", b), c,
                    rs::Column::categorical("d", d), rs::Column::categorical("y", y)},
                   "y");
}

// Makes rows that leak: `share` of the fresh rows are replaced by training rows, whose numbers are moved by
// `noise` standard normal draws.
inline rowsmith::Table leaking(const rowsmith::Table& train, const rowsmith::Table& fresh, double share,
                               double noise, std::uint64_t seed) {
  namespace rs = rowsmith;
  auto columns = fresh.columns();
  rs::RandomSequence random(rs::RandomStream(seed, rs::Purpose::user, 78));
  for (std::size_t row = 0; row < fresh.rows(); ++row) {
    if (random.uniform() >= share)
      continue;
    const auto from = random.below(static_cast<std::uint32_t>(train.rows()));
    for (std::size_t c = 0; c < columns.size(); ++c)
      if (columns[c].kind == rs::ColumnKind::numerical)
        columns[c].values[row] = train[c].values[from] + noise * random.normal();
      else
        columns[c].codes[row] =
            train[c].is_missing(from)
                ? rs::missing_code
                : columns[c].dictionary.insert(train[c].dictionary.text(train[c].codes[from]));
  }
  return rs::Table(std::move(columns), fresh.schema().label());
}

} // namespace small_tables
