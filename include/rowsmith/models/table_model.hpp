// SPDX-License-Identifier: MIT
/// \file
/// A trained model: encoding, networks, and how to draw rows. Knows no template arguments, holds no training
/// rows.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/parallel.hpp>
#include <rowsmith/models/condition_rules.hpp>
#include <rowsmith/models/conditions.hpp>
#include <rowsmith/models/table_model_parts.hpp>

ROWSMITH_BEGIN

/// A trained model. Immutable and cheap to copy; all its functions may be called from several threads at
/// once.
class TableModel {
public:
  /// \throws ShapeError saying which parts do not fit together
  explicit TableModel(TableModelParts parts) : state_(std::make_shared<State>(std::move(parts))) {}

  const TableModelParts& parts() const noexcept { return state_->parts; }
  const TableEncoder& encoder() const noexcept { return parts().encoder; }
  const Preparation& preparation() const noexcept { return parts().preparation; }
  /// The user's columns.
  const TableSchema& schema() const noexcept { return preparation().schema(); }
  const TrainedHeads& heads() const noexcept { return parts().heads; }
  /// Label values of a conditional model; empty: unconditional.
  const std::vector<std::string>& labels() const noexcept { return parts().labels; }
  bool conditional() const noexcept { return parts().conditional(); }
  /// What the training promises of any one row; empty: nothing.
  const PrivacyLedger& privacy() const noexcept { return parts().privacy; }
  Index latent_width() const noexcept { return static_cast<Index>(parts().latent_scale.size()); }
  /// The same for copies of one model alone, as long as one of them lives.
  const void* identity() const noexcept { return state_.get(); }
  /// Columns, layout and label as the kernel reads them. A view of this model.
  const kernel::Columns& columns() const noexcept { return state_->view.columns; }
  /// Whether the heads are a distribution, so that rows have a likelihood: no squared errors, no argmax.
  bool is_distribution() const noexcept {
    return encoder().number_columns() == 0 && parts().decoding == Decoding::sample;
  }
  kernel::Choice choice() const noexcept {
    return {parts().decoding == Decoding::sample, static_cast<float>(parts().temperature)};
  }

  /// The position of a label value. \throws SchemaError naming the known ones
  std::size_t label_index(const std::string& label) const {
    if (!conditional())
      throw SchemaError("sample: a label ('" + label +
                        "') was asked of a model that was trained without one; "
                        "train a conditional model");
    const auto found = std::find(labels().begin(), labels().end(), label);
    if (found == labels().end()) {
      std::string known;
      for (const auto& text : labels())
        known += (known.empty() ? "'" : ", '") + text + "'";
      throw SchemaError("sample: no label is called '" + label + "'; the labels of column '" +
                        schema().label() + "' are: " + known);
    }
    return static_cast<std::size_t>(found - labels().begin());
  }

  /// Looks conditions up and tries them out. Several on one column hold together. \param allow_rare  few
  /// effective candidates are no error \throws SchemaError for a condition that does not fit its column
  /// \throws RareConditionsError for conditions that no candidate meets, or unless `allow_rare` too few
  ResolvedConditions resolve(std::span<const Condition> conditions, bool allow_rare = false,
                             int threads = 0) const {
    return resolve(
        {.conditions = {conditions.begin(), conditions.end()}, .allow_rare = allow_rare, .threads = threads});
  }
  ResolvedConditions resolve(const SampleOptions& options) const;

  /// Quotas of which each category of a column has as much as the others. \throws SchemaError for a column
  /// that is not categorical
  std::vector<Quota> balanced(const std::string& column) const;
  /// Looks quotas up, each with the options' conditions. \throws as `resolve`, and SchemaError for quotas
  /// that are none, of several columns, not apart from each other, or more than 1 together
  ResolvedQuotas resolve_quotas(const SampleOptions& options) const;

  /// Makes `rows` rows. \throws as `resolve`, and RareConditionsError, under `allow_rare`, for a row of
  /// whose candidates (`kernel::Candidates::most`) none meets the conditions
  Table sample(std::size_t rows, const SampleOptions& options = {}) const {
    return options.quotas.empty() ? sample(rows, resolve(options), options)
                                  : sample(rows, resolve_quotas(options), options);
  }
  /// The same by quotas that were looked up. \param options  of which the seed, the first row and the threads
  /// count
  Table sample(std::size_t rows, const ResolvedQuotas& quotas, const SampleOptions& options) const {
    auto columns = encoder().empty_columns(rows);
    each_block(rows, options.threads, [&](InferenceScratch& scratch, std::size_t begin, Index count) {
      std::vector<std::vector<std::uint32_t>> of_part(quotas.parts().size());
      for (std::uint32_t r = 0; r < static_cast<std::uint32_t>(count); ++r)
        of_part[quotas.part(options.seed, options.first_row + begin + r)].push_back(r);
      for (std::size_t part = 0; part < of_part.size(); ++part)
        if (!of_part[part].empty())
          draw_rows(options.seed, options.first_row + begin, std::move(of_part[part]), quotas.parts()[part],
                    scratch,
                    [&](std::size_t row, const std::int32_t* codes, const float* outputs,
                        const kernel::Draw& draw) { place(codes, outputs, draw, columns, begin + row); });
    });
    return preparation().backward(Table(std::move(columns), encoder().schema().label()));
  }
  /// The same under conditions that were looked up. \param options  of which the seed, the first row and the
  /// threads count
  Table sample(std::size_t rows, const ResolvedConditions& conditions, const SampleOptions& options) const {
    return sample(rows, ResolvedQuotas({conditions}, {1}), options);
  }
  /// The codes of the same rows, rows × stretches of the layout: what the heads draw, before numbers get
  /// their place in a bin. \throws as `sample`
  std::vector<std::int32_t> sample_codes(std::size_t rows, const SampleOptions& options = {}) const {
    const auto conditions = resolve(options);
    const std::size_t stretches = columns().stretches;
    std::vector<std::int32_t> result(rows * stretches);
    each_block(rows, options.threads, [&](InferenceScratch& scratch, std::size_t begin, Index count) {
      draw_rows(options.seed, options.first_row + begin, first_rows(count), conditions, scratch,
                [&](std::size_t row, const std::int32_t* codes, const float*, const kernel::Draw&) {
                  std::copy_n(codes, stretches, result.data() + (begin + row) * stretches);
                });
    });
    return result;
  }
  /// The same model without its guide: rows as the heads draw them, several times as many a second, and
  /// further from real ones.
  TableModel without_guide() const {
    auto parts = this->parts();
    parts.guide = {};
    return TableModel(std::move(parts));
  }

  /// A table of the user's columns as the networks take it. \throws SchemaError for columns other than the
  /// model's, or a cell that has no code \param refused  out: the rows, ascending, that no generated row can
  /// be, because they do not keep what the preparation computes; they are left out
  EncodedTable encode(const Table& table, std::vector<std::size_t>& refused) const {
    refused.clear();
    if (preparation().transforms().empty())
      return encoder().encode(table);
    const auto prepared = preparation().forward(table, refused);
    return encoder().encode(prepared, refused);
  }
  /// Whether what the heads draw depends on the latent code: not if they are trees that never ask for it.
  bool reads_latent() const noexcept { return state_->reads_latent; }
  /// An empty table of the user's columns, with their texts and decimals.
  Table empty_table() const {
    return preparation().backward(Table(encoder().empty_columns(0), encoder().schema().label()));
  }

  /// Labels of rows [first, first + count) of a sample; empty if unconditional.
  std::vector<std::int32_t> draw_labels(const ResolvedConditions& conditions, std::uint64_t seed,
                                        std::uint64_t first, Index count) const {
    return draw_labels(conditions, seed, first, first_rows(count));
  }

  /// Latent codes of rows [first, first + count) of a sample of the model without its guide: count ×
  /// latent_width.
  /// \param row_labels  of `draw_labels`
  void generate(std::uint64_t seed, std::uint64_t first, Index count,
                std::span<const std::int32_t> row_labels, float* latents, InferenceScratch& scratch) const {
    generate(seed, RowNumbers{first}, count, row_labels, latents, scratch);
  }

  /// Decodes `count` latent codes into rows [to, to + count) of `columns`; the draws are those of rows
  /// [first, …) of a sample of the model without its guide. \param row_labels  of `draw_labels`
  void decode(std::uint64_t seed, std::uint64_t first, const float* latents, Index count,
              std::span<const std::int32_t> row_labels, std::vector<Column>& to, std::size_t at,
              InferenceScratch& scratch) const {
    draw_codes(seed, {first}, latents, count, row_labels, scratch,
               [&](Index row, const std::int32_t* codes, const float* outputs, const kernel::Draw& draw) {
                 place(codes, outputs, draw, to, at + static_cast<std::size_t>(row));
               });
  }

  /// Draws one candidate within `restrictions` for each row of `numbers`, of the model without its guide, and
  /// calls `visit(i, codes, decoder's outputs, draw)`, with its weight in the draw: for those who choose
  /// among candidates themselves. \param labels  of a conditional model: one a row
  template <class Visit>
  void draw_within(std::uint64_t seed, const RowNumbers& numbers, Index count,
                   std::span<const std::int32_t> labels, const kernel::Restrictions& restrictions,
                   InferenceScratch& scratch, const Visit& visit) const {
    AlignedBuffer<float> latents(static_cast<std::size_t>(count * latent_width()));
    std::vector<kernel::RowWeight> weights(static_cast<std::size_t>(count));
    generate_if_read(seed, numbers, count, labels, latents.data(), scratch);
    draw_codes(seed, numbers, latents.data(), count, labels, scratch, visit, &restrictions, weights.data());
  }
  /// The cells of a row of codes, by slot of the preparation; those that it makes or computes are left.
  void set_model_cells(const std::int32_t* codes, const float* outputs, const kernel::Draw& draw,
                       RowCells cells) const noexcept {
    kernel::each_drawn_cell(columns(), codes, outputs, draw,
                            [&](std::size_t column, const kernel::Cell& cell) {
                              const std::size_t slot = preparation().model_slots()[column];
                              cells.numbers[slot] = cell.number;
                              cells.codes[slot] = cell.code;
                            });
  }

  /// Cuts rows into blocks small enough for the second-level cache, large enough for the product's, and calls
  /// `work(scratch, first, count)` for each; a thread keeps its buffers from block to block.
  template <class Work>
  static void each_block(std::size_t rows, int threads, const Work& work) {
    constexpr std::size_t block = 256;
    const std::size_t blocks = (rows + block - 1) / block;
    const int team = resolve_threads(threads);
    const std::size_t shards = std::min(blocks, static_cast<std::size_t>(team) * 4);
    parallel_for(shards, team, [&](std::size_t shard) {
      InferenceScratch scratch;
      for (std::size_t b = shard * blocks / shards; b < (shard + 1) * blocks / shards; ++b)
        work(scratch, b * block, static_cast<Index>(std::min(block, rows - b * block)));
    });
  }

private:
  static std::vector<std::uint32_t> first_rows(Index count) {
    std::vector<std::uint32_t> rows(static_cast<std::size_t>(count));
    std::iota(rows.begin(), rows.end(), 0U);
    return rows;
  }
  std::vector<std::int32_t> draw_labels(const ResolvedConditions& conditions, std::uint64_t seed,
                                        std::uint64_t first, const std::vector<std::uint32_t>& rows) const {
    std::vector<std::int32_t> result;
    if (conditional())
      for (const auto row : rows)
        result.push_back(static_cast<std::int32_t>(conditions.label(seed, first + row)));
    return result;
  }
  void generate(std::uint64_t seed, const RowNumbers& numbers, Index count,
                std::span<const std::int32_t> row_labels, float* latents, InferenceScratch& scratch) const {
    parts().generate(RandomStream(seed, Purpose::sample_noise), RandomStream(seed, Purpose::sample_component),
                     numbers, count, row_labels, latents, scratch);
  }
  /// The same for heads alone, which draw the same rows from whatever they do not read.
  void generate_if_read(std::uint64_t seed, const RowNumbers& numbers, Index count,
                        std::span<const std::int32_t> row_labels, float* latents,
                        InferenceScratch& scratch) const {
    if (reads_latent())
      generate(seed, numbers, count, row_labels, latents, scratch);
    else
      std::fill_n(latents, count * latent_width(), 0.0F);
  }
  /// Calls `visit(i, codes, decoder's outputs, draw)` for each of `count` rows.
  /// \param restrictions  null: none \param weights  with restrictions: one a row
  template <class Visit>
  void draw_codes(std::uint64_t seed, const RowNumbers& numbers, const float* latents, Index count,
                  std::span<const std::int32_t> row_labels, InferenceScratch& scratch, const Visit& visit,
                  const kernel::Restrictions* restrictions = nullptr,
                  kernel::RowWeight* weights = nullptr) const {
    const auto& view = columns();
    std::vector<std::int32_t> codes(static_cast<std::size_t>(count) * view.stretches);
    const auto blocks = static_cast<Index>(view.word_blocks());
    std::vector<std::uint32_t> words(static_cast<std::size_t>(4 * blocks * count));
    const RandomStream bits(seed, Purpose::sample_decode);
    const auto first_block = [&](Index row) { return numbers[row] * static_cast<std::uint64_t>(blocks); };
    if (numbers.offsets == nullptr)
      fill_bits(bits, first_block(0), blocks * count, words.data());
    else
      for (Index r = 0; r < count; ++r)
        fill_bits(bits, first_block(r), blocks, words.data() + 4 * blocks * r);
    const auto draw_of = [&](Index row) {
      return kernel::Draw{choice(), words.data() + 4 * blocks * row,
                          row_labels.empty() ? 0 : row_labels[static_cast<std::size_t>(row)], restrictions,
                          weights == nullptr ? nullptr : weights + row};
    };
    const float* outputs = parts().decoder_network.run(latents, count, scratch);
    std::visit([&](const auto& kind) { kind.draw(view, outputs, count, draw_of, codes.data(), scratch); },
               heads());
    const Index width = parts().heads_read();
    for (Index r = 0; r < count; ++r)
      visit(r, codes.data() + static_cast<std::size_t>(r) * view.stretches, outputs + r * width, draw_of(r));
  }
  /// Calls `take(row, codes, decoder's outputs, draw)` once for each row, with the candidate that the guide
  /// takes. \param waiting  the rows, counted from `first` on; ascending
  template <class Take>
  void draw_rows(std::uint64_t seed, std::uint64_t first, std::vector<std::uint32_t> waiting,
                 const ResolvedConditions& conditions, InferenceScratch& scratch, const Take& take) const {
    if (conditions.rules() != nullptr)
      return draw_rows_within(seed, first, std::move(waiting), conditions, scratch, take);
    const auto guide = parts().guide.view();
    auto labels = draw_labels(conditions, seed, first, waiting);
    AlignedBuffer<float> latents(waiting.size() * static_cast<std::size_t>(latent_width()));
    for (std::uint32_t attempt = 0; !waiting.empty(); ++attempt) {
      const bool all = waiting.back() + std::size_t{1} == waiting.size(); // without gaps
      const RowNumbers numbers{first, all ? nullptr : waiting.data()};
      const auto candidates = static_cast<Index>(waiting.size());
      const std::uint64_t own_seed = kernel::Guide::seed_of(seed, attempt);
      generate_if_read(own_seed, numbers, candidates, labels, latents.data(), scratch);
      std::size_t left = 0;
      draw_codes(own_seed, numbers, latents.data(), candidates, labels, scratch,
                 [&](Index i, const std::int32_t* codes, const float* outputs, const kernel::Draw& draw) {
                   const auto k = static_cast<std::size_t>(i);
                   const std::uint32_t row = waiting[k];
                   if (guide.takes(codes, attempt, seed, first + row))
                     return take(std::size_t{row}, codes, outputs, draw);
                   if (!labels.empty())
                     labels[left] = labels[k];
                   waiting[left++] = row;
                 });
      waiting.resize(left);
      labels.resize(labels.empty() ? 0 : left);
    }
  }
  /// The same under conditions: `take` is called for each candidate that is chosen so far.
  /// \throws RareConditionsError if a row has none
  template <class Take>
  void draw_rows_within(std::uint64_t seed, std::uint64_t first, std::vector<std::uint32_t> rows,
                        const ResolvedConditions& conditions, InferenceScratch& scratch,
                        const Take& take) const {
    const std::uint32_t wanted = conditions.support().candidates;
    const auto all = rows;
    std::vector<kernel::Candidates> candidates(rows.empty() ? 0 : rows.back() + std::size_t{1});
    for (std::uint32_t attempt = 0; !rows.empty(); ++attempt) {
      weigh(seed, attempt, first, rows, conditions, scratch,
            [&](std::uint32_t row, double weight, const std::int32_t* codes, const float* outputs,
                const kernel::Draw& draw) {
              if (candidates[row].take(weight, attempt, seed, first + row))
                take(std::size_t{row}, codes, outputs, draw);
            });
      if (attempt + 1 >= wanted)
        std::erase_if(rows, [&](std::uint32_t row) { return !candidates[row].want(attempt + 1, wanted); });
    }
    for (const std::uint32_t row : all)
      if (candidates[row].total == 0)
        throw RareConditionsError("sample: none of " + std::to_string(kernel::Candidates::most) +
                                  " candidates for row " + std::to_string(first + row + 1) +
                                  " meets the conditions");
  }
  /// Draws one candidate under conditions for each of `rows`, numbered from `first` on, and calls
  /// `visit(row, log of its weight, codes, decoder's outputs, draw)`.
  template <class Visit>
  void weigh(std::uint64_t seed, std::uint32_t attempt, std::uint64_t first,
             const std::vector<std::uint32_t>& rows, const ResolvedConditions& conditions,
             InferenceScratch& scratch, const Visit& visit) const {
    const auto& rules = *conditions.rules();
    if (!rules.is_of(identity()))
      throw SchemaError("sample: the conditions were looked up by another model");
    const auto count = static_cast<Index>(rows.size());
    const std::uint64_t own_seed = kernel::Guide::seed_of(seed, attempt);
    const RowNumbers numbers{first, rows.data()};
    const auto labels = draw_labels(conditions, own_seed, first, rows);
    std::vector<double> row_numbers(rules.holds() ? preparation().slots() : 0);
    std::vector<std::int32_t> row_codes(row_numbers.size());
    const RowCells cells{row_numbers.data(), row_codes.data()};
    draw_within(own_seed, numbers, count, labels, rules.view(), scratch,
                [&](Index i, const std::int32_t* codes, const float* outputs, const kernel::Draw& draw) {
                  double weight = rules.log_weight(codes, draw);
                  if (weight > -std::numeric_limits<double>::infinity() && rules.holds()) {
                    set_model_cells(codes, outputs, draw, cells);
                    preparation().backward(cells);
                    weight = rules.met(cells) ? weight : -std::numeric_limits<double>::infinity();
                  }
                  visit(rows[static_cast<std::size_t>(i)], weight, codes, outputs, draw);
                });
  }
  /// What candidates of no sample tell of conditions. \param tilts  out: what the columns would best be
  /// tilted by for more of the candidates to count; null: not asked for
  Support try_out(const ResolvedConditions& conditions, double share_of_labels, const SampleOptions& options,
                  detail::ConditionRules::Tilts* tilts) const;

  /// Puts a row of codes into row `at` of `to`.
  void place(const std::int32_t* codes, const float* outputs, const kernel::Draw& draw,
             std::vector<Column>& to, std::size_t at) const {
    kernel::each_drawn_cell(
        columns(), codes, outputs, draw,
        [&](std::size_t column, const kernel::Cell& cell) { set_cell(to[column], at, cell); });
  }

  struct State {
    explicit State(TableModelParts from) : parts(std::move(from)) {
      if (parts.preparation.slots() == 0)
        parts.preparation = Preparation(parts.encoder.schema());
      parts.check();
      view = parts.encoder.view(parts.conditional());
      reads_latent = rowsmith::reads_latent(parts.heads);
    }
    TableModelParts parts;
    EncoderView view;
    bool reads_latent = true;
  };
  std::shared_ptr<const State> state_;
};

ROWSMITH_END

#include <rowsmith/models/condition_search.hpp>
