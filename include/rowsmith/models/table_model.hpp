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
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/autodiff/ops/stochastic.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/parallel.hpp>
#include <rowsmith/encoding/table_encoder.hpp>
#include <rowsmith/models/heads.hpp>
#include <rowsmith/nn/inference.hpp>

ROWSMITH_BEGIN

/// How to draw rows.
struct SampleOptions {
  std::uint64_t seed = 0;      ///< row i depends on the model, the seed and i only
  std::string label{};         ///< the wanted label; empty: drawn as often as in training
  std::uint64_t first_row = 0; ///< number of the first row: rows 5…9 are rows 0…4 of `first_row = 5`
  int threads = 0;             ///< 0: all; never changes the result
};

/// A trained model. A value type; all its functions may be called from several threads at once.
struct TableModel {
  TableEncoder encoder;
  InferenceNetwork encoder_network;   ///< encoded row -> latent code
  InferenceNetwork generator_network; ///< noise (+ label) -> scaled latent code
  InferenceNetwork decoder_network;   ///< latent code -> outputs of all heads
  /// Latent code = scale · atanh(bound · g) + offset for the generator's output g in (−1, 1), by dimension;
  /// with an empty bound scale · g + offset.
  std::vector<float> latent_scale;
  std::vector<float> latent_offset;
  std::vector<float> latent_bound; ///< each in (0, 1)
  Index noise_width = 0;
  std::vector<std::string> labels;  ///< label values of a conditional model; empty: unconditional
  std::vector<double> label_shares; ///< of the training rows
  Decoding decoding = Decoding::sample;
  double temperature = 1;
  std::map<std::string, std::string> notes; ///< recipe, seed and the like, for people

  Index latent_width() const noexcept { return decoder_network.inputs(); }
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
    // Small enough for the second-level cache, large enough for the product's blocks.
    constexpr std::size_t block = 256;
    const int threads = resolve_threads(options.threads);
    parallel_for((rows + block - 1) / block, threads, [&](std::size_t part) {
      InferenceScratch scratch;
      const std::size_t begin = part * block;
      const auto count = static_cast<Index>(std::min(block, rows - begin));
      AlignedBuffer<float> latents(static_cast<std::size_t>(count * latent_width()));
      generate(options.seed, options.first_row + begin, count, wanted, latents.data(), scratch);
      decode(options.seed, options.first_row + begin, latents.data(), count, columns, begin, scratch);
    });
    return Table(std::move(columns), encoder.schema().label());
  }

  /// Latent codes of rows [first, first + count) of a sample: count × latent_width. \param label index of the
  /// wanted label, or labels.size() for one drawn by its share
  void generate(std::uint64_t seed, std::uint64_t first, Index count, std::size_t label, float* latents,
                InferenceScratch& scratch) const {
    const Index inputs = generator_network.inputs();
    AlignedBuffer<float> input(static_cast<std::size_t>(count * inputs));
    const RandomStream noise(seed, Purpose::sample_noise);
    const RandomStream label_stream(seed, Purpose::label);
    const auto blocks = static_cast<std::uint64_t>(detail::blocks_per_row(noise_width));
    for (Index r = 0; r < count; ++r) {
      const std::uint64_t row = first + static_cast<std::uint64_t>(r);
      fill_normal(noise, row * blocks, input.data() + r * inputs, noise_width);
      if (!conditional())
        continue;
      std::size_t chosen = label;
      if (label == labels.size()) {
        double left = label_stream.uniform(row);
        for (chosen = 0; chosen + 1 < labels.size() && left >= label_shares[chosen]; ++chosen)
          left -= label_shares[chosen];
      }
      input[static_cast<std::size_t>(r * inputs + noise_width) + chosen] = 1;
    }
    const float* made = generator_network.run(input.data(), count, scratch);
    const Index width = latent_width();
    for (Index i = 0; i < count * width; ++i) {
      const auto j = static_cast<std::size_t>(i % width);
      const float code = latent_bound.empty() ? made[i] : std::atanh(latent_bound[j] * made[i]);
      latents[i] = code * latent_scale[j] + latent_offset[j];
    }
  }

  /// Decodes `count` latent codes into rows [to, to + count) of `columns`; the draws are those of rows
  /// [first, …) of a sample.
  void decode(std::uint64_t seed, std::uint64_t first, const float* latents, Index count,
              std::vector<Column>& columns, std::size_t to, InferenceScratch& scratch) const {
    const RandomStream stream(seed, Purpose::sample_decode);
    const auto& layout = encoder.layout();
    const auto blocks = static_cast<std::uint64_t>((layout.size() + 1) / 2);
    const Index width = decoder_network.outputs();
    const float* outputs = decoder_network.run(latents, count, scratch);
    AlignedBuffer<float> row_outputs(static_cast<std::size_t>(width));
    std::vector<std::uint32_t> words(4 * blocks);
    for (Index r = 0; r < count; ++r) {
      std::copy_n(outputs + r * width, width, row_outputs.data());
      fill_bits(stream, (first + static_cast<std::uint64_t>(r)) * blocks, static_cast<Index>(blocks),
                words.data());
      float number = 0;
      for (std::size_t h = 0; h < layout.size(); ++h) {
        const auto& head = layout[h];
        const bool more = h + 1 < layout.size() && layout[h + 1].column == head.column;
        std::int32_t code = 0;
        if (head.categorical)
          code = choose_code(row_outputs.data() + head.offset, head.width, decoding,
                             static_cast<float>(temperature), to_uniform_float(words[2 * h]));
        else
          number = row_outputs[static_cast<std::size_t>(head.offset)];
        if (!more)
          encoder.set_cell(columns, head.column, to + static_cast<std::size_t>(r), code, number,
                           to_position(words[2 * h + 1]));
      }
    }
  }
};

ROWSMITH_END
