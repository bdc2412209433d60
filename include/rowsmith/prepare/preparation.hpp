// SPDX-License-Identifier: MIT
/// \file
/// What comes between the user's table and the table that a model learns.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/prepare/calendar_column.hpp>
#include <rowsmith/prepare/coincident_column.hpp>
#include <rowsmith/prepare/constant_column.hpp>
#include <rowsmith/prepare/declared_relations.hpp>
#include <rowsmith/prepare/following_date.hpp>
#include <rowsmith/prepare/formula_column.hpp>
#include <rowsmith/prepare/lookup_column.hpp>
#include <rowsmith/prepare/nested_missing.hpp>
#include <rowsmith/prepare/ordered_columns.hpp>
#include <rowsmith/prepare/transform.hpp>
#include <rowsmith/table/schema.hpp>
#include <rowsmith/table/table.hpp>

ROWSMITH_BEGIN
namespace detail {
/// In ascending order, each once.
inline std::vector<std::size_t> distinct(std::vector<std::size_t> numbers) {
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return numbers;
}
/// One number for each row of a table, from those of the rows that were not refused.
inline std::vector<double> of_all_rows(const std::vector<double>& known, std::span<const std::size_t> refused,
                                       double of_refused) {
  std::vector<double> all(known.size() + refused.size(), of_refused);
  for (std::size_t row = 0, next = 0, from = 0; row < all.size(); ++row)
    if (next < refused.size() && refused[next] == row)
      ++next;
    else
      all[row] = known[from++];
  return all;
}
} // namespace detail

/// A list of reversible column transforms, fitted to the training rows: `forward` makes the table that a
/// model learns from one of the user's, `backward` the user's table, with all columns in their order, from
/// one that a model drew. A value type; all const functions may be called from several threads at once.
///
/// Columns live in **slots**: the user's columns are slots 0, 1, 2, …, and every column that a transform
/// makes gets the next one. Transforms are applied in order, backward in reverse order, so that each finds
/// the slots it was fitted on. A row kept by slot needs no copying: a model decodes into `model_slots()`,
/// `backward` fills the others, and the first `schema().size()` of them are the row.
///
/// \tparam Transforms  in the order in which `fit` looks for them
template <ColumnTransform... Transforms>
class BasicPreparation {
public:
  using Transform = std::variant<Transforms...>;

  /// Of no columns.
  BasicPreparation() = default;

  /// From transforms fitted before. \param exceptions  as `exceptions()`; empty: none \throws SchemaError if
  /// they do not fit to the schema and each other
  explicit BasicPreparation(TableSchema schema, std::vector<Transform> transforms = {},
                            std::vector<std::size_t> exceptions = {})
      : schema_(std::move(schema)), slots_(schema_.columns()) {
    for (std::size_t slot = 0; slot < slots_.size(); ++slot)
      model_slots_.push_back(slot);
    for (auto& transform : transforms)
      append(std::move(transform));
    if (!exceptions.empty() && exceptions.size() != transforms_.size())
      throw SchemaError("prepare: there are " + std::to_string(exceptions.size()) +
                        " numbers of exceptions for " + std::to_string(transforms_.size()) + " transforms");
    if (!exceptions.empty())
      exceptions_ = std::move(exceptions);
    finish();
  }

  /// Fits to the training rows only. \throws SchemaError for an empty table, OptionError
  static BasicPreparation fit(const Table& train, const PreparationOptions& options = {}) {
    options.check();
    if (train.rows() == 0)
      throw SchemaError("prepare: the training table has no rows");
    BasicPreparation result(train.schema());
    std::vector<const Column*> slots;
    for (const auto& column : train.columns())
      slots.push_back(&column);
    std::vector<std::vector<Column>> made;
    const auto declared = detail::declared_relations(options.relations, train.schema());
    const auto fit_one = [&](auto fitter) {
      const std::vector<std::size_t> live = result.model_slots_;
      for (auto& transform : fitter({slots, live, result.label_slot(), declared}, options)) {
        std::vector<std::size_t> broken; // at most as many rows as `min_share` allows for
        made.push_back(transform.forward(slots, Refusals(&broken)));
        result.append(std::move(transform));
        result.exceptions_.back() = detail::distinct(broken).size();
        for (auto& column : made.back()) {
          column.name = result.slots_[slots.size()].name;
          slots.push_back(&column);
        }
      }
    };
    (fit_one(&Transforms::fit), ...);
    result.finish();
    return result;
  }

  /// The user's columns.
  const TableSchema& schema() const noexcept { return schema_; }
  /// The model's columns. They have the user's label, unless it was taken out.
  const TableSchema& model_schema() const noexcept { return model_schema_; }
  /// The slots of the model's columns, in their order.
  const std::vector<std::size_t>& model_slots() const noexcept { return model_slots_; }
  std::size_t slots() const noexcept { return slots_.size(); }
  /// Whether a user's column is one of the model's just as it is: no transform takes or mends it.
  bool is_plain(std::size_t column) const {
    return std::find(model_slots_.begin(), model_slots_.end(), column) != model_slots_.end() &&
           std::none_of(transforms_.begin(), transforms_.end(), [column](const Transform& transform) {
             const auto mended = std::visit([](const auto& one) { return mends_of(one); }, transform);
             return std::find(mended.begin(), mended.end(), column) != mended.end();
           });
  }
  const std::vector<Transform>& transforms() const noexcept { return transforms_; }
  /// The first slot that a transform makes; of one that makes none, what it would be.
  std::size_t first_made(std::size_t transform) const { return first_made_[transform]; }
  /// By transform: how many training rows it had no form for.
  const std::vector<std::size_t>& exceptions() const noexcept { return exceptions_; }
  /// What the transforms say about the rows, one text each, such as "'total' = 'price' + 'tax'".
  std::vector<std::string> relations() const {
    std::vector<std::string> texts;
    for (std::size_t t = 0; t < transforms_.size(); ++t) {
      texts.push_back(
          std::visit([this](const auto& transform) { return transform.text(slots_); }, transforms_[t]));
      if (exceptions_[t] > 0)
        texts.back() += ", but for " + std::to_string(exceptions_[t]) + " training rows";
    }
    return texts;
  }

  /// The table that a model learns. \throws SchemaError if columns differ from the schema's by name, kind or
  /// order, or, naming column and row, for a cell that a transform has no form for, such as another value in
  /// a column that was constant
  Table forward(Table table) const { return forward(std::move(table), nullptr); }
  /// The same for rows of which some may break the relations that were found, as `exceptions()` says of the
  /// training rows: what those say otherwise is lost.
  Table forward_training(Table table) const {
    std::vector<std::vector<std::size_t>> broken;
    return forward_training(std::move(table), broken);
  }
  /// \param broken  out, by transform: the rows that break it, ascending
  Table forward_training(Table table, std::vector<std::vector<std::size_t>>& broken) const {
    broken.assign(transforms_.size(), {});
    auto prepared = transformed(std::move(table), [&](std::size_t t) { return Refusals(&broken[t]); });
    for (auto& rows : broken)
      rows = detail::distinct(std::move(rows));
    return prepared;
  }
  /// The same transforms, of training rows of which so many break each. \throws SchemaError for another
  /// number of transforms
  BasicPreparation with_exceptions(std::vector<std::size_t> exceptions) const {
    return BasicPreparation(schema_, transforms_, std::move(exceptions));
  }
  /// The same for the rows whose cells all have a form: the numbers of the others, ascending, are put into
  /// `refused`, and they are left out. Such a row has the likelihood 0.
  Table forward(Table table, std::vector<std::size_t>& refused) const {
    refused.clear();
    return forward(std::move(table), &refused);
  }
  /// The user's table. Of an empty one, such as `TableEncoder::empty_columns(0)` makes, it has the texts and
  /// decimals of the user's columns. \throws SchemaError if columns differ from the model's
  Table backward(Table table) const {
    detail::check_columns("prepare", table.schema(), model_schema_);
    const std::size_t rows = table.rows();
    auto columns = std::move(table).into_columns();
    std::vector<Column> store(slots());
    std::vector<const Column*> slots;
    for (auto& column : store)
      slots.push_back(&column);
    for (std::size_t i = 0; i < columns.size(); ++i)
      store[model_slots_[i]] = std::move(columns[i]);
    for (std::size_t t = transforms_.size(); t-- > 0;)
      std::visit(
          [&](const auto& transform) {
            auto taken = transform.backward(SlotColumns(slots), first_made_[t], rows);
            auto places = transform.takes();
            const auto mended = mends_of(transform);
            places.insert(places.end(), mended.begin(), mended.end());
            for (std::size_t i = 0; i < places.size(); ++i) {
              taken[i].name = slots_[places[i]].name;
              store[places[i]] = std::move(taken[i]);
            }
          },
          transforms_[t]);
    store.resize(schema_.size());
    return Table(std::move(store), schema_.label());
  }

  /// The same for one row, whose cells are kept by slot; without allocations.
  /// \returns false if a cell has no form
  bool forward(RowCells cells) const noexcept {
    for (std::size_t t = 0; t < transforms_.size(); ++t)
      if (!std::visit(
              [&](const auto& transform) noexcept { return transform.forward(cells, first_made_[t]); },
              transforms_[t]))
        return false;
    return true;
  }
  /// The same for a row of which only some cells are known. What known ones give of the others is known from
  /// then on: a constant, a sum, what a key gives, and a part of a sum whose other parts are known.
  /// \param known  by slot, in and out \param decimals  by slot, as `Column::decimals`: of what is found
  /// \returns the slots of known cells that contradict each other by a transform, which makes nothing then
  std::vector<std::size_t> forward_known(RowCells cells, std::vector<bool>& known,
                                         std::span<const int> decimals) const {
    known.resize(slots(), false);
    const auto all_known = [&known](const std::vector<std::size_t>& some) {
      return std::all_of(some.begin(), some.end(), [&](std::size_t slot) { return known[slot]; });
    };
    const auto find_one = [&](bool exactly) {
      for (std::size_t t = 0; t < transforms_.size(); ++t)
        if (std::visit(
                [&](const auto& one) {
                  const auto taken = one.takes();
                  if (exactly && taken.size() == 1 && first_behind(t) == first_made_[t] && !known[taken[0]] &&
                      all_known(reads_of(one))) {
                    one.backward(cells, first_made_[t]);
                    known[taken[0]] = true;
                    return true;
                  }
                  if constexpr (requires { one.deduce(cells, known, decimals, exactly); })
                    return one.deduce(cells, known, decimals, exactly);
                  else
                    return false;
                },
                transforms_[t]))
          return true;
      return false;
    };
    while (find_one(true) || find_one(false)) {
    }
    std::vector<std::size_t> contradicted;
    for (std::size_t t = 0; t < transforms_.size(); ++t)
      std::visit(
          [&](const auto& one) {
            auto own = one.takes();
            const auto mended = mends_of(one);
            own.insert(own.end(), mended.begin(), mended.end());
            if (!all_known(own) || !all_known(reads_of(one))) {
              if constexpr (requires { one.forward_part(cells, first_made_[t], known); })
                one.forward_part(cells, first_made_[t], known);
              return;
            }
            const bool kept = one.forward(cells, first_made_[t]);
            if (!kept)
              contradicted.insert(contradicted.end(), own.begin(), own.end());
            for (std::size_t slot = first_made_[t]; slot < first_behind(t) && kept; ++slot)
              known[slot] = true;
          },
          transforms_[t]);
    return contradicted;
  }
  /// As `backward`, for a row of which some cells are fixed: what these and the drawn ones give of a cell
  /// that is not is put there, so that a relation is kept. \param fixed  by slot; what is put is fixed, too
  void backward_known(RowCells cells, std::vector<bool>& fixed, std::span<const int> decimals) const {
    for (std::size_t t = transforms_.size(); t-- > 0;)
      std::visit(
          [&](const auto& one) {
            if constexpr (requires { one.settle(cells, first_made_[t], fixed, decimals); })
              if (one.settle(cells, first_made_[t], fixed, decimals))
                return;
            one.backward(cells, first_made_[t]);
          },
          transforms_[t]);
  }
  void backward(RowCells cells) const noexcept {
    for (std::size_t t = transforms_.size(); t-- > 0;)
      std::visit([&](const auto& transform) noexcept { transform.backward(cells, first_made_[t]); },
                 transforms_[t]);
  }

  /// The name of a transform's kind, to save with its fields.
  static std::string_view kind_of(const Transform& transform) {
    return std::visit([](const auto& one) -> std::string_view { return one.kind; }, transform);
  }
  /// A transform of a kind, whose fields are to be read. \throws SchemaError for a kind that there is not
  static Transform of_kind(std::string_view kind) {
    Transform result;
    if (!((kind == Transforms::kind && (result = Transforms(), true)) || ...))
      throw SchemaError("prepare: there is no transform of the kind " + detail::in_quotes(kind));
    return result;
  }
  /// Calls `visit(name, field)` for each field of a transform, const or not.
  template <class Variant, class Visit>
  static void each_field(Variant& transform, Visit&& visit) {
    std::visit([&](auto& one) { one.each_field(one, visit); }, transform);
  }

private:
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

  std::size_t label_slot() const {
    return schema_.label().empty() ? none : schema_.index_of(schema_.label());
  }
  template <class One>
  static std::vector<std::size_t> mends_of(const One& transform) {
    if constexpr (requires { transform.mends(); })
      return transform.mends();
    else
      return {};
  }
  template <class One>
  static std::vector<std::size_t> reads_of(const One& transform) {
    if constexpr (requires { transform.reads(); })
      return transform.reads();
    else
      return {};
  }
  /// Behind the last slot that a transform makes.
  std::size_t first_behind(std::size_t transform) const noexcept {
    return transform + 1 < first_made_.size() ? first_made_[transform + 1] : slots_.size();
  }
  /// Takes the transform's slots out of the model's and puts those that it makes in the place of the first.
  void append(Transform transform) {
    const auto place_of = [this](std::size_t slot) {
      const auto place = std::find(model_slots_.begin(), model_slots_.end(), slot);
      if (place == model_slots_.end())
        throw SchemaError("prepare: a transform needs column " + std::to_string(slot + 1) +
                          ", which is not there or was taken by another");
      return place;
    };
    std::visit(
        [&](const auto& one) {
          if constexpr (requires { one.reads(); })
            for (const std::size_t slot : one.reads())
              place_of(slot);
          for (const std::size_t slot : mends_of(one))
            place_of(slot);
          std::size_t at = model_slots_.size();
          for (const std::size_t slot : one.takes()) {
            const auto place = place_of(slot);
            at = std::min(at, static_cast<std::size_t>(place - model_slots_.begin()));
            model_slots_.erase(place);
          }
          first_made_.push_back(slots_.size());
          for (auto& column : one.makes(slots_)) {
            model_slots_.insert(model_slots_.begin() + static_cast<std::ptrdiff_t>(at++), slots_.size());
            slots_.push_back(std::move(column));
          }
        },
        transform);
    transforms_.push_back(std::move(transform));
    exceptions_.push_back(0);
  }
  void finish() {
    std::vector<ColumnSchema> columns;
    std::string label;
    for (const std::size_t slot : model_slots_) {
      columns.push_back(slots_[slot]);
      if (slot == label_slot())
        label = schema_.label();
    }
    model_schema_ = TableSchema(std::move(columns), std::move(label));
  }
  Table forward(Table table, std::vector<std::size_t>* refused) const {
    const std::size_t rows = table.rows();
    auto prepared = transformed(std::move(table), [&](std::size_t) { return Refusals(refused); });
    if (refused == nullptr || refused->empty())
      return prepared;
    *refused = detail::distinct(std::move(*refused));
    std::vector<std::size_t> others;
    for (std::size_t row = 0, next = 0; row < rows; ++row)
      if (next < refused->size() && (*refused)[next] == row)
        ++next;
      else
        others.push_back(row);
    return prepared.select(others);
  }
  /// \param refusals_of  (number of the transform) -> what takes note of its refusals
  template <class RefusalsOf>
  Table transformed(Table table, const RefusalsOf& refusals_of) const {
    detail::check_columns("prepare", table.schema(), schema_);
    auto store = std::move(table).into_columns();
    store.reserve(slots()); // pointers into it stay
    std::vector<const Column*> slots;
    for (const auto& column : store)
      slots.push_back(&column);
    for (std::size_t t = 0; t < transforms_.size(); ++t)
      std::visit(
          [&](const auto& one) {
            for (auto& column : one.forward(SlotColumns(slots), refusals_of(t))) {
              column.name = slots_[store.size()].name;
              store.push_back(std::move(column));
              slots.push_back(&store.back());
            }
          },
          transforms_[t]);
    std::vector<Column> columns;
    for (const std::size_t slot : model_slots_)
      columns.push_back(std::move(store[slot]));
    return Table(std::move(columns), model_schema_.label());
  }

  TableSchema schema_;
  TableSchema model_schema_;
  std::vector<Transform> transforms_;
  std::vector<std::size_t> exceptions_;
  std::vector<std::size_t> first_made_; ///< by transform: the slot of the first column it makes
  std::vector<ColumnSchema> slots_;
  std::vector<std::size_t> model_slots_;
};

/// All transforms of the library. Those of the calendar come last, so that dates are there again before
/// others mend them.
using Preparation = BasicPreparation<ConstantColumn, FormulaColumn, LookupColumn, OrderedColumns,
                                     NestedMissing, CoincidentColumn, FollowingDate, CalendarColumn>;

ROWSMITH_END
