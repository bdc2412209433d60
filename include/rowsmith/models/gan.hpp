// SPDX-License-Identifier: MIT
/// \file
/// Generator and discriminator as types:
/// `Generator<Noise<64>, Dense<128>, ReLU, Dense<32>, Tanh>` and
/// `Discriminator<Dense<128>, LeakyReLU, Dropout, Dense<1>>`.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>

#include <rowsmith/nn/sequential.hpp>

ROWSMITH_BEGIN

/// The generator's input: `Width` standard normal numbers a row.
template <Index Width>
struct Noise {
  static_assert(Width > 0, "Noise<Width> needs at least one number");
  static constexpr Index width = Width;
};

namespace detail {

template <class T>
struct IsNoise : std::false_type {};
template <Index Width>
struct IsNoise<Noise<Width>> : std::true_type {};

template <class... Layers>
struct LastOf {
  using type = std::tuple_element_t<sizeof...(Layers) - 1, std::tuple<Layers...>>;
};
template <>
struct LastOf<> {
  using type = void;
};

/// Outputs of the last Dense, 0 without one.
template <class... Layers>
constexpr Index last_dense_width() {
  Index width = 0;
  const auto look = [&width]<class L>(std::type_identity<L>) {
    if constexpr (DenseLayer<L>)
      width = L::outputs;
  };
  (look(std::type_identity<Layers>{}), ...);
  return width;
}

template <class First, class... Layers>
struct GeneratorCheck {
  static_assert(IsNoise<First>::value,
                "a Generator begins with Noise<N>: write Generator<Noise<64>, Dense<128>, "
                "ReLU, Dense<32>, Tanh>");
  static_assert(
      std::is_same_v<typename LastOf<Layers...>::type, Tanh>,
      "a Generator must end in Tanh, because latent codes are scaled into (-1, 1): add Tanh as its last "
      "layer");
  static_assert(last_dense_width<Layers...>() > 0, "a Generator needs at least one Dense layer");
};

template <class... Layers>
struct DiscriminatorCheck {
  static_assert(DenseLayer<typename LastOf<Layers...>::type> && last_dense_width<Layers...>() == 1,
                "a Discriminator must end in Dense<1>, one logit without an activation: the loss applies the "
                "sigmoid itself");
};

} // namespace detail

/// Noise (and a wanted label, one-hot) -> latent code in (−1, 1).
template <class First, class... Layers>
class Generator : detail::GeneratorCheck<First, Layers...> {
public:
  static constexpr Index noise_width = First::width;
  static constexpr Index output_width = detail::last_dense_width<Layers...>();

  /// \param labels number of label values; 0: unconditional
  explicit Generator(Index labels = 0) : labels_(labels) {
    chain_.configure(input_width(), layout_, "generator");
  }
  Index labels() const noexcept { return labels_; }
  Index input_width() const noexcept { return noise_width + labels_; }
  const ParameterLayout& layout() const noexcept { return layout_; }

  /// \param input rows × input_width: noise, then the one-hot label
  template <class Scalar>
  Variable<Scalar> forward(const BoundParameters<Scalar>& parameters, const Variable<Scalar>& input,
                           const Pass& pass) const {
    return chain_.forward(parameters, input, pass);
  }
  InferenceNetwork network(const float* values) const {
    InferenceNetwork network;
    chain_.append_to(network, values, input_width());
    return network;
  }

private:
  Index labels_;
  ParameterLayout layout_;
  Sequential<Layers...> chain_;
};

/// Latent code (and its label, one-hot) -> logit of "real".
template <class... Layers>
class Discriminator : detail::DiscriminatorCheck<Layers...> {
public:
  /// \param latent_width of the codes to judge \param labels number of label values; 0: unconditional
  explicit Discriminator(Index latent_width, Index labels = 0) : input_width_(latent_width + labels) {
    chain_.configure(input_width_, layout_, "discriminator");
  }
  Index input_width() const noexcept { return input_width_; }
  const ParameterLayout& layout() const noexcept { return layout_; }

  /// \param input rows × input_width: latent code, then the one-hot label; rows × 1 logits
  template <class Scalar>
  Variable<Scalar> forward(const BoundParameters<Scalar>& parameters, const Variable<Scalar>& input,
                           const Pass& pass) const {
    return chain_.forward(parameters, input, pass);
  }

private:
  Index input_width_;
  ParameterLayout layout_;
  Sequential<Layers...> chain_;
};

ROWSMITH_END
