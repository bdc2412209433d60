// SPDX-License-Identifier: MIT
// Tables of which the rare class is known: what there is to be found, and that nothing is real.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/table/table.hpp>

namespace made {

namespace rs = rowsmith;

// A machine's readings. A failure comes in one of three ways, each of which two readings and the machine's
// kind show together; no reading shows it alone.
inline rs::Table machines(std::size_t rows, double share, std::uint64_t seed) {
  rs::RandomSequence random(rs::RandomStream(seed, rs::Purpose::user, 11));
  const std::vector<std::string> kinds{"mill", "lathe", "drill", "press"};
  const std::vector<std::string> shifts{"early", "late", "night"};
  auto kind = rs::Column::categorical("kind");
  auto shift = rs::Column::categorical("shift");
  auto load = rs::Column::numerical("load", {}, 1);
  auto heat = rs::Column::numerical("heat", {}, 1);
  auto noise = rs::Column::numerical("noise", {}, 1);
  auto speed = rs::Column::numerical("speed", {}, 0);
  auto hours = rs::Column::numerical("hours", {}, 0);
  auto state = rs::Column::categorical("state");
  for (std::size_t i = 0; i < rows; ++i) {
    const bool fails = random.uniform() < share;
    const std::uint32_t way = random.below(3);
    const std::uint32_t k = fails ? (way + random.below(2)) % 4 : random.below(4);
    double l = 50 + 12 * random.normal();
    double h = 40 + 0.4 * (l - 50) + 5 * random.normal();
    double n = 60 + 3 * k + 6 * random.normal();
    double s = 900 + 150 * k + 90 * random.normal();
    if (fails && way == 0) { // hot at little load
      l = 38 + 5 * random.normal();
      h = 48 + 3 * random.normal();
    } else if (fails && way == 1) { // loud at low speed
      s = 800 + 110 * k + 40 * random.normal();
      n = 68 + 3 * k + 3 * random.normal();
    } else if (fails) { // cold and fast
      h = 33 + 2 * random.normal();
      l = 58 + 5 * random.normal();
      s += 110;
    }
    kind.codes.push_back(kind.dictionary.insert(kinds[k]));
    shift.codes.push_back(shift.dictionary.insert(shifts[random.below(3)]));
    load.values.push_back(std::round(10 * l) / 10);
    heat.values.push_back(std::round(10 * h) / 10);
    noise.values.push_back(std::round(10 * n) / 10);
    speed.values.push_back(std::round(s));
    hours.values.push_back(std::floor(-900 * std::log(random.uniform())));
    state.codes.push_back(state.dictionary.insert(fails ? "failure" : "fine"));
  }
  return rs::Table({kind, shift, load, heat, noise, speed, hours, state}, "state");
}

// Card payments. Frauds are of three habits: small tests of a stolen number before a large purchase, travels
// that nobody makes, and refunds to another card; honest payments are of six trades with hours and amounts of
// their own.
inline rs::Table payments(std::size_t rows, double share, std::uint64_t seed) {
  rs::RandomSequence random(rs::RandomStream(seed, rs::Purpose::user, 12));
  const std::vector<std::string> trades{"groceries", "fuel", "travel", "online", "restaurant", "electronics"};
  const std::vector<std::string> entries{"chip", "contactless", "typed", "stripe"};
  auto trade = rs::Column::categorical("trade");
  auto entry = rs::Column::categorical("entry");
  auto abroad = rs::Column::categorical("abroad");
  auto hour = rs::Column::numerical("hour", {}, 0);
  auto amount = rs::Column::numerical("amount", {}, 2);
  auto distance = rs::Column::numerical("distance", {}, 0);
  auto last_day = rs::Column::numerical("payments_last_day", {}, 0);
  auto age = rs::Column::numerical("account_days", {}, 0);
  auto fraud = rs::Column::categorical("fraud");
  for (std::size_t i = 0; i < rows; ++i) {
    const bool bad = random.uniform() < share;
    const std::uint32_t habit = random.below(3);
    std::uint32_t t = random.below(6);
    double h = std::fmod(14 + 4 * random.normal() + (t == 4 ? 5 : 0) + 48, 24);
    double a = std::exp(2.6 + 0.35 * t + 0.8 * random.normal());
    double d = std::exp(1.2 + (t == 2 ? 3 : 0) + 1.1 * random.normal());
    double n = std::floor(-2.2 * std::log(random.uniform()));
    std::uint32_t e = t == 3 ? 2 : (random.below(10) < 6 ? 1 : random.below(10) < 9 ? 0 : 3);
    bool far = random.uniform() < (t == 2 ? 0.4 : 0.04);
    if (bad && habit == 0) {
      t = random.below(2) == 0 ? 3 : 5;
      e = 2;
      n = 3 + random.below(9);
      a = random.below(3) == 0 ? 0.5 + 3 * random.uniform() : std::exp(5.2 + 0.6 * random.normal());
    } else if (bad && habit == 1) {
      far = true;
      e = random.below(4) == 0 ? 2 : 3;
      d = std::exp(6.5 + 0.7 * random.normal());
      h = std::fmod(3 + 3 * random.normal() + 24, 24);
    } else if (bad) {
      t = 5;
      a = std::exp(4.9 + 0.5 * random.normal());
      n = random.below(3);
      h = std::fmod(22 + 2 * random.normal() + 24, 24);
    }
    trade.codes.push_back(trade.dictionary.insert(trades[t]));
    entry.codes.push_back(entry.dictionary.insert(entries[e]));
    abroad.codes.push_back(abroad.dictionary.insert(far ? "yes" : "no"));
    hour.values.push_back(std::floor(h));
    amount.values.push_back(std::round(100 * a) / 100);
    distance.values.push_back(std::round(d));
    last_day.values.push_back(n);
    age.values.push_back(std::floor(-700 * std::log(random.uniform())));
    fraud.codes.push_back(fraud.dictionary.insert(bad ? "yes" : "no"));
  }
  return rs::Table({trade, entry, abroad, hour, amount, distance, last_day, age, fraud}, "fraud");
}

} // namespace made
