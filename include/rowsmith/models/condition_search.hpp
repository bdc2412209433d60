// SPDX-License-Identifier: MIT
/// \file
/// How a model looks conditions and quotas up, and tries out what rows under them take. A part of
/// table_model.hpp, which includes it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/models/condition_rules.hpp>
#include <rowsmith/models/conditions.hpp>
#include <rowsmith/models/table_model.hpp>

ROWSMITH_BEGIN

inline ResolvedConditions TableModel::resolve(const SampleOptions& options) const {
  const Table empty = options.conditions.empty() ? Table() : empty_table();
  std::vector<std::pair<std::size_t, detail::CellSet>> sets;
  const auto set_of = [&sets](std::size_t column) {
    return std::find_if(sets.begin(), sets.end(), [column](const auto& one) { return one.first == column; });
  };
  for (const auto& condition : options.conditions) {
    const std::size_t column = schema().index_of(condition.column); // throws, naming the columns there are
    if (set_of(column) == sets.end())
      sets.emplace_back(column, detail::CellSet(empty[column]));
    set_of(column)->second.narrow(condition, empty[column]);
    if (!set_of(column)->second.any())
      throw SchemaError("sample: the condition on column '" + condition.column +
                        "' and those before it on the same column allow no value together");
  }
  // A conditional model's generator is told the label.
  std::vector<std::size_t> allowed(labels().size());
  std::iota(allowed.begin(), allowed.end(), std::size_t{0});
  if (!options.label.empty())
    allowed = {label_index(options.label)}; // throws where the model has no label
  if (const auto of_label = conditional() ? set_of(schema().index_of(schema().label())) : sets.end();
      of_label != sets.end()) {
    std::erase_if(allowed, [&](std::size_t k) {
      return !of_label->second.holds(empty[of_label->first].dictionary.find(labels()[k]));
    });
    if (allowed.empty())
      throw SchemaError("sample: the conditions on column '" + schema().label() +
                        "' allow none of the model's labels together");
    // With argmax the label's head has the last word, so that rows are held to the condition.
    if (parts().decoding == Decoding::sample)
      sets.erase(of_label);
  }
  double total = 0;
  for (const auto label : allowed)
    total += parts().label_shares[label];
  if (allowed.size() > 1 && !(total > 0))
    throw SchemaError("sample: no training row has one of the labels asked for, so that they have no shares");
  if (allowed.size() == labels().size()) // all of them, or there are none
    total = 1;
  std::vector<double> shares;
  for (const auto label : allowed)
    shares.push_back(allowed.size() == labels().size() || allowed.size() == 1
                         ? parts().label_shares[label]
                         : parts().label_shares[label] / total);
  if (sets.empty()) {
    ResolvedConditions result(std::move(allowed), std::move(shares));
    result.set_support({.share = total});
    return result;
  }
  const auto of = [&](const std::vector<std::pair<std::size_t, detail::CellSet>>& some, int steps) {
    const auto with = [&](detail::ConditionRules::Tilts tilts, detail::ConditionRules::Tilts* better) {
      ResolvedConditions result(
          allowed, shares,
          std::make_shared<detail::ConditionRules>(state_, parts(), columns(), some, std::move(tilts)));
      result.set_support(try_out(result, total, options, better));
      return result;
    };
    // Columns that come before those asked for are drawn as rows that meet the conditions have them, which
    // candidates tell step by step: the cross-entropy method (Rubinstein, 1999), one column at a time.
    detail::ConditionRules::Tilts tilts;
    auto best = with({}, &tilts);
    for (int step = 0; step < steps && !tilts.empty(); ++step) {
      detail::ConditionRules::Tilts better;
      auto next = with(std::move(tilts), &better);
      const auto counting = [](const ResolvedConditions& one) {
        return one.support().effective / one.support().candidates;
      };
      if (!(counting(next) > 1.05 * counting(best)))
        break;
      best = std::move(next);
      tilts = std::move(better);
    }
    return best;
  };
  auto result = of(sets, 4);
  const bool possible = result.support().effective > 0;
  if (possible && (options.allow_rare || !result.support().rare()))
    return result;
  // Which one is at fault: without it, candidates do best.
  std::size_t worst = 0;
  double most = -1;
  for (std::size_t k = 0; k < sets.size(); ++k) {
    auto others = sets;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(k));
    const auto support = others.empty() ? Support{} : of(others, 0).support();
    if (const double effective = support.effective / support.candidates; effective > most) {
      most = effective;
      worst = k;
    }
  }
  std::ostringstream text;
  text << "sample: ";
  if (!possible)
    text << "no candidate meets the conditions";
  else
    text << "about " << result.support().share << " of the model's rows meet the conditions, and of "
         << result.support().candidates << " candidates for a row only " << result.support().effective
         << " count, expected " << Support::least_effective << " or more";
  text << "; most of that is due to the one on column '" << schema()[sets[worst].first].name << "'";
  if (possible)
    text << "; allow_rare (--allow-rare) gives the best rows that are found";
  throw RareConditionsError(text.str());
}

inline std::vector<Quota> TableModel::balanced(const std::string& column) const {
  const Table empty = empty_table();
  const auto& texts = conditional() && column == schema().label()
                          ? labels()
                          : empty[schema().index_of(column)].dictionary.texts();
  if (texts.empty())
    throw SchemaError("sample: column '" + column + "' cannot be balanced: it is not categorical");
  std::vector<Quota> quotas;
  for (const auto& text : texts)
    quotas.push_back({where(column).is(text), 1 / static_cast<double>(texts.size())});
  return quotas;
}

inline ResolvedQuotas TableModel::resolve_quotas(const SampleOptions& options) const {
  if (options.quotas.empty())
    throw SchemaError("sample: there are no quotas");
  const auto& name = options.quotas.front().condition.column;
  const Table empty = empty_table();
  const Column& column = empty[schema().index_of(name)];
  Condition rest{.column = name, .missing = true, .negated = true};
  double left = 1;
  std::vector<double> shares;
  std::vector<ResolvedConditions> parts;
  const auto add = [&](const Condition& condition, double share) {
    auto with = options;
    with.conditions.push_back(condition);
    parts.push_back(resolve(with));
    shares.push_back(share);
  };
  std::vector<detail::CellSet> sets;
  for (const auto& [condition, share] : options.quotas) {
    if (condition.column != name)
      throw SchemaError("sample: quotas are of the columns '" + name + "' and '" + condition.column +
                        "', expected one column");
    if (!(share > 0 && share <= 1))
      throw SchemaError("sample: a quota of column '" + name + "' is " + std::to_string(share) +
                        ", expected more than 0 and at most 1");
    sets.emplace_back(column);
    sets.back().narrow(condition, column);
    for (std::size_t k = 0; k + 1 < sets.size(); ++k)
      if (sets[k].overlaps(sets.back()))
        throw SchemaError("sample: two quotas of column '" + name + "' hold for the same cells");
    if (condition.negated && options.quotas.size() > 1)
      throw SchemaError("sample: a quota of column '" + name +
                        "' is of all but some values, expected one of values");
    rest.values.insert(rest.values.end(), condition.values.begin(), condition.values.end());
    rest.ranges.insert(rest.ranges.end(), condition.ranges.begin(), condition.ranges.end());
    rest.missing = rest.missing && !condition.missing;
    left -= share;
  }
  if (left < -1e-9)
    throw SchemaError("sample: the quotas of column '" + name + "' are more than 1 together");
  for (const auto& [condition, share] : options.quotas)
    add(condition, share);
  if (left > 1e-9) {
    if (options.quotas.front().condition.negated) { // what it does not hold for
      rest = options.quotas.front().condition;
      rest.negated = false;
      rest.missing = !rest.missing;
    }
    add(rest, left);
  }
  return {std::move(parts), shares};
}

inline Support TableModel::try_out(const ResolvedConditions& conditions, double share_of_labels,
                                   const SampleOptions& options, detail::ConditionRules::Tilts* tilts) const {
  constexpr std::uint64_t seed = 0x7277736D69746821U; // any: of rows that nobody samples
  constexpr double enough = 64;                       // effective candidates, to tell how many a row needs
  constexpr std::size_t most_codes = std::size_t{1} << 23U; // kept of candidates
  const std::size_t most = std::max<std::size_t>(options.trials, 1);
  const std::size_t stretches = columns().stretches;
  Support support;
  std::vector<double> weights;    // their logarithms, then in units of the largest
  std::vector<std::int32_t> kept; // codes of the first candidates
  double largest = -std::numeric_limits<double>::infinity();
  double sum = 0;
  double squares = 0;
  while (weights.size() < most && !(squares > 0 && sum * sum / squares >= enough)) {
    const std::size_t tried = weights.size();
    const std::size_t next = std::min(std::max<std::size_t>(2048, 3 * tried), most - tried);
    weights.resize(tried + next);
    if (tilts != nullptr && (tried + next) * stretches <= most_codes)
      kept.resize((tried + next) * stretches);
    each_block(next, options.threads, [&](InferenceScratch& scratch, std::size_t begin, Index count) {
      weigh(seed, 0, RowGuide::first_row + tried + begin, first_rows(count), conditions, scratch,
            [&](std::uint32_t row, double weight, const std::int32_t* codes, const float*,
                const kernel::Draw&) {
              const std::size_t at = tried + begin + row;
              weights[at] = std::isnan(weight) ? -std::numeric_limits<double>::infinity() : weight;
              if ((at + 1) * stretches <= kept.size())
                std::copy_n(codes, stretches, kept.data() + at * stretches);
            });
    });
    largest = *std::max_element(weights.begin(), weights.end());
    sum = squares = 0;
    for (const double weight : weights)
      if (const double relative = std::exp(weight - largest); relative > 0) { // not NaN, where all are −∞
        sum += relative;
        squares += relative * relative;
      }
  }
  if (!(sum > 0))
    return {.share = 0, .effective = 0, .candidates = Support::most_candidates};
  const auto n = static_cast<double>(weights.size());
  support.share = share_of_labels * std::min(sum / n * std::exp(largest), 1.0);
  // Choosing by importance is off by about the variation divided by the number of candidates.
  const double variation = std::max(n * squares / (sum * sum) - 1, 0.0);
  support.candidates = static_cast<std::uint32_t>(
      std::min(1 + std::ceil(32 * variation - 1e-9), static_cast<double>(Support::most_candidates)));
  support.effective = support.candidates / (1 + variation);
  if (tilts != nullptr && variation > 1 && parts().decoding == Decoding::sample) {
    for (double& weight : weights)
      weight = std::exp(weight - largest);
    *tilts = conditions.rules()->better_tilts(columns(), weights, kept);
  }
  return support;
}

ROWSMITH_END
