// SPDX-License-Identifier: MIT
// An untrained model of any types, for tests that need their own.
#pragma once

#include <rowsmith/core/random.hpp>
#include <rowsmith/models/autoencoder.hpp>
#include <rowsmith/models/gan.hpp>

#include "small_models.hpp"

namespace small {

template <class Autoencoder, class Generator>
rs::TableModelParts parts(const rs::TableEncoder& encoder, bool conditional, float strength = 3,
                          const rs::Table& fitted = table(), const rs::HeadMargins* margins = nullptr) {
  rs::TableModelParts model;
  model.encoder = encoder;
  const auto rows = encoder.encode(fitted); // for joint heads
  const Autoencoder autoencoder(encoder, true, 1, {.table = &rows, .margins = margins});
  auto weights = autoencoder.layout().template initialise<float>(3);
  rs::RandomSequence random(rs::RandomStream(5, rs::Purpose::user));
  for (auto& weight : weights) // far from uniform, biases not zero
    weight = strength * weight + 0.1F * static_cast<float>(random.normal());
  model.encoder_network = autoencoder.encoder_network(weights.data());
  model.decoder_network = autoencoder.decoder_network(weights.data());
  model.heads = autoencoder.heads_network(weights.data());
  if (conditional) {
    model.labels = {"no", "yes"};
    model.label_shares = {0.75, 0.25};
  }
  const Generator generator(static_cast<rs::Index>(model.labels.size()));
  model.generator_network = generator.network(generator.layout().template initialise<float>(4).data());
  model.noise_width = Generator::noise_width;
  for (rs::Index j = 0; j < Autoencoder::latent_width; ++j) {
    model.latent_scale.push_back(1 + 0.1F * static_cast<float>(j));
    model.latent_offset.push_back(0.3F - 0.05F * static_cast<float>(j));
    model.latent_bound.push_back(0.99F - 0.001F * static_cast<float>(j % 7));
  }
  return model;
}

} // namespace small
