// SPDX-License-Identifier: MIT
/// \file
/// One row from a seed and a number, and its score.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <rowsmith/kernel/codec.hpp>
#include <rowsmith/kernel/guide.hpp>
#include <rowsmith/kernel/heads.hpp>
#include <rowsmith/kernel/network.hpp>
#include <rowsmith/kernel/random_fill.hpp>

ROWSMITH_BEGIN
namespace kernel {

/// Which of `count` shares that add up to 1 a number in (0, 1) falls to.
inline std::size_t draw_share(const double* shares, std::size_t count, double uniform) noexcept {
  std::size_t chosen = 0;
  for (; chosen + 1 < count && uniform >= shares[chosen]; ++chosen)
    uniform -= shares[chosen];
  return chosen;
}

/// Turns standard normal numbers into mean + factor · x, in place. \param factor  width × width, a lower
/// triangle
template <class Numbers>
inline void shape_noise(const Numbers& mean, const Numbers& factor, Index width, float* x) noexcept {
  // Column by column from the last on. Each element is a sum of its own, so that no compiler has a choice of
  // order.
  for (Index j = width; j-- > 0;) {
    const float drawn = x[j];
    x[j] = mean[j] + factor[j * width + j] * drawn;
    for (Index i = j + 1; i < width; ++i)
      x[i] += factor[i * width + j] * drawn;
  }
}

/// x -> scale · atanh(bound · x) + offset, or without a bound scale · x + offset, for `width` numbers.
template <class Numbers>
inline void scale_latent(const float* x, const Numbers& scale, const Numbers& offset, const Numbers& bound,
                         bool bounded, Index width, float* latent) noexcept {
  std::copy_n(x, width, latent);
  if (bounded) {
    for (Index j = 0; j < width; ++j)
      latent[j] *= bound[j];
    simd::transform(latent, latent, width, [](const simd::Vector<float>& v) { return simd::atanh(v); });
  }
  for (Index j = 0; j < width; ++j)
    latent[j] = latent[j] * scale[j] + offset[j];
}

/// A number so far out that the networks' own numbers overflow is as odd as can be; NaN is for rows that have
/// no code.
inline double infinite_if_lost(double error) noexcept {
  return std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
}

/// A trained model but for its heads. A view.
template <class Weights>
struct Model {
  Weights weights;
  Columns columns;
  Choice choice;
  Index noise = 0;  ///< normal numbers that the generator reads, then
  Index labels = 0; ///< as many of a one-hot label
  const double* label_shares = nullptr;
  Index components = 0;                     ///< of the noise's mixture; 0: standard normal
  const double* component_shares = nullptr; ///< a row for each label
  std::size_t component_means = 0;          ///< where each of these begins
  std::size_t component_factors = 0;
  Index latent = 0; ///< width of the latent code
  std::size_t latent_scale = 0;
  std::size_t latent_offset = 0;
  std::size_t latent_bound = 0;
  bool bounded = false;
  Network generator;
  Network decoder;
  Network encoder; ///< its first layer's matrix row by row
  Guide guide;
};

/// What a call needs of memory. A view.
struct Buffers {
  float* input = nullptr;         ///< of the generator, or a number for each stretch
  float* networks[2] = {};        ///< the widest layer, padded
  float* latent = nullptr;        ///< latent
  float* room = nullptr;          ///< of the heads
  std::uint32_t* words = nullptr; ///< 4 · word_blocks
  std::int32_t* codes = nullptr;  ///< one a stretch
};

/// The label of row `index` of a conditional model's sample, drawn by its share.
inline std::size_t draw_label(const double* shares, std::size_t labels, std::uint64_t seed,
                              std::uint64_t index) noexcept {
  return draw_share(shares, labels, RandomStream(seed, Purpose::label).uniform(index));
}

/// Draws the codes of one candidate for row `index`. \returns the decoder's outputs
template <class Weights, class Heads>
inline const float* draw_candidate(const Model<Weights>& model, const Heads& heads, std::uint64_t seed,
                                   std::uint64_t index, std::size_t label, const Draw& draw,
                                   const Buffers& buffers) noexcept {
  const auto blocks = static_cast<std::uint64_t>((model.noise + 3) / 4);
  fill_normal(RandomStream(seed, Purpose::sample_noise), index * blocks, buffers.input, model.noise);
  if (model.components > 0) {
    const auto parts = static_cast<std::size_t>(model.components);
    const auto width = static_cast<std::size_t>(model.noise);
    const std::size_t k = draw_share(model.component_shares + label * parts, parts,
                                     RandomStream(seed, Purpose::sample_component).uniform(index));
    shape_noise(model.weights.numbers(model.component_means + k * width),
                model.weights.numbers(model.component_factors + k * width * width), model.noise,
                buffers.input);
  }
  for (Index i = 0; i < model.labels; ++i)
    buffers.input[model.noise + i] = i == static_cast<Index>(label) ? 1.0F : 0.0F;
  const float* made = run(model.weights, model.generator, buffers.input, buffers.networks);
  scale_latent(made, model.weights.numbers(model.latent_scale), model.weights.numbers(model.latent_offset),
               model.weights.numbers(model.latent_bound), model.bounded, model.latent, buffers.latent);
  const auto words = static_cast<std::uint64_t>(model.columns.word_blocks());
  fill_bits(RandomStream(seed, Purpose::sample_decode), index * words, static_cast<Index>(words),
            buffers.words);
  const float* outputs = run(model.weights, model.decoder, buffers.latent, buffers.networks);
  heads.draw(model.weights, model.columns, draw, outputs, buffers.codes, buffers.room);
  return outputs;
}

/// Makes row `index` of the sample with `seed`. \param label  of a conditional model, else 0
/// \param set  (column, cell), called for each cell
template <class Weights, class Heads, class Set>
inline void sample_row(const Model<Weights>& model, const Heads& heads, std::uint64_t seed,
                       std::uint64_t index, std::size_t label, const Buffers& buffers,
                       const Set& set) noexcept {
  const Draw draw{model.choice, buffers.words, static_cast<std::int32_t>(label)};
  const float* outputs = nullptr;
  for (std::uint32_t attempt = 0;; ++attempt) {
    outputs = draw_candidate(model, heads, Guide::seed_of(seed, attempt), index, label, draw, buffers);
    if (model.guide.takes(buffers.codes, attempt, seed, index))
      break;
  }
  each_drawn_cell(model.columns, buffers.codes, outputs, draw, set);
}

/// Chooses one of a row's candidates, with a probability proportional to its weight, as they come (Chao, "A
/// general purpose unequal probability sampling plan", Biometrika 69, 1982).
struct Candidates {
  double largest = -std::numeric_limits<double>::infinity(); ///< logarithm of a weight so far
  double total = 0;                                          ///< of the weights so far, in units of that

  /// Whether the candidate takes the place of the one chosen so far.
  bool take(double log_weight, std::uint32_t attempt, std::uint64_t seed, std::uint64_t index) noexcept {
    if (!(log_weight > -std::numeric_limits<double>::infinity())) // NaN among others
      return false;
    if (log_weight > largest) {
      total *= std::exp(largest - log_weight);
      largest = log_weight;
    }
    const double weight = std::exp(log_weight - largest);
    total += weight;
    return RandomStream(seed, Purpose::acceptance, attempt).uniform(index) * total < weight;
  }
  /// Whether a row takes another one: it has `wanted`, and more if none was any good.
  bool want(std::uint32_t attempt, std::uint32_t wanted) const noexcept {
    return attempt < wanted || (total == 0 && attempt < most);
  }
  /// A row has at most this many.
  static constexpr std::uint32_t most = 65'536;
};

/// Makes row `index` of the sample with `seed` under restrictions: of several candidates drawn within them,
/// one is chosen by importance (Rubin, "The calculation of posterior distributions by data augmentation:
/// comment", JASA 82, 1987), so that rows have about the distribution of the model's own that meet them.
/// \param wanted  candidates \param label_of  (candidate's seed) -> its label
/// \param log_weight_of  (candidate's codes, draw, outputs) -> the logarithm of its weight
/// \returns false, and sets nothing, if no candidate has a weight
template <class Weights, class Heads, class LabelOf, class LogWeightOf, class Set>
inline bool sample_row_within(const Model<Weights>& model, const Heads& heads, std::uint64_t seed,
                              std::uint64_t index, std::uint32_t wanted, const Restrictions& restrictions,
                              const LabelOf& label_of, const LogWeightOf& log_weight_of,
                              const Buffers& buffers, const Set& set) noexcept {
  RowWeight weight;
  Draw draw{model.choice, buffers.words, 0, &restrictions, &weight};
  const auto candidate = [&](std::uint32_t attempt) {
    const std::uint64_t own_seed = Guide::seed_of(seed, attempt);
    const std::size_t label = label_of(own_seed);
    draw.label = static_cast<std::int32_t>(label);
    weight = {};
    return draw_candidate(model, heads, own_seed, index, label, draw, buffers);
  };
  Candidates candidates;
  std::uint32_t chosen = 0;
  std::uint32_t attempt = 0;
  const float* outputs = nullptr;
  for (; candidates.want(attempt, wanted); ++attempt) {
    outputs = candidate(attempt);
    if (candidates.take(log_weight_of(buffers.codes, draw, outputs), attempt, seed, index))
      chosen = attempt;
  }
  if (candidates.total == 0)
    return false;
  if (chosen + 1 != attempt)
    outputs = candidate(chosen);
  each_drawn_cell(model.columns, buffers.codes, outputs, draw, set);
  return true;
}

/// How badly the model describes a row: the sum of all heads' errors after encoding and decoding it, of the
/// surprise of categories that share a code, and of what its numbers exceed the training rows' ranges by. NaN
/// if a cell has no code. \param number_of, category_of  as those of `encode_row`
template <class Weights, class Heads, class NumberOf, class CategoryOf>
inline double score_row(const Model<Weights>& model, const Heads& heads, const NumberOf& number_of,
                        const CategoryOf& category_of, const Buffers& buffers) noexcept {
  const Columns& columns = model.columns;
  if (!encode_row(columns, number_of, category_of, buffers.codes, buffers.input))
    return std::numeric_limits<double>::quiet_NaN();
  // The first layer adds up rows of its weights: those of the codes, then those of the numbers.
  const Layer& first = model.encoder.layers[0];
  float* y = buffers.networks[0];
  const auto bias = model.weights.numbers(first.bias);
  for (Index j = 0; j < first.outputs; ++j)
    y[j] = bias[j];
  for (std::size_t h = 0; h < columns.stretches; ++h)
    if (columns.layout[h].categorical)
      add(model.weights.row(first.matrix, columns.layout[h].offset + buffers.codes[h]), first.outputs, y);
  for (std::size_t h = 0; h < columns.stretches; ++h) {
    const float number = buffers.input[h];
    if (columns.layout[h].categorical || std::isnan(number))
      continue;
    const auto row = model.weights.row(first.matrix, columns.layout[h].offset);
    for (Index j = 0; j < first.outputs; ++j)
      y[j] += number * row[j];
  }
  activate(first.activation, y, first.outputs);
  const float* latent =
      run(model.weights, {model.encoder.layers + 1, model.encoder.count - 1}, y, buffers.networks);
  const float* outputs = run(model.weights, model.decoder, latent, buffers.networks);
  const double error =
      heads.score(model.weights, columns, outputs, buffers.codes, buffers.input, buffers.room);
  return infinite_if_lost(error) + excess(columns, number_of) + rarity(columns, category_of);
}

} // namespace kernel
ROWSMITH_END
