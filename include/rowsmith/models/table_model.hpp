// SPDX-License-Identifier: MIT
/// \file
/// A trained model: encoding, networks, and how to draw rows. Knows no template arguments, holds no training
/// rows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/parallel.hpp>
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
  Index latent_width() const noexcept { return static_cast<Index>(parts().latent_scale.size()); }
  /// Columns, layout and label as the kernel reads them. A view of this model.
  const kernel::Columns& columns() const noexcept { return state_->view.columns; }
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

  /// Looks conditions up. \throws SchemaError for one that this model cannot keep: on a column that is not
  /// there or not the label of a conditional model, without values, with an unknown one or one twice, or two
  /// on one column
  ResolvedConditions resolve(std::span<const Condition> conditions) const {
    std::vector<std::size_t> allowed;
    for (const auto& condition : conditions) {
      const std::string what = "sample: the condition on column '" + condition.column + "'";
      schema().index_of(condition.column); // throws, naming the columns there are
      if (!conditional() || condition.column != schema().label())
        throw SchemaError(what + " cannot be kept: " +
                          (conditional() ? "only one on the label '" + schema().label() + "' can"
                                         : "this model was trained without one; train a conditional model"));
      if (!allowed.empty())
        throw SchemaError(what + " is given twice");
      for (const auto& value : condition.values) {
        allowed.push_back(label_index(value));
        if (std::count(allowed.begin(), allowed.end(), allowed.back()) > 1)
          throw SchemaError(what + " names '" + value + "' twice");
      }
      if (allowed.empty())
        throw SchemaError(what + " allows no value");
    }
    for (std::size_t i = 0; i < labels().size() && conditions.empty(); ++i)
      allowed.push_back(i);
    std::vector<double> shares;
    double total = 0;
    for (const auto label : allowed)
      total += shares.emplace_back(parts().label_shares[label]);
    if (allowed.size() > 1 && !(total > 0))
      throw SchemaError(
          "sample: no training row has one of the labels asked for, so that they have no shares");
    for (auto& share : shares)
      share = conditions.empty() || shares.size() == 1 ? share : share / total;
    return {std::move(allowed), std::move(shares)};
  }
  ResolvedConditions resolve(const SampleOptions& options) const {
    auto conditions = options.conditions;
    if (!options.label.empty()) {
      label_index(options.label); // its own words where the model has no label
      conditions.push_back({schema().label(), {options.label}});
    }
    return resolve(conditions);
  }

  /// Makes `rows` rows. \throws SchemaError for a condition that cannot be kept
  Table sample(std::size_t rows, const SampleOptions& options = {}) const {
    const auto conditions = resolve(options);
    auto columns = encoder().empty_columns(rows);
    each_block(rows, options.threads, [&](InferenceScratch& scratch, std::size_t begin, Index count) {
      draw_rows(options.seed, options.first_row + begin, count, conditions, scratch,
                [&](std::size_t row, const std::int32_t* codes, const float* outputs,
                    const kernel::Draw& draw) { place(codes, outputs, draw, columns, begin + row); });
    });
    return preparation().backward(Table(std::move(columns), encoder().schema().label()));
  }
  /// The codes of the same rows, rows × stretches of the layout: what the heads draw, before numbers get
  /// their place in a bin. \throws as `sample`
  std::vector<std::int32_t> sample_codes(std::size_t rows, const SampleOptions& options = {}) const {
    const auto conditions = resolve(options);
    const std::size_t stretches = columns().stretches;
    std::vector<std::int32_t> result(rows * stretches);
    each_block(rows, options.threads, [&](InferenceScratch& scratch, std::size_t begin, Index count) {
      draw_rows(options.seed, options.first_row + begin, count, conditions, scratch,
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
  /// An empty table of the user's columns, with their texts and decimals.
  Table empty_table() const {
    return preparation().backward(Table(encoder().empty_columns(0), encoder().schema().label()));
  }

  /// Labels of rows [first, first + count) of a sample; empty if unconditional.
  std::vector<std::int32_t> draw_labels(const ResolvedConditions& conditions, std::uint64_t seed,
                                        std::uint64_t first, Index count) const {
    std::vector<std::int32_t> result(conditional() ? static_cast<std::size_t>(count) : 0);
    for (std::size_t r = 0; r < result.size(); ++r)
      result[r] = static_cast<std::int32_t>(conditions.label(seed, first + r));
    return result;
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
  void generate(std::uint64_t seed, const RowNumbers& numbers, Index count,
                std::span<const std::int32_t> row_labels, float* latents, InferenceScratch& scratch) const {
    parts().generate(RandomStream(seed, Purpose::sample_noise), RandomStream(seed, Purpose::sample_component),
                     numbers, count, row_labels, latents, scratch);
  }
  /// Calls `visit(i, codes, decoder's outputs, draw)` for each of `count` rows.
  template <class Visit>
  void draw_codes(std::uint64_t seed, const RowNumbers& numbers, const float* latents, Index count,
                  std::span<const std::int32_t> row_labels, InferenceScratch& scratch,
                  const Visit& visit) const {
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
                          row_labels.empty() ? 0 : row_labels[static_cast<std::size_t>(row)]};
    };
    const float* outputs = parts().decoder_network.run(latents, count, scratch);
    std::visit([&](const auto& kind) { kind.draw(view, outputs, count, draw_of, codes.data(), scratch); },
               heads());
    const Index width = parts().heads_read();
    for (Index r = 0; r < count; ++r)
      visit(r, codes.data() + static_cast<std::size_t>(r) * view.stretches, outputs + r * width, draw_of(r));
  }
  /// Calls `take(i, codes, decoder's outputs, draw)` once for each of rows first + i, i < count, of a sample:
  /// with the candidate that the guide takes.
  template <class Take>
  void draw_rows(std::uint64_t seed, std::uint64_t first, Index count, const ResolvedConditions& conditions,
                 InferenceScratch& scratch, const Take& take) const {
    const auto guide = parts().guide.view();
    auto labels = draw_labels(conditions, seed, first, count);
    std::vector<std::uint32_t> waiting(static_cast<std::size_t>(count));
    std::iota(waiting.begin(), waiting.end(), 0U);
    AlignedBuffer<float> latents(static_cast<std::size_t>(count * latent_width()));
    for (std::uint32_t attempt = 0; !waiting.empty(); ++attempt) {
      const RowNumbers numbers{first, attempt == 0 ? nullptr : waiting.data()};
      const auto candidates = static_cast<Index>(waiting.size());
      const std::uint64_t own_seed = kernel::Guide::seed_of(seed, attempt);
      generate(own_seed, numbers, candidates, labels, latents.data(), scratch);
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
  /// Puts a row of codes into row `at` of `to`.
  void place(const std::int32_t* codes, const float* outputs, const kernel::Draw& draw,
             std::vector<Column>& to, std::size_t at) const {
    const auto& view = columns();
    kernel::each_cell(
        view, codes, [&](std::size_t h) { return outputs[view.layout[h].offset]; },
        [&](std::size_t h) { return draw.position_at(h); },
        [&](std::size_t column, const kernel::Cell& cell) { set_cell(to[column], at, cell); });
  }

  struct State {
    explicit State(TableModelParts from) : parts(std::move(from)) {
      if (parts.preparation.slots() == 0)
        parts.preparation = Preparation(parts.encoder.schema());
      parts.check();
      view = parts.encoder.view(parts.conditional());
    }
    TableModelParts parts;
    EncoderView view;
  };
  std::shared_ptr<const State> state_;
};

ROWSMITH_END
