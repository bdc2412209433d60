// SPDX-License-Identifier: MIT
/// \file
/// What a trained model is made of, and whether it fits together.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/encoding/table_encoder.hpp>
#include <rowsmith/kernel/row.hpp>
#include <rowsmith/models/gaussian_mixture.hpp>
#include <rowsmith/models/heads.hpp>
#include <rowsmith/models/learning_curve.hpp>
#include <rowsmith/models/row_guide.hpp>
#include <rowsmith/models/trained_heads.hpp>
#include <rowsmith/nn/inference.hpp>
#include <rowsmith/prepare/preparation.hpp>
#include <rowsmith/privacy/ledger.hpp>

ROWSMITH_BEGIN

/// The parts of a `TableModel`, which training fills in one after the other.
struct TableModelParts {
  /// Between the user's columns and those that the encoder takes; of no columns: these are the same.
  Preparation preparation;
  TableEncoder encoder;
  InferenceNetwork encoder_network;   ///< encoded row -> latent code
  InferenceNetwork generator_network; ///< noise (+ label) -> scaled latent code
  /// Latent code -> what the heads read (without layers: the latent code itself, for autoregressive heads).
  InferenceNetwork decoder_network;
  TrainedHeads heads;
  RowGuide guide; ///< says which rows are drawn again; empty: none
  /// Latent code = scale · atanh(bound · g) + offset for the generator's output g in (−1, 1), by dimension;
  /// with an empty bound scale · g + offset.
  std::vector<float> latent_scale;
  std::vector<float> latent_offset;
  std::vector<float> latent_bound; ///< each in (0, 1)
  Index noise_width = 0;
  GaussianMixture mixture;          ///< what the generator's noise is drawn from; empty: standard normal
  std::vector<std::string> labels;  ///< label values of a conditional model; empty: unconditional
  std::vector<double> label_shares; ///< of the training rows; they add up to 1
  Decoding decoding = Decoding::sample;
  double temperature = 1;                   ///< [0.001, 10]
  PrivacyLedger privacy;                    ///< what the training spent; empty: no guarantee
  std::vector<LearningCurve> curves;        ///< of the stages of its training; none of a private one
  std::map<std::string, std::string> notes; ///< recipe, seed and the like, for people

  Index heads_read() const {
    return std::visit([this](const auto& kind) { return kind.reads(encoder); }, heads);
  }
  Index latent_width() const { return decoder_network.empty() ? heads_read() : decoder_network.inputs(); }
  bool conditional() const noexcept { return !labels.empty(); }

  /// Latent codes of `count` rows: count × latent_width. \param noise, component  the streams of the normal
  /// numbers and of the mixture's components \param row_labels  one a row of a conditional model
  void generate(const RandomStream& noise, const RandomStream& component, const RowNumbers& numbers,
                Index count, std::span<const std::int32_t> row_labels, float* latents,
                InferenceScratch& scratch) const {
    const Index inputs = generator_network.inputs();
    const auto needed = static_cast<std::size_t>(count * inputs);
    if (scratch.input.size() < needed)
      scratch.input.resize(needed);
    float* input = scratch.input.data();
    fill_noise(mixture, noise, component, numbers, count, noise_width,
               row_labels.empty() ? nullptr : row_labels.data(), input, inputs);
    for (Index r = 0; r < count && conditional(); ++r) {
      std::fill_n(input + r * inputs + noise_width, inputs - noise_width, 0.0F);
      input[r * inputs + noise_width + row_labels[static_cast<std::size_t>(r)]] = 1;
    }
    const float* made = generator_network.run(input, count, scratch);
    const auto width = static_cast<Index>(latent_scale.size());
    for (Index r = 0; r < count; ++r)
      kernel::scale_latent(made + r * width, latent_scale.data(), latent_offset.data(), latent_bound.data(),
                           !latent_bound.empty(), width, latents + r * width);
  }

  /// \throws ShapeError saying what is wrong or does not fit together
  void check() const;
};

namespace detail {

/// \throws ShapeError naming the parts, unless `fine`
inline void require_fit(bool fine, const std::string& what) {
  if (!fine)
    throw ShapeError("the parts of the model do not fit together: " + what);
}

/// Whether these are `rows` rows of `count` shares that add up to 1.
inline bool are_shares(const std::vector<double>& shares, std::size_t rows, std::size_t count) {
  if (shares.size() != rows * count)
    return false;
  for (std::size_t r = 0; r < rows; ++r) {
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!(shares[r * count + i] >= 0)) // NaN among others
        return false;
      sum += shares[r * count + i];
    }
    if (!(std::abs(sum - 1) <= 1e-6))
      return false;
  }
  return true;
}

} // namespace detail

inline void TableModelParts::check() const {
  using detail::require_fit;
  require_fit(encoder.schema().size() > 0, "there are no columns");
  require_fit(preparation.model_schema() == encoder.schema(),
              "the columns that the preparation makes and those that the encoder takes");
  for (const auto& transform : preparation.transforms())
    if (const auto* lookup = std::get_if<LookupColumn>(&transform);
        lookup != nullptr && lookup->key_categorical) {
      // A row alone knows keys by their codes.
      const auto& slots = preparation.model_slots();
      const auto place = std::find(slots.begin(), slots.end(), lookup->key);
      if (place != slots.end()) {
        const auto& codec = encoder.codecs()[static_cast<std::size_t>(place - slots.begin())];
        require_fit(codec.categories == lookup->key_texts && !codec.has_other,
                    "a lookup's keys and the categories of their column");
      }
    }
  const auto layers = [](const InferenceNetwork& network, Index inputs, Index outputs) {
    return !network.empty() && network.inputs() == inputs && network.outputs() == outputs;
  };
  const Index latent = latent_width();
  const auto width = static_cast<std::size_t>(latent);
  require_fit(
      layers(encoder_network, encoder.width(), latent) &&
          encoder_network.layers().front().kind == InferenceLayer::Kind::dense,
      "the encoder's network, which begins with a dense layer, the columns' codes and the decoder's inputs");
  require_fit(layers(generator_network, noise_width + static_cast<Index>(labels.size()), latent) &&
                  noise_width > 0,
              "the generator's network, noise and labels, and the decoder's inputs");
  require_fit(!generator_network.residual() || noise_width >= latent,
              "a residual generator's noise and its outputs");
  require_fit(!encoder_network.residual() && !decoder_network.residual(), "only a generator may be residual");
  require_fit(latent_scale.size() == width && latent_offset.size() == width &&
                  (latent_bound.empty() || latent_bound.size() == width),
              "the scaling of latent codes and their width");
  require_fit(std::all_of(latent_bound.begin(), latent_bound.end(), [](float b) { return b > 0 && b < 1; }),
              "a bound of latent codes outside (0, 1)");
  try {
    std::visit([this](const auto& kind) { kind.check(encoder); }, heads);
  } catch (const ShapeError& error) {
    require_fit(false, error.what());
  }
  try {
    guide.check(encoder, labels.size());
  } catch (const ShapeError& error) {
    require_fit(false, error.what());
  }
  require_fit(decoder_network.empty() ? draws_in_order(heads) : decoder_network.outputs() == heads_read(),
              "the decoder's network and what the heads read");
  require_fit(decoder_network.empty() || !std::holds_alternative<TreeNetwork>(heads),
              "a decoder's network and trees, which read the latent code itself");
  require_fit(decoding == Decoding::sample || !(std::holds_alternative<TreeNetwork>(heads) ||
                                                std::holds_alternative<MixedNetwork>(heads)),
              "trees, which are drawn from, and argmax");
  require_fit(detail::are_shares(label_shares, conditional() ? 1 : 0, labels.size()),
              "labels and their shares, which add up to 1");
  if (conditional()) {
    const auto& name = encoder.schema().label();
    require_fit(!name.empty() && encoder.codecs()[encoder.schema().index_of(name)].categories == labels,
                "labels and the label column's categories");
  }
  const auto parts = static_cast<std::size_t>(mixture.components());
  require_fit(mixture.empty()
                  ? mixture.shares.empty()
                  : mixture.width == noise_width &&
                        mixture.means.size() == parts * static_cast<std::size_t>(mixture.width) &&
                        mixture.factors.size() ==
                            mixture.means.size() * static_cast<std::size_t>(mixture.width) &&
                        detail::are_shares(mixture.shares, std::max<std::size_t>(labels.size(), 1), parts),
              "the mixture of the noise, whose shares add up to 1 for each label");
  require_fit(temperature >= 1e-3 && temperature <= 10, "a temperature outside [0.001, 10]");
  try {
    privacy.check();
    require_fit(curves.size() <= 16, "more than 16 learning curves");
    for (const auto& curve : curves)
      curve.check();
  } catch (const Error& error) {
    require_fit(false, error.what());
  }
  require_fit(privacy.empty() || curves.empty(),
              "a promise of privacy and learning curves, which it does not cover");
}

ROWSMITH_END
