// SPDX-License-Identifier: MIT
/// \file
/// A trained model: encoding, networks, and how to draw rows. Knows no template arguments, holds no training
/// rows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
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
      AlignedBuffer<float> latents(static_cast<std::size_t>(count * latent_width()));
      const auto row_labels = draw_labels(conditions, options.seed, options.first_row + begin, count);
      generate(options.seed, options.first_row + begin, count, row_labels, latents.data(), scratch);
      decode(options.seed, options.first_row + begin, latents.data(), count, row_labels, columns, begin,
             scratch);
    });
    return preparation().backward(Table(std::move(columns), encoder().schema().label()));
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

  /// Latent codes of rows [first, first + count) of a sample: count × latent_width.
  /// \param row_labels  of `draw_labels`
  void generate(std::uint64_t seed, std::uint64_t first, Index count,
                std::span<const std::int32_t> row_labels, float* latents, InferenceScratch& scratch) const {
    parts().generate(RandomStream(seed, Purpose::sample_noise), RandomStream(seed, Purpose::sample_component),
                     first, count, row_labels, latents, scratch);
  }

  /// Decodes `count` latent codes into rows [to, to + count) of `columns`; the draws are those of rows
  /// [first, …) of a sample. \param row_labels  of `draw_labels`
  void decode(std::uint64_t seed, std::uint64_t first, const float* latents, Index count,
              std::span<const std::int32_t> row_labels, std::vector<Column>& to, std::size_t at,
              InferenceScratch& scratch) const {
    const auto& view = columns();
    std::vector<std::int32_t> codes(static_cast<std::size_t>(count) * view.stretches);
    const auto blocks = static_cast<Index>(view.word_blocks());
    std::vector<std::uint32_t> words(static_cast<std::size_t>(4 * blocks * count));
    fill_bits(RandomStream(seed, Purpose::sample_decode), first * static_cast<std::uint64_t>(blocks),
              blocks * count, words.data());
    const auto draw_of = [&](Index row) {
      return kernel::Draw{choice(), words.data() + 4 * blocks * row,
                          row_labels.empty() ? 0 : row_labels[static_cast<std::size_t>(row)]};
    };
    const float* outputs = parts().decoder_network.run(latents, count, scratch);
    std::visit([&](const auto& kind) { kind.draw(view, outputs, count, draw_of, codes.data(), scratch); },
               heads());
    for (Index r = 0; r < count; ++r)
      kernel::each_cell(
          view, codes.data() + static_cast<std::size_t>(r) * view.stretches,
          [&](std::size_t h) { return outputs[r * encoder().width() + view.layout[h].offset]; },
          [&](std::size_t h) { return draw_of(r).position_at(h); },
          [&](std::size_t column, const kernel::Cell& cell) {
            set_cell(to[column], at + static_cast<std::size_t>(r), cell);
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
