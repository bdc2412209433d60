// SPDX-License-Identifier: MIT
// A small table and small layers, for tests of training as a whole.
#pragma once

#include <cmath>
#include <cstddef>
#include <string>

#include <rowsmith/core/random.hpp>
#include <rowsmith/train/recipes.hpp>

namespace small {

namespace rs = rowsmith;

using Autoencoder = rs::Autoencoder<rs::Dense<32>, rs::ReLU, rs::Latent<6>>;
using Generator = rs::Generator<rs::Noise<8>, rs::Dense<24>, rs::ReLU, rs::Dense<6>, rs::Tanh>;
using Discriminator = rs::Discriminator<rs::Dense<48>, rs::LeakyReLU, rs::Dropout, rs::Dense<1>>;
using Trainer = rs::Trainer<Autoencoder, Generator, Discriminator>;

// Kind decides the size and the flag.
inline rs::Table table(std::size_t rows = 600) {
  auto kind = rs::Column::categorical("kind");
  auto flag = rs::Column::categorical("flag");
  auto size = rs::Column::numerical("size", {}, 1);
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  for (std::size_t i = 0; i < rows; ++i) {
    const auto k = random.below(3);
    kind.codes.push_back(kind.dictionary.insert(std::string(1, static_cast<char>('a' + k))));
    flag.codes.push_back(flag.dictionary.insert(k == 0 || random.below(10) == 0 ? "on" : "off"));
    size.values.push_back(std::round(10 * (5.0 * static_cast<double>(k) + random.normal())) / 10);
  }
  return rs::Table({kind, flag, size}, "flag");
}

inline rs::TrainerOptions options(bool faithful = false) {
  auto options = faithful ? rs::FaithfulRecipe::options() : rs::TrainerOptions{};
  options.seed = 3;
  options.autoencoder.steps = 60;
  options.gan.steps = 20;
  options.refit.steps = faithful ? 0 : 30;
  options.autoencoder.batch = options.gan.batch = options.refit.batch = 256;
  return options;
}

} // namespace small
