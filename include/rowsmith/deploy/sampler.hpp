// SPDX-License-Identifier: MIT
/// \file
/// One row in microseconds: a trained model laid out for single rows, without allocations, locks or
/// exceptions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <rowsmith/core/aligned_buffer.hpp>
#include <rowsmith/deploy/packed_model.hpp>
#include <rowsmith/deploy/row.hpp>
#include <rowsmith/models/table_model.hpp>

ROWSMITH_BEGIN

/// How a `Sampler` keeps the weights of networks. Biases, scales, codecs and trees are always exact.
enum class Precision {
  single, ///< as they are: the bits of `TableModel::sample`
  half    ///< IEEE half precision, rounded to nearest: half the memory to read for a row. Some cells differ
          ///< from those of `single`; scores are within 1 % as a rule
};

struct SamplerOptions {
  Precision precision = Precision::single;
};

namespace detail {

/// A model with its weights, laid out for single rows.
template <class Store>
struct LaidOutModel {
  explicit LaidOutModel(const TableModel& model) : packed(store, model), weights(store.take()) {
    store = {};
    packed.set_weights(weights.view());
  }
  Store store; ///< empty, once all is packed
  PackedModel<Store> packed;
  typename Store::Buffers weights;
};

/// What all samplers made from one model share.
struct SamplerParts {
  using Single = LaidOutModel<FloatStore>;
  using Half = LaidOutModel<HalfStore>;

  SamplerParts(const TableModel& from, Precision precision)
      : model(from), columns(std::make_shared<RowColumns>(from)),
        laid_out(precision == Precision::half
                     ? std::variant<Single, Half>(std::in_place_type<Half>, model)
                     : std::variant<Single, Half>(std::in_place_type<Single>, model)) {}

  /// Calls `visit` with the packed model.
  template <class Visit>
  decltype(auto) with_packed(const Visit& visit) const {
    return std::visit([&visit](const auto& from) -> decltype(auto) { return visit(from.packed); }, laid_out);
  }
  /// Calls `visit` with the kernel's views of the model and of its heads.
  template <class Visit>
  decltype(auto) with_heads(const Visit& visit) const {
    return with_packed([&visit](const auto& packed) -> decltype(auto) {
      return packed.with_heads(
          [&](const auto& heads) -> decltype(auto) { return visit(packed.model(), heads); });
    });
  }

  TableModel model;
  std::shared_ptr<const RowColumns> columns;
  std::variant<Single, Half> laid_out;
};

} // namespace detail

/// Makes rows one at a time, inside services that cannot wait: a call fills a whole decoded row in
/// microseconds, with the bits that `TableModel::sample` gives row `index`. Calls are noexcept and do not
/// allocate, lock or call the system. Immutable and cheap to copy: one sampler serves all threads, each of
/// which needs a scratch of its own.
///
/// \code
/// const rowsmith::Sampler sampler(rowsmith::load_model("people.model"));
/// auto scratch = sampler.scratch(); // one per thread
/// auto row = sampler.row();
/// sampler(seed, index, scratch, row);
/// \endcode
///
/// A scratch, row or conditions that another model's sampler made, or a label that is not there, end the
/// program.
class Sampler {
public:
  /// The buffers of one thread. Can be moved, not copied: make another.
  class Scratch {
  public:
    Scratch(Scratch&&) noexcept = default;
    Scratch& operator=(Scratch&&) noexcept = default;

  private:
    friend class Sampler;
    explicit Scratch(std::shared_ptr<const RowColumns> columns)
        : columns_(std::move(columns)), prepared_(columns_) {}
    std::shared_ptr<const RowColumns> columns_; // says whose it is
    DynamicRow prepared_;                       // of a row to score
    AlignedBuffer<float> values_;
    AlignedBuffer<std::uint32_t> words_;
    AlignedBuffer<std::int32_t> codes_;
    kernel::Buffers buffers_;
  };

  /// Arranges the model's weights for single rows.
  /// \throws Error for half precision, if a weight is beyond ±65504
  explicit Sampler(const TableModel& model, const SamplerOptions& options = {})
      : parts_(std::make_shared<detail::SamplerParts>(model, options.precision)) {}

  const TableModel& model() const noexcept { return parts_->model; }
  const TableSchema& schema() const noexcept { return model().schema(); }
  /// What its rows have in common: schema, texts, decimals.
  const RowColumns& columns() const noexcept { return *parts_->columns; }
  /// The label values of a conditional model; empty for others.
  const std::vector<std::string>& labels() const noexcept { return model().labels(); }
  /// The number of a label, to be asked for. \throws SchemaError naming the known ones
  std::size_t label_index(const std::string& label) const { return model().label_index(label); }
  /// Conditions, to be asked for again and again. \throws SchemaError for one that the model cannot keep
  ResolvedConditions resolve(std::span<const Condition> conditions, bool allow_rare = false) const {
    return model().resolve(conditions, allow_rare);
  }

  /// How many bytes of weights are laid out for a sampled row. It reads all of them, or with autoregressive
  /// heads all but the tables of codes that were not drawn.
  std::size_t generation_bytes() const noexcept {
    return parts_->with_packed([](const auto& packed) { return packed.generation_size(); });
  }

  /// Buffers for one thread.
  Scratch scratch() const {
    return parts_->with_packed([this](const auto& packed) { return scratch_of(packed); });
  }
  /// A row for results.
  DynamicRow row() const { return DynamicRow(parts_->columns); }

  /// Makes row `index` of the sample with `seed`. A conditional model draws the label by its share.
  void operator()(std::uint64_t seed, std::uint64_t index, Scratch& scratch, DynamicRow& row) const noexcept {
    const auto& shares = model().parts().label_shares;
    make(seed, index, shares.empty() ? 0 : kernel::draw_label(shares.data(), shares.size(), seed, index),
         scratch, row);
  }
  /// The same with a label asked for. \param label  of `label_index`
  void operator()(std::uint64_t seed, std::uint64_t index, std::size_t label, Scratch& scratch,
                  DynamicRow& row) const noexcept {
    require(label < labels().size());
    make(seed, index, label, scratch, row);
  }
  /// The same under conditions, from as many candidates as `conditions.support()` tells. \param conditions of
  /// `resolve` \returns false, and leaves the row alone, if none of `kernel::Candidates::most` candidates
  /// meets them, which only rare conditions do (`Support::rare`)
  [[nodiscard]] bool operator()(std::uint64_t seed, std::uint64_t index, const ResolvedConditions& conditions,
                                Scratch& scratch, DynamicRow& row) const noexcept {
    const std::size_t label = conditions.label(seed, index);
    require(label < std::max<std::size_t>(labels().size(), 1));
    if (conditions.rules() != nullptr)
      return make_within(seed, index, conditions, scratch, row);
    make(seed, index, label, scratch, row);
    return true;
  }

  /// How badly the model describes a row: it is encoded and decoded again, and the errors of all columns are
  /// added up: −log of the probability of its category or code, and the square of a standardised number's
  /// difference. With autoregressive heads, the negative log-likelihood of the row given its latent code at
  /// temperature 1, in nats. A number outside the range of the training rows adds to that how far it is
  /// outside, in steps of which the range has one for each code, or squared in standard deviations
  /// (`kernel::Codec::excess`). Larger is more anomalous; infinite if joint heads serve columns that no
  /// training row combined so, if a number is so far out that the networks overflow, or if the row does not
  /// keep what the model's preparation computes, such as a constant. NaN if a cell has no code: missing where
  /// no training row was, infinite, or a category that is not one of the column's.
  double score(const DynamicRow& row, Scratch& scratch) const noexcept {
    require(scratch.columns_ == parts_->columns && row.columns_ == parts_->columns);
    const auto& preparation = model().preparation();
    const DynamicRow* prepared = &row;
    if (!preparation.transforms().empty()) {
      std::copy(row.numbers_.begin(), row.numbers_.end(), scratch.prepared_.numbers_.begin());
      std::copy(row.codes_.begin(), row.codes_.end(), scratch.prepared_.codes_.begin());
      if (!preparation.forward(scratch.prepared_.cells()))
        return std::numeric_limits<double>::infinity();
      prepared = &scratch.prepared_;
    }
    const std::size_t* slots = parts_->columns->model_slots.data();
    return parts_->with_heads([&](const auto& from, const auto& heads) {
      return kernel::score_row(
          from, heads, [=](std::size_t column) { return prepared->numbers_[slots[column]]; },
          [=](std::size_t column) { return prepared->codes_[slots[column]]; }, scratch.buffers_);
    });
  }

  /// Makes many rows at full speed: `TableModel::sample`. \throws SchemaError for an unknown label,
  /// OptionError for a number of threads out of range
  Table sample_rows(std::size_t rows, const SampleOptions& options = {}) const {
    return model().sample(rows, options);
  }

  /// The score of each row of a table, as `score` gives it.
  /// \throws SchemaError for columns other than the model's, or a cell that has no code
  std::vector<double> score_rows(const Table& table, int threads = 0) const {
    const auto& preparation = model().preparation();
    if (preparation.transforms().empty())
      return score_prepared(table, threads);
    std::vector<std::size_t> refused;
    const auto prepared = preparation.forward(table, refused);
    return detail::of_all_rows(score_prepared(prepared, threads, refused), refused,
                               std::numeric_limits<double>::infinity());
  }

private:
  template <class Packed>
  Scratch scratch_of(const Packed& packed) const {
    Scratch scratch(parts_->columns);
    const Index network = packed.network_width();
    const Index sizes[] = {packed.input_width(), network, network, packed.model().latent,
                           packed.room_width()};
    auto& buffers = scratch.buffers_;
    float** const places[] = {&buffers.input, &buffers.networks[0], &buffers.networks[1], &buffers.latent,
                              &buffers.room};
    constexpr Index line = buffer_alignment / sizeof(float);
    Index total = 0;
    for (const Index size : sizes)
      total += kernel::padded(size, line);
    scratch.values_.resize(static_cast<std::size_t>(total));
    float* at = scratch.values_.data();
    for (std::size_t i = 0; i < 5; ++i) {
      *places[i] = at;
      at += kernel::padded(sizes[i], line);
    }
    scratch.words_.resize(4 * packed.model().columns.word_blocks());
    scratch.codes_.resize(packed.model().columns.stretches);
    buffers.words = scratch.words_.data();
    buffers.codes = scratch.codes_.data();
    return scratch;
  }

  /// \param table  of the model's columns \param left_out  rows that it has no more
  std::vector<double> score_prepared(const Table& table, int threads,
                                     std::span<const std::size_t> left_out = {}) const {
    const auto& encoder = model().encoder();
    const auto& columns = model().columns();
    const EncodedTable encoded = encoder.encode(table, left_out);
    std::vector<std::int32_t> number_weights;
    for (const auto& stretch : encoder.layout())
      if (!stretch.categorical)
        number_weights.push_back(stretch.offset);
    std::vector<double> scores(encoded.rows());
    TableModel::each_block(
        encoded.rows(), threads, [&](InferenceScratch& scratch, std::size_t begin, Index count) {
          const auto size = static_cast<std::size_t>(count) * columns.stretches;
          std::vector<std::int32_t> codes(size); // by stretch
          std::vector<float> numbers(size);
          std::vector<std::int32_t> code_weights; // as the first layer takes them
          std::vector<float> present;
          for (std::size_t r = 0; r < static_cast<std::size_t>(count); ++r) {
            std::size_t code_column = 0;
            std::size_t number_column = 0;
            for (std::size_t h = 0; h < columns.stretches; ++h)
              if (const std::size_t at = r * columns.stretches + h; columns.layout[h].categorical) {
                codes[at] = encoded.code(begin + r, code_column++);
                code_weights.push_back(columns.layout[h].offset + codes[at]);
              } else {
                present.push_back(numbers[at] = encoded.number(begin + r, number_column++));
              }
          }
          const MixedRows<float> mixed{count,
                                       static_cast<Index>(encoder.code_columns()),
                                       static_cast<Index>(encoder.number_columns()),
                                       code_weights.data(),
                                       present.data(),
                                       number_weights.data()};
          const float* latent = model().parts().encoder_network.run(mixed, scratch);
          const float* outputs = model().parts().decoder_network.run(latent, count, scratch);
          std::visit(
              [&](const auto& kind) {
                kind.score(columns, outputs, count, codes.data(), numbers.data(), scores.data() + begin,
                           scratch);
              },
              model().heads());
        });
    for (std::size_t r = 0; r < scores.size(); ++r)
      scores[r] = kernel::infinite_if_lost(scores[r]) +
                  kernel::excess(columns, [&](std::size_t column) { return table[column].values[r]; });
    for (std::size_t c = 0; c < table.size(); ++c) {
      const auto rarity = encoder.rarity(table, c);
      for (std::size_t r = 0; r < rarity.size(); ++r)
        scores[r] += rarity[r];
    }
    return scores;
  }

  static void require(bool fine) noexcept {
    if (!fine)
      std::terminate();
  }

  void make(std::uint64_t seed, std::uint64_t index, std::size_t label, Scratch& scratch,
            DynamicRow& row) const noexcept {
    require(scratch.columns_ == parts_->columns && row.columns_ == parts_->columns);
    parts_->with_heads([&](const auto& from, const auto& heads) {
      kernel::sample_row(
          from, heads, seed, index, label, scratch.buffers_,
          [&row](std::size_t column, const kernel::Cell& cell) { row.set_cell(column, cell); });
    });
    model().preparation().backward(row.cells());
  }

  bool make_within(std::uint64_t seed, std::uint64_t index, const ResolvedConditions& conditions,
                   Scratch& scratch, DynamicRow& row) const noexcept {
    require(scratch.columns_ == parts_->columns && row.columns_ == parts_->columns);
    const auto& rules = *conditions.rules();
    require(rules.is_of(model().identity()));
    const auto restrictions = rules.view();
    const auto& preparation = model().preparation();
    const bool made = parts_->with_heads([&](const auto& from, const auto& heads) {
      const auto log_weight_of = [&](const std::int32_t* codes, const kernel::Draw& draw,
                                     const float* outputs) {
        const double weight = rules.log_weight(codes, draw);
        if (!(weight > -std::numeric_limits<double>::infinity()) || !rules.holds())
          return weight;
        kernel::each_drawn_cell(
            from.columns, codes, outputs, draw,
            [&](std::size_t column, const kernel::Cell& cell) { scratch.prepared_.set_cell(column, cell); });
        preparation.backward(scratch.prepared_.cells());
        return rules.met(scratch.prepared_.cells()) ? weight : -std::numeric_limits<double>::infinity();
      };
      return kernel::sample_row_within(
          from, heads, seed, index, conditions.support().candidates, restrictions,
          [&](std::uint64_t own_seed) { return conditions.label(own_seed, index); }, log_weight_of,
          scratch.buffers_,
          [&row](std::size_t column, const kernel::Cell& cell) { row.set_cell(column, cell); });
    });
    if (made)
      preparation.backward(row.cells());
    return made;
  }

  std::shared_ptr<const detail::SamplerParts> parts_;
};

ROWSMITH_END
