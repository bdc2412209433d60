// SPDX-License-Identifier: MIT
// Tables made for the purpose, of kinds that the public ones are not: what a study draws from them is known.
// Rows are the same for the same part, and other parts are fresh rows of the same source.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/table.hpp>

namespace made_tables {

namespace rs = rowsmith;

inline std::string letters(std::uint32_t number) {
  std::string text;
  do
    text += static_cast<char>('a' + number % 26);
  while ((number /= 26) > 0);
  return text;
}

inline double rounded(double value, int decimals) {
  const double scale = std::pow(10.0, decimals);
  return std::round(value * scale) / scale;
}

inline void add(rs::Column& column, const std::string& text) {
  column.codes.push_back(column.dictionary.insert(text));
}

/// Orders: whole numbers and amounts, products and sums of one another.
inline rs::Table orders(std::size_t rows, std::uint32_t part) {
  rs::RandomSequence random(rs::RandomStream(11, rs::Purpose::user, part));
  auto kind = rs::Column::categorical("kind");
  auto quantity = rs::Column::numerical("quantity", {}, 0);
  auto price = rs::Column::numerical("price", {}, 2);
  auto discount = rs::Column::numerical("discount", {}, 0);
  auto net = rs::Column::numerical("net", {}, 2);
  auto tax = rs::Column::numerical("tax", {}, 2);
  auto total = rs::Column::numerical("total", {}, 2);
  for (std::size_t r = 0; r < rows; ++r) {
    const auto k = random.below(5);
    add(kind, letters(k));
    quantity.values.push_back(1 + std::floor(-3 * std::log(random.uniform())));
    price.values.push_back(rounded(std::exp(1 + 0.7 * k + 0.4 * random.normal()), 2));
    discount.values.push_back(random.below(3) == 0 ? 5 * random.below(5) : 0);
    net.values.push_back(rounded(quantity.values[r] * price.values[r] * (1 - discount.values[r] / 100), 2));
    tax.values.push_back(rounded(net.values[r] * (k == 0 ? 0.05 : 0.2), 2));
    total.values.push_back(rounded(net.values[r] + tax.values[r], 2));
  }
  return rs::Table({kind, quantity, price, discount, net, tax, total}, "kind");
}

/// Columns that follow from eight hidden numbers. \param source  other numbers, other weights
inline rs::Table from_hidden(std::size_t columns_wanted, std::uint64_t source, std::size_t rows,
                             std::uint32_t part) {
  rs::RandomSequence fixed(rs::RandomStream(source, rs::Purpose::user, 1000));
  std::vector<std::vector<double>> weights(columns_wanted, std::vector<double>(8));
  for (auto& row : weights)
    for (auto& weight : row)
      weight = fixed.normal() / 2;
  rs::RandomSequence random(rs::RandomStream(source, rs::Purpose::user, part));
  std::vector<rs::Column> columns;
  for (std::size_t c = 0; c < columns_wanted; ++c)
    columns.push_back(c % 4 == 0 ? rs::Column::categorical("c" + std::to_string(c))
                                 : rs::Column::numerical("n" + std::to_string(c), {}, 3));
  for (std::size_t r = 0; r < rows; ++r) {
    double hidden[8];
    for (auto& h : hidden)
      h = random.normal();
    for (std::size_t c = 0; c < columns_wanted; ++c) {
      double x = random.normal();
      for (std::size_t k = 0; k < 8; ++k)
        x += weights[c][k] * hidden[k];
      if (c % 4 == 0)
        add(columns[c], letters(static_cast<std::uint32_t>(std::clamp(std::floor(x + 3), 0.0, 5.0))));
      else
        columns[c].values.push_back(rounded(x, 3));
    }
  }
  return rs::Table(std::move(columns), "c0");
}

inline rs::Table wide(std::size_t rows, std::uint32_t part) { return from_hidden(200, 12, rows, part); }
inline rs::Table very_wide(std::size_t rows, std::uint32_t part) { return from_hidden(1000, 16, rows, part); }

/// Losses and gains with heavy tails.
inline rs::Table heavy(std::size_t rows, std::uint32_t part) {
  rs::RandomSequence random(rs::RandomStream(13, rs::Purpose::user, part));
  auto group = rs::Column::categorical("group");
  auto income = rs::Column::numerical("income", {}, 2);
  auto wealth = rs::Column::numerical("wealth", {}, 2);
  auto claim = rs::Column::numerical("claim", {}, 2);
  auto change = rs::Column::numerical("change", {}, 4);
  for (std::size_t r = 0; r < rows; ++r) {
    const auto g = random.below(3);
    add(group, letters(g));
    const double shared = random.normal();
    income.values.push_back(rounded(std::exp(8 + 0.5 * g + shared), 2));
    wealth.values.push_back(rounded(std::exp(9 + 1.2 * shared + random.normal()), 2));
    claim.values.push_back(random.below(2) == 0 ? 0 : rounded(100 * std::pow(random.uniform(), -1 / 1.5), 2));
    change.values.push_back(
        rounded(random.normal() / std::sqrt(std::max(0.01, std::abs(random.normal()))), 4));
  }
  return rs::Table({group, income, wealth, claim, change}, "group");
}

/// A category of 5,000 values, the frequent ones far more so than others.
inline rs::Table towns(std::size_t rows, std::uint32_t part) {
  rs::RandomSequence random(rs::RandomStream(14, rs::Purpose::user, part));
  auto region = rs::Column::categorical("region");
  auto town = rs::Column::categorical("town");
  auto rent = rs::Column::numerical("rent", {}, 0);
  auto rooms = rs::Column::numerical("rooms", {}, 0);
  for (std::size_t r = 0; r < rows; ++r) {
    const auto t = static_cast<std::uint32_t>(4999 * std::pow(random.uniform(), 3));
    add(town, "t" + std::to_string(t));
    add(region, letters(t % 12));
    rooms.values.push_back(1 + random.below(5));
    rent.values.push_back(
        rounded(rooms.values[r] * (200 + 40 * (t % 12)) * std::exp(0.15 * random.normal()), 0));
  }
  return rs::Table({region, town, rent, rooms}, "region");
}

/// A study of patients, of whom there are few.
inline rs::Table patients(std::size_t rows, std::uint32_t part) {
  rs::RandomSequence random(rs::RandomStream(15, rs::Purpose::user, part));
  auto ill = rs::Column::categorical("ill");
  auto age = rs::Column::numerical("age", {}, 0);
  auto pressure = rs::Column::numerical("pressure", {}, 0);
  auto level = rs::Column::numerical("level", {}, 2);
  auto smoker = rs::Column::categorical("smoker");
  for (std::size_t r = 0; r < rows; ++r) {
    const double a = 20 + 60 * random.uniform();
    const bool s = random.uniform() < 0.3;
    age.values.push_back(std::floor(a));
    pressure.values.push_back(std::round(105 + 0.4 * a + 12 * random.normal()));
    level.values.push_back(rounded(std::exp(0.5 + 0.01 * a + 0.4 * random.normal()), 2));
    add(smoker, s ? "yes" : "no");
    add(ill, random.uniform() < 1 / (1 + std::exp(5.5 - 0.06 * a - (s ? 1.2 : 0))) ? "yes" : "no");
  }
  return rs::Table({ill, age, pressure, level, smoker}, "ill");
}

/// One of the tables; its label is what to predict.
struct MadeTable {
  const char* name;
  rs::Table (*make)(std::size_t rows, std::uint32_t part); ///< \param part  below 1000
  std::size_t rows;                                        ///< to train on
};

inline const std::vector<MadeTable>& all() {
  static const std::vector<MadeTable> tables{{"orders", orders, 20'000},     {"wide", wide, 5'000},
                                             {"heavy-tails", heavy, 10'000}, {"towns", towns, 20'000},
                                             {"patients", patients, 300},    {"very-wide", very_wide, 5'000}};
  return tables;
}

} // namespace made_tables
