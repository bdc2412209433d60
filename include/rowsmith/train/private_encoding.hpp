// SPDX-License-Identifier: MIT
/// \file
/// Codes and shares of a private table, learnt from noisy counts alone.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/encoding/table_encoder.hpp>
#include <rowsmith/models/heads.hpp>
#include <rowsmith/privacy/noisy_counts.hpp>
#include <rowsmith/privacy/options.hpp>
#include <rowsmith/table/table.hpp>
#include <rowsmith/train/private_column.hpp>

ROWSMITH_BEGIN
namespace detail {

/// Whether it has to be learnt what a column of texts is: not of the label, nor where it is declared.
inline bool kind_is_open(const Table& table, const Column& column, const ColumnDomain* domain) {
  return column.kind == ColumnKind::categorical && column.name != table.schema().label() &&
         (domain == nullptr || !domain->declared_kind());
}

/// A table whose columns of texts became numbers where nearly all rows hold one, or where that is declared.
/// Texts in them that are none count as missing. \param counts  of which a histogram is told for each column
/// whose kind is open \param domain_of  (name) -> what is known of a column, or null
template <class DomainOf>
Table with_learnt_kinds(const Table& table, NoisyCounts& counts, const DomainOf& domain_of) {
  std::vector<Column> columns;
  for (const auto& column : table.columns()) {
    columns.push_back(column);
    const ColumnDomain* domain = domain_of(column.name);
    const bool open = kind_is_open(table, column, domain);
    const bool declared = !open && domain != nullptr && domain->declared_kind() == ColumnKind::numerical;
    if (column.kind == ColumnKind::numerical || (!open && !declared))
      continue;
    std::vector<double> values;
    for (const auto& text : column.dictionary.texts()) {
      const double value = parse_number(text).value_or(std::numeric_limits<double>::quiet_NaN());
      values.push_back(std::isfinite(value) ? value : std::numeric_limits<double>::quiet_NaN());
    }
    if (open) {
      const auto count = counts.histogram(table.rows(), 2, [&](std::size_t row) -> std::size_t {
        const auto code = column.codes[row];
        return code == missing_code ? 2 : std::isnan(values[static_cast<std::size_t>(code)]) ? 1 : 0;
      });
      if (count[0] < 4 * counts.sigma() || count[1] > 0.02 * count[0] + 4 * counts.sigma())
        continue;
    }
    auto numbers = Column::numerical(column.name);
    for (const auto code : column.codes)
      numbers.values.push_back(code == missing_code ? std::numeric_limits<double>::quiet_NaN()
                                                    : values[static_cast<std::size_t>(code)]);
    columns.back() = std::move(numbers);
  }
  return Table(std::move(columns), table.schema().label());
}

} // namespace detail

/// Codes, shares and encoded rows of a private table.
struct PrivateEncoding {
  TableEncoder encoder;
  HeadMargins margins;
  double rows = 0;        ///< a noisy count
  EncodedTable encoded{}; ///< exact: no part of any release

  /// Histograms that `learn` takes, whatever the rows are.
  static std::size_t looks(const Table& table, const PrivacyOptions& options) {
    std::size_t result = 0;
    for (const auto& column : table.columns())
      result += 1 + detail::PrivateColumn::looks(column, domain_of(options, column.name));
    return options.pairs == PrivatePairs::tree ? result + table.columns().size() - 1 : result;
  }
  static std::size_t told_columns(const Table& table, const PrivacyOptions& options) {
    std::size_t result = 0;
    for (const auto& column : table.columns())
      result += detail::PrivateColumn::tells_names(column, domain_of(options, column.name)) ? 1 : 0;
    return result;
  }
  /// What choosing a tree of pairs takes: so many choices of this epsilon each.
  static std::size_t choices(const Table& table, const PrivacyOptions& options) {
    return options.pairs == PrivatePairs::tree ? table.columns().size() - 1 : 0;
  }

  /// \param rows  a noisy count \param threshold_delta  of each column whose categories are told
  /// \param choice_epsilon  of each choice
  static PrivateEncoding learn(const Table& table, const PrivacyOptions& options, const NoiseSource& source,
                               NoisyCounts& counts, double rows, double threshold_delta,
                               double choice_epsilon, const std::string& other_text) {
    PrivateEncoding result;
    result.rows = rows;
    std::vector<ColumnCodec> codecs;
    for (const auto& column : table.columns())
      codecs.push_back(
          detail::PrivateColumn(column, domain_of(options, column.name), options, counts, result.rows)
              .codec(threshold_delta, other_text));
    result.encoder = TableEncoder(std::move(codecs), table.schema());
    result.encode(table);
    result.learn_margins(options, source, counts, choice_epsilon);
    return result;
  }

  /// \throws OptionError for a domain that fits no column
  static void check_domains(const Table& table, const PrivacyOptions& options) {
    for (const auto& domain : options.domains) {
      const auto& column = table[domain.name]; // SchemaError naming the columns
      const auto kind = domain.declared_kind();
      if ((!domain.categories.empty() && (domain.minimum || domain.maximum || domain.decimals)) ||
          (kind && *kind != column.kind && !(options.learn_kinds && column.kind == ColumnKind::categorical)))
        throw OptionError("privacy.domains: column '" + domain.name + "' is " +
                          std::string(to_string(column.kind)) + ", which its domain is not");
      if (domain.minimum.has_value() != domain.maximum.has_value() ||
          (domain.minimum && !(*domain.minimum < *domain.maximum && std::isfinite(*domain.minimum) &&
                               std::abs(*domain.minimum) < 1e300 && std::abs(*domain.maximum) < 1e300)))
        throw OptionError("privacy.domains: column '" + domain.name +
                          "' needs a minimum below a maximum, or neither");
      if (domain.decimals && (*domain.decimals < -1 || *domain.decimals > 6))
        throw OptionError("privacy.domains: column '" + domain.name + "' has " +
                          std::to_string(*domain.decimals) + " decimals, expected -1 to 6");
    }
  }

  static const ColumnDomain* domain_of(const PrivacyOptions& options, std::string_view name) {
    for (const auto& domain : options.domains)
      if (domain.name == name)
        return &domain;
    return nullptr;
  }

private:
  /// Rows as codes. What has no code of its own counts as "other", as the range's end, or, where hardly any
  /// row is missing, as the first code.
  void encode(const Table& table) {
    std::int32_t most = 0;
    for (const auto& stretch : encoder.layout())
      most = std::max(most, stretch.width - 1);
    encoded = EncodedTable(table.rows(), encoder.code_columns(), 0, most);
    for (std::size_t i = 0; i < encoder.codecs().size(); ++i) {
      const auto& codec = encoder.codecs()[i];
      const auto& column = table[i];
      const auto view = codec.view();
      std::vector<std::int32_t> recoded;
      if (codec.kind == ColumnCodec::Kind::categorical)
        for (const auto& text : column.dictionary.texts()) {
          const auto at = std::lower_bound(codec.categories.begin(), codec.categories.end(), text);
          recoded.push_back(at != codec.categories.end() && *at == text
                                ? static_cast<std::int32_t>(at - codec.categories.begin())
                                : codec.other());
        }
      for (std::size_t row = 0; row < table.rows(); ++row)
        encoded.set_code(row, i,
                         column.is_missing(row) ? (codec.has_missing ? codec.missing() : 0)
                                                : (codec.kind == ColumnCodec::Kind::categorical
                                                       ? recoded[static_cast<std::size_t>(column.codes[row])]
                                                       : view.code_of(column.values[row])));
    }
  }

  std::size_t codes(std::size_t column) const {
    return static_cast<std::size_t>(encoder.layout()[column].width);
  }
  std::vector<double> table_of(NoisyCounts& counts, std::size_t first, std::size_t second) const {
    const std::size_t width = codes(second);
    return counts.histogram(encoded.rows(), codes(first) * width, [&](std::size_t row) {
      return static_cast<std::size_t>(encoded.code(row, first)) * width +
             static_cast<std::size_t>(encoded.code(row, second));
    });
  }
  /// Counts as shares, none of them 0.
  std::vector<double> shares_of(std::vector<double> counts) const {
    detail::make_consistent(counts.data(), counts.size(), rows);
    const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
    for (auto& count : counts)
      count = (count + 0.5) / (total + 0.5 * static_cast<double>(counts.size()));
    return counts;
  }

  void learn_margins(const PrivacyOptions& options, const NoiseSource& source, NoisyCounts& counts,
                     double choice_epsilon) {
    const std::size_t columns = encoder.layout().size();
    margins.parents.assign(columns, -1);
    margins.shares.resize(columns);
    margins.by_parent.resize(columns);
    std::size_t root = columns;
    for (std::size_t i = 0; i < columns; ++i)
      if (encoder.is_label(encoder.layout()[i]))
        root = i;
    if (options.pairs == PrivatePairs::tree) {
      for (std::size_t i = 0; i < columns; ++i)
        margins.shares[i] = shares_of(one_way(counts, i));
      choose_tree(source, choice_epsilon, root == columns ? 0 : root);
    } else if (options.pairs == PrivatePairs::label && root < columns) {
      margins.shares[root] = shares_of(one_way(counts, root));
      for (std::size_t i = 0; i < columns; ++i)
        if (i != root)
          margins.parents[i] = static_cast<std::int32_t>(root);
    } else {
      for (std::size_t i = 0; i < columns; ++i)
        margins.shares[i] = shares_of(one_way(counts, i));
    }
    order_columns(root);
    for (const auto column : margins.order)
      if (const auto i = static_cast<std::size_t>(column); margins.parents[i] >= 0)
        learn_pair(counts, i, static_cast<std::size_t>(margins.parents[i]), options);
  }
  std::vector<double> one_way(NoisyCounts& counts, std::size_t column) const {
    return counts.histogram(encoded.rows(), codes(column), [&](std::size_t row) {
      return static_cast<std::size_t>(encoded.code(row, column));
    });
  }
  /// Parents before children; among those that can come next, the one of the fewest codes.
  void order_columns(std::size_t root) {
    const std::size_t columns = encoder.layout().size();
    std::vector<bool> placed(columns);
    while (margins.order.size() < columns) {
      std::size_t best = columns;
      for (std::size_t i = 0; i < columns; ++i)
        if (!placed[i] && (margins.parents[i] < 0 || placed[static_cast<std::size_t>(margins.parents[i])]) &&
            (best == columns || i == root || (best != root && codes(i) < codes(best))))
          best = i;
      placed[best] = true;
      margins.order.push_back(static_cast<std::int32_t>(best));
    }
  }
  /// Shares of a column's codes given its parent's. Where few rows are behind them, they are drawn to those
  /// of all rows.
  void learn_pair(NoisyCounts& counts, std::size_t column, std::size_t parent,
                  const PrivacyOptions& options) {
    const std::size_t width = codes(column);
    auto pair = table_of(counts, parent, column);
    if (options.pairs != PrivatePairs::tree) {
      std::vector<double> sums(width);
      for (std::size_t i = 0; i < pair.size(); ++i)
        sums[i % width] += pair[i];
      margins.shares[column] = shares_of(std::move(sums));
    }
    const auto& all = margins.shares[column];
    for (std::size_t p = 0; p < codes(parent); ++p) {
      double* row = pair.data() + p * width;
      const double total = rows * margins.shares[parent][p];
      detail::make_consistent(row, width, total);
      const double strength = counts.sigma();
      for (std::size_t k = 0; k < width; ++k)
        row[k] = std::min(1.0, (row[k] + strength * all[k]) / (total + strength));
    }
    margins.by_parent[column] = std::move(pair);
  }
  /// A tree that spans the columns: edge by edge the pair that is farthest from independence, as the
  /// exponential mechanism finds it (McKenna, Miklau & Sheldon, "Winning the NIST contest: a scalable and
  /// general approach to differentially private synthetic data", 2021). How far: the sum over cells of |count
  /// − what the shares foretell|, which one row moves by 1 at most.
  void choose_tree(const NoiseSource& source, double epsilon, std::size_t root) {
    const std::size_t columns = encoder.layout().size();
    struct Pair {
      std::size_t a, b;
      double score;
    };
    std::vector<Pair> pairs;
    for (std::size_t a = 0; a < columns; ++a)
      for (std::size_t b = a + 1; b < columns; ++b) {
        std::vector<double> table(codes(a) * codes(b));
        for (std::size_t row = 0; row < encoded.rows(); ++row)
          ++table[static_cast<std::size_t>(encoded.code(row, a)) * codes(b) +
                  static_cast<std::size_t>(encoded.code(row, b))];
        double far = 0;
        for (std::size_t i = 0; i < table.size(); ++i)
          far +=
              std::abs(table[i] - rows * margins.shares[a][i / codes(b)] * margins.shares[b][i % codes(b)]);
        pairs.push_back({a, b, far});
      }
    std::vector<std::size_t> group(columns);
    std::iota(group.begin(), group.end(), std::size_t{0});
    std::vector<std::vector<std::size_t>> neighbours(columns);
    for (std::size_t edge = 0; edge + 1 < columns; ++edge) {
      const Pair* best = nullptr;
      double highest = -std::numeric_limits<double>::infinity();
      for (std::size_t i = 0; i < pairs.size(); ++i) {
        if (group[pairs[i].a] == group[pairs[i].b])
          continue;
        // The largest of scores with Gumbel noise is a draw of the exponential mechanism.
        const auto words = source.block(NoisePurpose::choice, edge, static_cast<std::uint32_t>(i));
        const double uniform =
            (static_cast<double>((std::uint64_t{words[0]} << 32U | words[1]) >> 11U) + 0.5) * 0x1p-53;
        const double value = epsilon * pairs[i].score / 2 - std::log(-std::log(uniform));
        if (value > highest) {
          highest = value;
          best = &pairs[i];
        }
      }
      neighbours[best->a].push_back(best->b);
      neighbours[best->b].push_back(best->a);
      const std::size_t from = group[best->b];
      const std::size_t to = group[best->a];
      std::replace(group.begin(), group.end(), from, to);
    }
    std::vector<std::size_t> next{root};
    std::vector<bool> seen(columns);
    seen[root] = true;
    while (!next.empty()) {
      const std::size_t at = next.back();
      next.pop_back();
      for (const auto other : neighbours[at])
        if (!seen[other]) {
          seen[other] = true;
          margins.parents[other] = static_cast<std::int32_t>(at);
          next.push_back(other);
        }
    }
  }
};

ROWSMITH_END
