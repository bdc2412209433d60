// SPDX-License-Identifier: MIT
/// \file
/// A trained model as plain values: encoding, networks, and how to draw rows. Knows no template arguments,
/// holds no training rows.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/parallel.hpp>
#include <rowsmith/encoding/table_encoder.hpp>
#include <rowsmith/models/autoregressive_heads.hpp>
#include <rowsmith/models/gaussian_mixture.hpp>
#include <rowsmith/models/heads.hpp>
#include <rowsmith/models/joint_codes.hpp>
#include <rowsmith/nn/inference.hpp>

ROWSMITH_BEGIN

/// How to draw rows.
struct SampleOptions {
  std::uint64_t seed = 0; ///< row i depends on the model, the seed and i only
  /// The wanted label; empty: drawn as often as in training. Every row has it, unless categories are decoded
  /// by argmax: then the label's head has the last word.
  std::string label{};
  std::uint64_t first_row = 0; ///< number of the first row: rows 5…9 are rows 0…4 of `first_row = 5`
  int threads = 0;             ///< 0: all; never changes the result
};

/// A trained model. A value type; all its functions may be called from several threads at once.
struct TableModel {
  TableEncoder encoder;
  InferenceNetwork encoder_network;   ///< encoded row -> latent code
  InferenceNetwork generator_network; ///< noise (+ label) -> scaled latent code
  /// Latent code -> outputs of all heads; or, with autoregressive heads, what those read (without layers: the
  /// latent code itself).
  InferenceNetwork decoder_network;
  AutoregressiveNetwork heads; ///< empty: heads that are independent of each other
  JointCodes joint;            ///< which of those serve several columns; empty: each serves one
  /// Latent code = scale · atanh(bound · g) + offset for the generator's output g in (−1, 1), by dimension;
  /// with an empty bound scale · g + offset.
  std::vector<float> latent_scale;
  std::vector<float> latent_offset;
  std::vector<float> latent_bound; ///< each in (0, 1)
  Index noise_width = 0;
  GaussianMixture mixture;          ///< what the generator's noise is drawn from; empty: standard normal
  std::vector<std::string> labels;  ///< label values of a conditional model; empty: unconditional
  std::vector<double> label_shares; ///< of the training rows
  Decoding decoding = Decoding::sample;
  double temperature = 1;
  std::map<std::string, std::string> notes; ///< recipe, seed and the like, for people

  Index latent_width() const noexcept {
    return decoder_network.empty() ? heads.inputs : decoder_network.inputs();
  }
  bool conditional() const noexcept { return !labels.empty(); }

  /// The position of a label value. \throws SchemaError naming the known ones
  std::size_t label_index(const std::string& label) const {
    if (!conditional())
      throw SchemaError("sample: a label ('" + label +
                        "') was asked of a model that was trained without one; "
                        "train a conditional model");
    const auto found = std::find(labels.begin(), labels.end(), label);
    if (found == labels.end()) {
      std::string known;
      for (const auto& text : labels)
        known += (known.empty() ? "'" : ", '") + text + "'";
      throw SchemaError("sample: no label is called '" + label + "'; the labels of column '" +
                        encoder.schema().label() + "' are: " + known);
    }
    return static_cast<std::size_t>(found - labels.begin());
  }

  /// Makes `rows` rows.
  Table sample(std::size_t rows, const SampleOptions& options = {}) const {
    const auto wanted = options.label.empty() ? labels.size() : label_index(options.label);
    auto columns = encoder.empty_columns(rows);
    // Small enough for the second-level cache, large enough for the product's blocks. A thread keeps its
    // buffers from block to block.
    constexpr std::size_t block = 256;
    const std::size_t blocks = (rows + block - 1) / block;
    const int threads = resolve_threads(options.threads);
    const std::size_t shards = std::min(blocks, static_cast<std::size_t>(threads) * 4);
    parallel_for(shards, threads, [&](std::size_t shard) {
      InferenceScratch scratch;
      AlignedBuffer<float> latents(std::min(block, rows) * static_cast<std::size_t>(latent_width()));
      for (std::size_t b = shard * blocks / shards; b < (shard + 1) * blocks / shards; ++b) {
        const std::size_t begin = b * block;
        const auto count = static_cast<Index>(std::min(block, rows - begin));
        const auto row_labels = draw_labels(options.seed, options.first_row + begin, count, wanted);
        generate(options.seed, options.first_row + begin, count, row_labels, latents.data(), scratch);
        decode(options.seed, options.first_row + begin, latents.data(), count, row_labels, columns, begin,
               scratch);
      }
    });
    return Table(std::move(columns), encoder.schema().label());
  }

  /// Labels of rows [first, first + count) of a sample; empty if unconditional. \param label index of the
  /// wanted label, or labels.size() for one drawn by its share
  std::vector<std::int32_t> draw_labels(std::uint64_t seed, std::uint64_t first, Index count,
                                        std::size_t label) const {
    std::vector<std::int32_t> result(conditional() ? static_cast<std::size_t>(count) : 0,
                                     static_cast<std::int32_t>(label));
    if (label < labels.size())
      return result;
    for (std::size_t r = 0; r < result.size(); ++r)
      result[r] = draw_label(seed, first + r);
    return result;
  }
  /// The label of one row of a conditional model's sample, drawn by its share.
  std::int32_t draw_label(std::uint64_t seed, std::uint64_t row) const noexcept {
    double left = RandomStream(seed, Purpose::label).uniform(row);
    std::size_t chosen = 0;
    for (; chosen + 1 < labels.size() && left >= label_shares[chosen]; ++chosen)
      left -= label_shares[chosen];
    return static_cast<std::int32_t>(chosen);
  }

  /// Latent codes of rows [first, first + count) of a sample: count × latent_width.
  /// \param row_labels  of `draw_labels`
  void generate(std::uint64_t seed, std::uint64_t first, Index count,
                std::span<const std::int32_t> row_labels, float* latents, InferenceScratch& scratch) const {
    generate(RandomStream(seed, Purpose::sample_noise), RandomStream(seed, Purpose::sample_component), first,
             count, row_labels, latents, scratch);
  }
  /// The same with noise from other streams: of normal numbers, and of the mixture's components.
  void generate(const RandomStream& noise, const RandomStream& component, std::uint64_t first, Index count,
                std::span<const std::int32_t> row_labels, float* latents, InferenceScratch& scratch) const {
    const Index inputs = generator_network.inputs();
    const auto needed = static_cast<std::size_t>(count * inputs);
    if (scratch.input.size() < needed)
      scratch.input.resize(needed);
    float* input = scratch.input.data();
    fill_noise(mixture, noise, component, first, count, noise_width,
               row_labels.empty() ? nullptr : row_labels.data(), input, inputs);
    for (Index r = 0; r < count && conditional(); ++r) {
      std::fill_n(input + r * inputs + noise_width, inputs - noise_width, 0.0F);
      input[r * inputs + noise_width + row_labels[static_cast<std::size_t>(r)]] = 1;
    }
    const float* made = generator_network.run(input, count, scratch);
    const Index width = latent_width();
    for (Index r = 0; r < count; ++r)
      scale_latent(made + r * width, latents + r * width);
  }
  /// The latent code of a generator's output, both latent_width long.
  void scale_latent(const float* made, float* latent) const noexcept {
    const auto width = static_cast<Index>(latent_scale.size());
    std::copy_n(made, width, latent);
    if (!latent_bound.empty()) {
      for (Index j = 0; j < width; ++j)
        latent[j] *= latent_bound[static_cast<std::size_t>(j)];
      simd::transform(latent, latent, width, [](const simd::Vector<float>& v) { return simd::atanh(v); });
    }
    for (Index j = 0; j < width; ++j)
      latent[j] =
          latent[j] * latent_scale[static_cast<std::size_t>(j)] + latent_offset[static_cast<std::size_t>(j)];
  }

  /// Decodes `count` latent codes into rows [to, to + count) of `columns`; the draws are those of rows
  /// [first, …) of a sample. \param row_labels  of `draw_labels`: autoregressive heads begin with them
  void decode(std::uint64_t seed, std::uint64_t first, const float* latents, Index count,
              std::span<const std::int32_t> row_labels, std::vector<Column>& columns, std::size_t to,
              InferenceScratch& scratch) const {
    const auto width = encoder.layout().size();
    std::vector<std::int32_t> codes(static_cast<std::size_t>(count) * width);
    // Two words for each stretch of the layout: which code, and the place within it.
    const auto blocks = static_cast<Index>((width + 1) / 2);
    std::vector<std::uint32_t> words(static_cast<std::size_t>(4 * blocks * count));
    fill_bits(RandomStream(seed, Purpose::sample_decode), first * static_cast<std::uint64_t>(blocks),
              blocks * count, words.data());
    const auto words_of = [&](Index row) { return words.data() + 4 * blocks * row; };
    const float* outputs = decoder_network.run(latents, count, scratch);
    draw_codes(outputs, count, words_of, row_labels, codes.data(), scratch);
    for (Index r = 0; r < count; ++r)
      encoder.set_row(
          columns, to + static_cast<std::size_t>(r), codes.data() + static_cast<std::size_t>(r) * width,
          [&](std::size_t h) { return outputs[r * encoder.width() + encoder.layout()[h].offset]; },
          [&](std::size_t h) { return to_position(words_of(r)[2 * h + 1]); });
  }

  /// Codes of one row, counted from 0 in their stretch of the layout, from the outputs of heads that are
  /// independent of each other. \param uniform_at  (stretch) -> the number in (0, 1) that chooses its code
  /// \param label  the wanted one of a conditional model \param room  for `widest_head()` numbers
  template <class UniformAt>
  void draw_row(const float* outputs, const UniformAt& uniform_at, std::int32_t label, std::int32_t* codes,
                float* room) const noexcept {
    const auto& layout = encoder.layout();
    // A conditional model gives the label that was asked for. The base method's argmax is left to itself.
    const bool keep = conditional() && decoding == Decoding::sample;
    const auto draw = [&](const float* logits, std::int32_t width, std::size_t h) {
      return choose_code(logits, room, width, decoding, static_cast<float>(temperature), uniform_at(h));
    };
    const float* logits = outputs;
    for (const auto& group : joint.groups) {
      const auto first = static_cast<std::size_t>(group.columns.front());
      const auto* combination = group.combination(keep && keep_label(group, label, logits, room)
                                                      ? draw(room, group.width(), first)
                                                      : draw(logits, group.width(), first));
      for (std::size_t i = 0; i < group.columns.size(); ++i)
        codes[group.columns[i]] = combination[i];
      logits += group.width();
    }
    for (std::size_t h = 0; h < layout.size(); ++h)
      if (keep && encoder.is_label(layout[h]))
        codes[h] = label;
      else if (layout[h].categorical && joint.empty())
        codes[h] = draw(outputs + layout[h].offset, layout[h].width, h);
  }
  /// Logits of the widest head.
  Index widest_head() const noexcept {
    Index widest = 0;
    for (const auto& stretch : encoder.layout())
      widest = std::max(widest, Index{stretch.width});
    for (const auto& group : joint.groups)
      widest = std::max(widest, Index{group.width()});
    return widest;
  }
  /// If a head serves the label: copies its logits and leaves only the combinations with the wanted one.
  /// \param room  for the group's logits; may be `logits` itself
  bool keep_label(const JointCodes::Group& group, std::int32_t label, const float* logits,
                  float* room) const noexcept {
    for (std::size_t i = 0; i < group.columns.size(); ++i) {
      if (!encoder.is_label(encoder.layout()[static_cast<std::size_t>(group.columns[i])]))
        continue;
      for (std::int32_t k = 0; k < group.width(); ++k)
        room[k] = group.combination(k)[i] == label ? logits[k] : std::numeric_limits<float>::lowest();
      return true;
    }
    return false;
  }

private:
  /// Codes (counted from 0 in their stretch of the layout) of `count` rows: count × layout.
  template <class WordsOf>
  void draw_codes(const float* outputs, Index count, const WordsOf& words_of,
                  std::span<const std::int32_t> row_labels, std::int32_t* codes,
                  InferenceScratch& scratch) const {
    const auto& layout = encoder.layout();
    const auto stretches = static_cast<Index>(layout.size());
    if (heads.empty()) {
      AlignedBuffer<float> room(static_cast<std::size_t>(widest_head()));
      for (Index r = 0; r < count; ++r)
        draw_row(
            outputs + r * decoder_network.outputs(),
            [&](std::size_t h) { return to_uniform_float(words_of(r)[2 * h]); },
            row_labels.empty() ? 0 : row_labels[static_cast<std::size_t>(r)], codes + r * stretches,
            room.data());
      return;
    }
    const auto shape = heads.shape();
    std::vector<std::int32_t> drawn(static_cast<std::size_t>(count * shape.columns));
    AlignedBuffer<float> buffer;
    heads.draw(outputs, count, drawn.data(), scratch, buffer,
               [&](Index position, Index row, float* logits, std::int32_t width) {
                 const auto h = static_cast<std::size_t>(shape.order[position]);
                 if (!row_labels.empty() && encoder.is_label(layout[h]))
                   return row_labels[static_cast<std::size_t>(row)]; // the row was asked for with it
                 return choose_code(logits, width, decoding, static_cast<float>(temperature),
                                    to_uniform_float(words_of(row)[2 * h]));
               });
    for (Index r = 0; r < count; ++r)
      for (Index q = 0; q < shape.columns; ++q)
        codes[r * stretches + shape.order[q]] = drawn[static_cast<std::size_t>(r * shape.columns + q)] -
                                                static_cast<std::int32_t>(shape.prefix[q]);
  }
};

ROWSMITH_END
