// SPDX-License-Identifier: MIT
/// \file
/// What is kept of a file that is read in chunks: rows by chance, and those without which they would mislead.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/text_hash.hpp>
#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/table/text_column.hpp>
#include <rowsmith/table/text_records.hpp>
#include <rowsmith/table/text_source.hpp>

ROWSMITH_BEGIN

/// How much a sketch keeps.
struct SketchOptions {
  /// Rows by chance: all of a table of up to twice as many; of a larger one as many at least, and about twice
  /// as many at most. An estimate of any share is then off by more than sqrt(log(2 / p) / (2 rows)) with
  /// probability p at most (Massart 1990): by .0045 for 2^17 rows and p = .01. 0: by the number of columns,
  /// 2^17 for up to 32.
  std::size_t rows = 0;
  /// A row for each of so many first numbers of a column, so that a column of few has all of them.
  std::size_t numbers = 257;
  /// A row for each of so many first texts of a column, so that no category is missing.
  std::size_t texts = 65'536;
  /// Other rows by chance for each number: files that are compared must not be looked at in the same rows.
  std::uint64_t chance = 0;
};

namespace detail {

/// Rows that have a text: NULL is not the empty text, nor `NA` the word in quotes.
struct TextCount {
  std::size_t plain = 0;
  std::size_t quoted = 0;
};
using TextCounts = std::unordered_map<std::string, TextCount>;

/// A sketch of rows of texts: each row is kept by chance, by its number alone, so that chunks of any size
/// give the same sketch; and so are, for each column, rows with its ends, with its longest fraction, with
/// each of the first texts that it has.
class TextSketch {
public:
  TextSketch(std::size_t columns, const SketchOptions& options)
      : options_(options), store_(columns), states_(columns) {
    if (options_.rows == 0)
      options_.rows = std::clamp<std::size_t>((std::size_t{1} << 22U) / std::max<std::size_t>(columns, 1),
                                              std::size_t{1} << 13U, std::size_t{1} << 17U);
  }

  /// Rows so far.
  std::uint64_t rows() const noexcept { return rows_; }
  /// Whether all of them are kept.
  bool whole() const noexcept { return halvings_ == 0; }

  /// Takes the next rows.
  void add(const TextChunk& chunk) {
    std::vector<bool> witness(chunk.rows);
    for (std::size_t c = 0; c < states_.size(); ++c)
      look(chunk, c, witness);
    keep(chunk, witness);
    rows_ += chunk.rows;
    while (chance_rows_ > 2 * options_.rows && rows_by_chance(halvings_ + 1) >= options_.rows)
      thin_out();
  }
  /// Keeps one of the rows, because it says what no other does.
  void add_witness(const TextChunk& chunk, std::size_t row) { others_.push_back(record(chunk, row)); }

  /// How many rows have each text of a column; nothing if there are too many texts.
  const TextCounts* counts(std::size_t column) const noexcept {
    return states_[column].complete ? &states_[column].seen : nullptr;
  }

  /// The rows that are kept, in their order.
  TextTable table(std::vector<std::string> names) const {
    auto needed = needed_witnesses();
    if (!numbers_.empty())
      needed[0] = true;                             // the first row, which rows are counted from
    std::map<std::uint64_t, const Record*> records; // of rows that the store has not
    const auto note = [&](const Record& one) {
      const auto found = std::lower_bound(numbers_.begin(), numbers_.end(), one.number);
      if (found != numbers_.end() && *found == one.number)
        needed[static_cast<std::size_t>(found - numbers_.begin())] = true;
      else
        records[one.number] = &one;
    };
    for (const auto& state : states_)
      for (const auto& end : state.ends)
        if (end)
          note(*end);
    for (const auto& other : others_)
      note(other);
    TextTable result;
    result.names = std::move(names);
    result.rows = static_cast<std::size_t>(rows_);
    result.columns.resize(store_.size());
    // Where each row of the result comes from: the store, or a record.
    struct From {
      std::size_t place = 0;
      const Record* record = nullptr;
    };
    std::vector<From> rows;
    auto next = records.begin();
    const auto add = [&](std::uint64_t number, const From& from) {
      rows.push_back(from);
      result.numbers.push_back(number);
      result.by_chance.push_back(by_chance(number));
    };
    for (std::size_t i = 0; i < numbers_.size(); ++i) {
      for (; next != records.end() && next->first < numbers_[i]; ++next)
        add(next->first, {0, next->second});
      if (needed[i] || by_chance(numbers_[i]))
        add(numbers_[i], {i, nullptr});
    }
    for (; next != records.end(); ++next)
      add(next->first, {0, next->second});
    for (std::size_t c = 0; c < store_.size(); ++c) {
      TextColumn::Copier copier(store_[c], result.columns[c]);
      for (const auto& from : rows)
        if (from.record == nullptr)
          copier.add(from.place);
        else
          result.columns[c].add(from.record->fields[c].text, from.record->fields[c].quoted,
                                from.record->fields[c].line);
    }
    for (const auto& state : states_)
      result.distinct.push_back(state.distinct());
    if (result.numbers.size() == rows_) { // all
      result.numbers.clear();
      result.by_chance.clear();
      result.distinct.clear();
    }
    return result;
  }

private:
  struct Field {
    std::string text;
    bool quoted = false;
    std::size_t line = 0;
  };
  struct Record {
    std::uint64_t number = 0;
    std::vector<Field> fields;
  };
  /// Of a column: rows of its least and largest number and text, and of the longest fraction.
  enum End { least, largest, first_text, last_text, longest_fraction, end_count };
  struct State {
    TextCounts seen;
    bool complete = true;                 ///< `seen` has all texts
    std::size_t marks = 0;                ///< texts that are no numbers
    std::size_t bytes = 0;                ///< of the texts
    std::set<std::uint64_t> least_hashes; ///< of its texts; at most `most_hashes`
    std::uint64_t hash_limit = std::numeric_limits<std::uint64_t>::max(); ///< no larger hash is one of them
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();
    std::size_t fraction = 0;
    std::array<std::optional<Record>, end_count> ends;

    void add_hash(std::string_view text) {
      const std::uint32_t upper = text_hash(text, 2);
      if (upper > hash_limit >> 32U) // as of nearly all texts
        return;
      const std::uint64_t hash = (std::uint64_t{upper} << 32U) | text_hash(text, 3);
      if (hash > hash_limit)
        return;
      least_hashes.insert(hash);
      if (least_hashes.size() > most_hashes)
        least_hashes.erase(std::prev(least_hashes.end()));
      if (least_hashes.size() == most_hashes)
        hash_limit = *least_hashes.rbegin();
    }
    /// How many texts there are: exactly, or from how close together their least hashes lie (Bar-Yossef et
    /// al., RANDOM 2002), with a standard deviation of 3 %.
    std::size_t distinct() const {
      if (complete)
        return seen.size();
      if (least_hashes.size() < most_hashes)
        return least_hashes.size();
      const double share = std::ldexp(static_cast<double>(*least_hashes.rbegin()), -64);
      return static_cast<std::size_t>(static_cast<double>(most_hashes - 1) / share);
    }
  };
  static constexpr std::size_t most_hashes = 1024;
  static constexpr std::size_t most_bytes = std::size_t{1} << 24U; ///< of a column's texts

  /// A number that is any number's with the same probability, whatever the rows hold.
  static std::uint64_t mixed(std::uint64_t row) noexcept {
    row += 0x9E3779B97F4A7C15U; // SplitMix64 (Steele et al. 2014)
    row = (row ^ (row >> 30U)) * 0xBF58476D1CE4E5B9U;
    row = (row ^ (row >> 27U)) * 0x94D049BB133111EBU;
    return row ^ (row >> 31U);
  }
  bool by_chance(std::uint64_t row, unsigned halvings) const noexcept {
    const std::uint64_t hash = mixed(options_.chance == 0 ? row : row ^ mixed(options_.chance));
    return halvings == 0 || hash >> (64 - halvings) == 0;
  }
  bool by_chance(std::uint64_t row) const noexcept { return by_chance(row, halvings_); }
  /// Of the rows in the store, those that so many halvings leave.
  std::size_t rows_by_chance(unsigned halvings) const noexcept {
    return static_cast<std::size_t>(std::count_if(
        numbers_.begin(), numbers_.end(), [&](std::uint64_t row) { return by_chance(row, halvings); }));
  }

  /// How many digits a number's text has behind its point or comma. An exponent may stand for any number.
  static std::size_t fraction_of(std::string_view text) noexcept {
    std::size_t after = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == 'e' || text[i] == 'E')
        return 1000;
      if (text[i] == '.' || text[i] == ',')
        after = text.size() - i - 1;
    }
    return after;
  }
  /// Counts a text of which not all rows have been counted. \returns whether there was none like it
  bool count(State& state, const TextColumn::Text& text, bool is_number) const {
    const auto [found, added] = state.seen.try_emplace(std::string(text.text));
    auto& rows = text.quoted ? found->second.quoted : found->second.plain;
    const bool is_new = rows == 0;
    rows += text.rows;
    state.marks +=
        added && !is_number ? 1U : 0U; // a few words for missing values do not make it one of words
    state.bytes += added ? text.text.size() : 0U;
    const std::size_t most = state.marks <= 8 ? options_.numbers : options_.texts;
    if (state.seen.size() > most || state.bytes > most_bytes) {
      state.complete = false;
      state.seen = {};
    }
    return is_new;
  }

  /// Looks at the texts that a column of the chunk has, and marks rows that are to be kept.
  void look(const TextChunk& chunk, std::size_t c, std::vector<bool>& witness) {
    auto& state = states_[c];
    const auto& column = chunk.columns[c];
    constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
    std::array<std::uint32_t, end_count> beaten;
    beaten.fill(none);
    std::vector<bool> is_new(column.size());
    bool any = false;
    bool no_text = !state.ends[first_text];
    std::string_view first = no_text ? std::string_view() : state.ends[first_text]->fields[c].text;
    std::string_view last = no_text ? std::string_view() : state.ends[last_text]->fields[c].text;
    for (std::uint32_t code = 0; code < column.size(); ++code) {
      const auto text = column[code];
      const auto number = read_number(text.text);
      if (state.complete && count(state, text, number.has_value())) {
        is_new[code] = true;
        any = true;
      }
      state.add_hash(text.text);
      if (number) {
        if (number->value < state.low) {
          beaten[least] = code;
          state.low = number->value;
        }
        if (number->value > state.high) {
          beaten[largest] = code;
          state.high = number->value;
        }
        const std::size_t digits =
            number->plain ? static_cast<std::size_t>(number->decimals) : fraction_of(text.text);
        if (digits > state.fraction) {
          beaten[longest_fraction] = code;
          state.fraction = digits;
        }
      }
      if (no_text || text.text < first) {
        beaten[first_text] = code;
        first = text.text;
      }
      if (no_text || text.text > last) {
        beaten[last_text] = code;
        last = text.text;
      }
      no_text = false;
    }
    // Where each of these texts comes first.
    std::vector<bool> wanted(column.size());
    for (const auto code : beaten)
      if (code != none) {
        wanted[code] = true;
        any = true;
      }
    if (!any)
      return;
    const auto codes = column.codes();
    for (std::size_t row = 0; row < codes.size(); ++row) {
      const auto code = codes[row];
      if (is_new[code]) {
        witness[row] = true;
        is_new[code] = false;
      }
      if (wanted[code]) {
        wanted[code] = false;
        for (std::size_t end = 0; end < beaten.size(); ++end)
          if (beaten[end] == code)
            state.ends[end] = record(chunk, row);
      }
    }
  }
  static Record record(const TextChunk& chunk, std::size_t row) {
    Record result{chunk.first_row + row, {}};
    for (const auto& column : chunk.columns) {
      const auto text = column[column.codes()[row]];
      result.fields.push_back({std::string(text.text), text.quoted, text.first_line});
    }
    return result;
  }
  void keep(const TextChunk& chunk, const std::vector<bool>& witness) {
    std::vector<std::size_t> kept;
    for (std::size_t row = 0; row < chunk.rows; ++row) {
      const bool chance = by_chance(chunk.first_row + row);
      if (!witness[row] && !chance)
        continue;
      kept.push_back(row);
      numbers_.push_back(chunk.first_row + row);
      witness_.push_back(witness[row]);
      chance_rows_ += chance ? 1U : 0U;
    }
    for (std::size_t c = 0; c < store_.size(); ++c)
      copy_rows(chunk.columns[c], kept, store_[c]);
  }
  static void copy_rows(const TextColumn& from, const std::vector<std::size_t>& rows, TextColumn& to) {
    TextColumn::Copier(from, to).add(rows);
  }
  /// Which of the rows that are kept as witnesses have a text that no row by chance and no witness before
  /// has.
  std::vector<bool> needed_witnesses() const {
    std::vector<bool> needed(numbers_.size());
    for (std::size_t c = 0; c < store_.size(); ++c) {
      const auto codes = store_[c].codes();
      std::vector<bool> there(store_[c].size());
      for (std::size_t i = 0; i < codes.size(); ++i)
        if (by_chance(numbers_[i]))
          there[codes[i]] = true;
      for (std::size_t i = 0; i < codes.size() && states_[c].complete; ++i)
        if (!there[codes[i]]) {
          there[codes[i]] = true;
          needed[i] = true;
        }
    }
    return needed;
  }
  /// Keeps about half of the rows by chance: those that would have been kept all along.
  void thin_out() {
    ++halvings_;
    std::vector<std::size_t> kept;
    std::vector<std::uint64_t> numbers;
    std::vector<bool> witness;
    chance_rows_ = 0;
    for (std::size_t i = 0; i < numbers_.size(); ++i) {
      const bool chance = by_chance(numbers_[i]);
      if (!witness_[i] && !chance)
        continue;
      kept.push_back(i);
      numbers.push_back(numbers_[i]);
      witness.push_back(witness_[i]);
      chance_rows_ += chance ? 1U : 0U;
    }
    for (auto& column : store_) {
      TextColumn thinned;
      copy_rows(column, kept, thinned);
      column = std::move(thinned);
    }
    numbers_ = std::move(numbers);
    witness_ = std::move(witness);
  }

  SketchOptions options_;
  unsigned halvings_ = 0; ///< of the chance to be kept
  std::uint64_t rows_ = 0;
  std::vector<TextColumn> store_;
  std::vector<std::uint64_t> numbers_; ///< of the rows in the store, ascending
  std::vector<bool> witness_;          ///< kept whatever chance says
  std::size_t chance_rows_ = 0;        ///< of the rows in the store
  std::vector<State> states_;
  std::vector<Record> others_;
};

} // namespace detail
ROWSMITH_END
