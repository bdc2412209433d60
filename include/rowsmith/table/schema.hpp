// SPDX-License-Identifier: MIT
/// \file
/// What the columns of a table are: by name and kind, at compile time (`Schema<…>`) or at run time
/// (`TableSchema`).
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/fixed_string.hpp>

ROWSMITH_BEGIN

/// Numerical columns hold doubles, categorical ones text from a finite dictionary.
enum class ColumnKind { numerical, categorical };

inline std::string_view to_string(ColumnKind kind) {
  return kind == ColumnKind::numerical ? "numerical" : "categorical";
}

/// Name and kind of one column.
struct ColumnSchema {
  std::string name;
  ColumnKind kind = ColumnKind::categorical;
  bool operator==(const ColumnSchema&) const = default;
};

/// The columns of a table known at run time, in order, and which of them (if any) is the label.
class TableSchema {
public:
  TableSchema() = default;

  /// \param columns  at least one, of a kind there is; names must be unique and not empty
  /// \param label    name of a categorical column, or empty for none
  /// \throws SchemaError if not so
  explicit TableSchema(std::vector<ColumnSchema> columns, std::string label = {})
      : columns_(std::move(columns)), label_(std::move(label)) {
    if (columns_.empty())
      throw SchemaError("schema: there are no columns, expected at least one");
    std::unordered_set<std::string_view> seen;
    for (const auto& column : columns_) {
      if (column.name.empty())
        throw SchemaError("schema: a column has an empty name");
      if (!seen.insert(column.name).second)
        throw SchemaError("schema: column '" + column.name + "' is there twice");
      if (column.kind != ColumnKind::numerical && column.kind != ColumnKind::categorical)
        throw SchemaError("schema: column '" + column.name + "' is neither numerical nor categorical");
    }
    if (!label_.empty() && columns_[index_of(label_)].kind != ColumnKind::categorical)
      throw SchemaError("schema: the label '" + label_ + "' must be a categorical column, but is numerical");
  }

  const std::vector<ColumnSchema>& columns() const noexcept { return columns_; }
  std::size_t size() const noexcept { return columns_.size(); }
  const ColumnSchema& operator[](std::size_t i) const { return columns_[i]; }
  /// The label's name, empty if there is none.
  const std::string& label() const noexcept { return label_; }

  /// The position of a column. \throws SchemaError naming the known columns.
  std::size_t index_of(std::string_view name) const {
    for (std::size_t i = 0; i < columns_.size(); ++i)
      if (columns_[i].name == name)
        return i;
    std::string known;
    for (const auto& column : columns_)
      known += (known.empty() ? "" : ", ") + column.name;
    throw SchemaError("no column is called " + detail::in_quotes(name) + "; the columns are: " + known);
  }

  bool operator==(const TableSchema&) const = default;

private:
  std::vector<ColumnSchema> columns_;
  std::string label_;
};

namespace detail {
/// \throws SchemaError, which `where` begins, unless the columns are the same by name, kind and order
inline void check_columns(const std::string& where, const TableSchema& found, const TableSchema& expected) {
  if (found.size() != expected.size())
    throw SchemaError(where + ": the table has " + std::to_string(found.size()) + " columns, expected " +
                      std::to_string(expected.size()));
  const auto describe = [](const ColumnSchema& column) {
    return "'" + column.name + "' (" + std::string(to_string(column.kind)) + ")";
  };
  for (std::size_t i = 0; i < found.size(); ++i)
    if (found[i] != expected[i])
      throw SchemaError(where + ": column " + std::to_string(i + 1) + " is " + describe(found[i]) +
                        ", expected " + describe(expected[i]));
}
} // namespace detail

/// A numerical column of a `Schema`.
template <FixedString Name>
struct Numerical {
  static constexpr std::string_view name = Name.view();
  static constexpr ColumnKind kind = ColumnKind::numerical;
  static constexpr bool is_label = false;
};

/// A categorical column of a `Schema`.
template <FixedString Name>
struct Categorical {
  static constexpr std::string_view name = Name.view();
  static constexpr ColumnKind kind = ColumnKind::categorical;
  static constexpr bool is_label = false;
};

/// The categorical column that conditional models are conditioned on.
template <FixedString Name>
struct Label {
  static constexpr std::string_view name = Name.view();
  static constexpr ColumnKind kind = ColumnKind::categorical;
  static constexpr bool is_label = true;
};

namespace detail {
template <class... Columns>
consteval bool names_are_unique() {
  const std::array<std::string_view, sizeof...(Columns)> names{Columns::name...};
  for (std::size_t i = 0; i < names.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (names[i] == names[j])
        return false;
  return true;
}
} // namespace detail

/// The columns of a table known at compile time:
/// `Schema<Numerical<"age">, Categorical<"workclass">, Label<"income">>`.
template <class... Columns>
struct Schema {
  static_assert(sizeof...(Columns) > 0, "a Schema needs at least one column");
  static_assert(detail::names_are_unique<Columns...>(), "two columns of this Schema have the same name");
  static_assert((std::size_t{Columns::is_label} + ... + 0) <= 1, "a Schema has at most one Label");

  static constexpr std::size_t size = sizeof...(Columns);
  static constexpr std::array<std::string_view, size> names{Columns::name...};
  static constexpr std::array<ColumnKind, size> kinds{Columns::kind...};

  /// The position of a column; a name that is not there does not compile.
  template <FixedString Name>
  static consteval std::size_t index() {
    static_assert(((Columns::name == Name.view()) || ...), "this Schema has no column of that name");
    std::size_t position = 0;
    while (names[position] != Name.view())
      ++position;
    return position;
  }

  /// The same schema as a run-time value.
  static TableSchema table_schema() {
    std::string label;
    ((Columns::is_label ? void(label = Columns::name) : void()), ...);
    return TableSchema({ColumnSchema{std::string(Columns::name), Columns::kind}...}, std::move(label));
  }
};

ROWSMITH_END
