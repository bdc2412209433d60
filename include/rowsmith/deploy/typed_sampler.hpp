// SPDX-License-Identifier: MIT
/// \file
/// A sampler whose rows are typed by a compile-time schema.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/deploy/row.hpp>
#include <rowsmith/deploy/sampler.hpp>

ROWSMITH_BEGIN

/// A `Sampler` of rows whose columns are known at compile time.
///
/// \code
/// using Person = rowsmith::Schema<rowsmith::Numerical<"age">, rowsmith::Label<"income">>;
/// const rowsmith::TypedSampler<Person> sampler(rowsmith::load_model("people.model"));
/// auto scratch = sampler.scratch();
/// auto row = sampler.row();
/// sampler(seed, index, scratch, row);
/// use(row.get<"age">(), row.get<"income">().text);
/// \endcode
template <class Schema>
class TypedSampler {
public:
  using Scratch = Sampler::Scratch;

  /// \throws SchemaError naming the first column of the model that differs from `Schema`
  explicit TypedSampler(const TableModel& model, const SamplerOptions& options = {})
      : TypedSampler(Sampler(model, options)) {}
  explicit TypedSampler(Sampler sampler) : sampler_(std::move(sampler)) {
    Row<Schema>::check(sampler_.schema());
  }

  /// The same with columns known at run time.
  const Sampler& dynamic() const noexcept { return sampler_; }
  Scratch scratch() const { return sampler_.scratch(); }
  Row<Schema> row() const { return Row<Schema>(sampler_.row()); }
  std::size_t label_index(const std::string& label) const { return sampler_.label_index(label); }
  ResolvedConditions resolve(std::span<const Condition> conditions, bool allow_rare = false) const {
    return sampler_.resolve(conditions, allow_rare);
  }

  /// As those of `Sampler`.
  void operator()(std::uint64_t seed, std::uint64_t index, Scratch& scratch,
                  Row<Schema>& row) const noexcept {
    sampler_(seed, index, scratch, row.dynamic());
  }
  void operator()(std::uint64_t seed, std::uint64_t index, std::size_t label, Scratch& scratch,
                  Row<Schema>& row) const noexcept {
    sampler_(seed, index, label, scratch, row.dynamic());
  }
  [[nodiscard]] bool operator()(std::uint64_t seed, std::uint64_t index, const ResolvedConditions& conditions,
                                Scratch& scratch, Row<Schema>& row) const noexcept {
    return sampler_(seed, index, conditions, scratch, row.dynamic());
  }
  double score(const Row<Schema>& row, Scratch& scratch) const noexcept {
    return sampler_.score(row.dynamic(), scratch);
  }

private:
  Sampler sampler_;
};

ROWSMITH_END
