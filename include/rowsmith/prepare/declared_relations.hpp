// SPDX-License-Identifier: MIT
/// \file
/// Relations between columns that a user declares, read from their text.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/prepare/transform.hpp>
#include <rowsmith/table/schema.hpp>

ROWSMITH_BEGIN
namespace detail {

/// Reads one relation of `PreparationOptions::relations`.
class RelationParser {
public:
  RelationParser(const std::string& text, const TableSchema& schema) : text_(text), schema_(schema) {
    split();
  }

  /// \throws SchemaError saying what was expected where
  DeclaredRelation parse() {
    DeclaredRelation relation;
    relation.text = text_;
    const std::size_t first = column();
    const std::string operation = word("'=', '<=', '>=' or '->'");
    if (operation == "=") {
      relation.column = first;
      formula(relation);
    } else if (operation == "<=" || operation == ">=" || operation == "->") {
      const std::size_t second = column();
      const bool larger_first = operation == ">=";
      relation.kind = operation == "->" ? DeclaredRelation::Kind::lookup : DeclaredRelation::Kind::order;
      relation.column = larger_first ? first : second;
      relation.operands = {larger_first ? second : first};
    } else {
      refuse("'=', '<=', '>=' or '->' in place of " + in_quotes(operation));
    }
    if (at_ < words_.size())
      refuse("the end in place of " + in_quotes(words_[at_].text));
    check(relation);
    return relation;
  }

private:
  struct Word {
    std::string text;
    bool quoted = false;
  };

  [[noreturn]] void refuse(const std::string& expected) const {
    throw SchemaError("prepare: relation \"" + text_ + "\": expected " + expected);
  }
  void split() {
    for (std::size_t i = 0; i < text_.size();) {
      if (text_[i] == ' ') {
        ++i;
        continue;
      }
      const bool quoted = text_[i] == '\'';
      const std::size_t begin = quoted ? i + 1 : i;
      const std::size_t end = std::min(text_.find(quoted ? '\'' : ' ', begin), text_.size());
      if (quoted && end == text_.size())
        refuse("a single quote that ends the name " + in_quotes(text_.substr(begin)));
      words_.push_back({text_.substr(begin, end - begin), quoted});
      i = end + (quoted ? 1 : 0);
    }
  }
  std::string word(const std::string& expected) {
    if (at_ == words_.size())
      refuse(expected + " at the end");
    return words_[at_++].text;
  }
  std::size_t column() { return schema_.index_of(word("a column's name")); }
  bool next_is(std::string_view operation) const {
    return at_ < words_.size() && !words_[at_].quoted && words_[at_].text == operation;
  }

  /// Behind "column =".
  void formula(DeclaredRelation& relation) {
    bool minus = next_is("-");
    at_ += minus ? 1 : 0;
    for (;;) {
      const std::string_view name = at_ < words_.size() ? words_[at_].text : std::string_view();
      const auto& columns = schema_.columns();
      const bool known = std::any_of(columns.begin(), columns.end(),
                                     [&](const ColumnSchema& one) { return one.name == name; });
      const auto number =
          known || (at_ < words_.size() && words_[at_].quoted) ? std::nullopt : parse_number(name);
      if (number && std::isfinite(*number)) {
        relation.constant += minus ? -*number : *number;
        ++at_;
      } else {
        relation.operands.push_back(column());
        relation.signs.push_back(minus ? -1 : 1);
      }
      const bool product = next_is("*");
      if ((product || next_is("/")) && relation.operands.size() == 1 && relation.constant == 0 && !minus) {
        ++at_;
        relation.operands.push_back(column());
        relation.signs.clear();
        relation.kind = product ? DeclaredRelation::Kind::product : DeclaredRelation::Kind::ratio;
        return;
      }
      minus = next_is("-");
      if (!minus && !next_is("+"))
        break;
      ++at_;
    }
    if (relation.operands.empty())
      refuse("the name of a column behind '='");
  }
  void check(const DeclaredRelation& relation) const {
    auto places = relation.operands;
    places.push_back(relation.column);
    for (const std::size_t slot : places)
      if (relation.kind != DeclaredRelation::Kind::lookup && schema_[slot].kind != ColumnKind::numerical)
        throw SchemaError("prepare: relation \"" + text_ + "\": column '" + schema_[slot].name +
                          "' is not numerical");
    std::sort(places.begin(), places.end());
    if (std::adjacent_find(places.begin(), places.end()) != places.end())
      refuse("each column once");
  }

  const std::string& text_;
  const TableSchema& schema_;
  std::vector<Word> words_;
  std::size_t at_ = 0;
};

inline std::vector<DeclaredRelation> declared_relations(const std::vector<std::string>& texts,
                                                        const TableSchema& schema) {
  std::vector<DeclaredRelation> relations;
  for (const auto& text : texts)
    relations.push_back(RelationParser(text, schema).parse());
  return relations;
}

} // namespace detail
ROWSMITH_END
