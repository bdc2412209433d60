// SPDX-License-Identifier: MIT
/// \file
/// Generator and discriminator as types:
/// `Generator<Noise<64>, Dense<128>, ReLU, Dense<32>, Tanh>` and
/// `Discriminator<Packing<2>, SpectralDense<128>, LeakyReLU, SpectralDense<1>>`.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>

#include <rowsmith/autodiff/ops/elementwise.hpp>
#include <rowsmith/autodiff/ops/shape.hpp>
#include <rowsmith/nn/sequential.hpp>
#include <rowsmith/nn/type_list.hpp>

ROWSMITH_BEGIN

/// The generator's input: `Width` standard normal numbers a row.
template <Index Width>
struct Noise {
  static_assert(Width > 0, "Noise<Width> needs at least one number");
  static constexpr Index width = Width;
  static constexpr Index components = 0;
};

/// The generator's input: `Width` numbers a row from a mixture of `Components` Gaussians with full
/// covariance, fitted to the latent codes of the training rows. `Width` must be that of the latent code.
template <Index Width, Index Components>
struct MixtureNoise {
  static_assert(Width > 0, "MixtureNoise<Width, Components> needs at least one number");
  static_assert(Components > 0 && Components <= 65536,
                "MixtureNoise<Width, Components> needs 1 to 65536 parts");
  static constexpr Index width = Width;
  static constexpr Index components = Components;
};

/// The last element of a generator that changes its noise instead of making a code from nothing: latent code
/// = noise + layers(noise), where the last layer starts at zero, so that training begins from the identity.
struct Residual {};

/// Before a discriminator's layers: it judges `Rows` rows of one kind at once and so sees a lack of variety
/// (Lin et al., "PacGAN", NeurIPS 2018).
template <Index Rows>
struct Packing {
  static_assert(Rows > 0 && Rows <= 64, "Packing<Rows> takes 1 to 64 rows");
  static constexpr Index rows = Rows;
};

/// Before a discriminator's layers: it judges decoded rows (one-hot codes and numbers) instead of latent
/// codes.
struct OnRows {};

namespace detail {

template <class T>
struct IsNoise : std::false_type {};
template <Index Width>
struct IsNoise<Noise<Width>> : std::true_type {};
template <Index Width, Index Components>
struct IsNoise<MixtureNoise<Width, Components>> : std::true_type {};

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

// Takes Residual off the end of a generator's layers.
template <class Kept, class... Rest>
struct GeneratorLayers {
  using type = Kept;
  static constexpr bool residual = false;
};
template <class Kept, class First, class... Rest>
struct GeneratorLayers<Kept, First, Rest...> : GeneratorLayers<typename Append<Kept, First>::type, Rest...> {
};
template <class Kept>
struct GeneratorLayers<Kept, Residual> {
  using type = Kept;
  static constexpr bool residual = true;
};

template <class First, class... Layers>
struct GeneratorCheck : DeployedCheck<Layers...> {
  using Last = typename LastOf<Layers...>::type;
  static constexpr bool residual = std::is_same_v<Last, Residual>;
  static_assert(
      IsNoise<First>::value,
      "a Generator begins with Noise<N> or MixtureNoise<N, K>: write Generator<Noise<64>, Dense<128>, "
      "ReLU, Dense<32>, Tanh>");
  static_assert(std::is_same_v<Last, Tanh> || residual,
                "a Generator must end in Tanh, because latent codes are scaled into (-1, 1), or in Residual, "
                "which adds the noise: add Tanh as its last layer");
  static_assert(last_dense_width<Layers...>() > 0, "a Generator needs at least one Dense layer");
  template <class N>
  static constexpr Index width_of() {
    if constexpr (IsNoise<N>::value)
      return N::width;
    else
      return 0;
  }
  static_assert(!residual || width_of<First>() == last_dense_width<Layers...>(),
                "a Generator that ends in Residual adds its noise to the last Dense: make both as wide");
};

template <class... Layers>
struct DiscriminatorCheck {
  static_assert(DenseLayer<typename LastOf<Layers...>::type> && last_dense_width<Layers...>() == 1,
                "a Discriminator must end in Dense<1>, one logit without an activation: the loss applies the "
                "sigmoid itself");
};

// What stands before a discriminator's layers.
template <class... Layers>
struct DiscriminatorParts {
  using Chain = TypeList<Layers...>;
  static constexpr Index packing = 1;
  static constexpr bool on_rows = false;
};
template <Index Rows, class... Rest>
struct DiscriminatorParts<Packing<Rows>, Rest...> : DiscriminatorParts<Rest...> {
  static_assert(DiscriminatorParts<Rest...>::packing == 1, "a Discriminator takes one Packing<N>");
  static constexpr Index packing = Rows;
};
template <class... Rest>
struct DiscriminatorParts<OnRows, Rest...> : DiscriminatorParts<Rest...> {
  static constexpr bool on_rows = true;
};

} // namespace detail

/// Noise (and a wanted label, one-hot) -> scaled latent code: in (−1, 1) if the last layer is Tanh, of any
/// size if it is Residual.
template <class First, class... Layers>
class Generator : detail::GeneratorCheck<First, Layers...> {
  using Parts = detail::GeneratorLayers<detail::TypeList<>, Layers...>;

public:
  using NoiseType = First;
  static constexpr Index noise_width = First::width;
  static constexpr Index mixture_components = First::components;
  static constexpr Index output_width = detail::last_dense_width<Layers...>();
  static constexpr bool residual = Parts::residual;

  /// \param labels number of label values; 0: unconditional
  explicit Generator(Index labels = 0) : labels_(labels) {
    chain_.configure(input_width(), layout_, "generator");
  }
  Index labels() const noexcept { return labels_; }
  Index input_width() const noexcept { return noise_width + labels_; }
  const ParameterLayout& layout() const noexcept { return layout_; }

  /// Fresh weights.
  template <class Scalar>
  AlignedBuffer<Scalar> initialise(std::uint64_t seed) const {
    auto values = layout_.template initialise<Scalar>(seed);
    if constexpr (residual) // the last layer's weight; its bias is zero as it is
      for (auto entry = layout_.entries().rbegin(); entry != layout_.entries().rend(); ++entry)
        if (entry->block.rows > 1 || entry->initialiser != Initialiser::zeros) {
          std::fill_n(values.data() + entry->block.offset, entry->block.rows * entry->block.columns,
                      Scalar(0));
          break;
        }
    return values;
  }
  /// \param input rows × input_width: noise, then the one-hot label
  template <class Scalar>
  Variable<Scalar> forward(const BoundParameters<Scalar>& parameters, const Variable<Scalar>& input,
                           const Pass& pass) const {
    const auto made = chain_.forward(parameters, input, pass);
    if constexpr (residual)
      return add(made, slice_columns(input, 0, noise_width));
    else
      return made;
  }
  InferenceNetwork network(const float* values) const {
    InferenceNetwork network;
    chain_.append_to(network, values, input_width());
    network.set_residual(residual);
    return network;
  }

private:
  Index labels_;
  ParameterLayout layout_;
  typename detail::AsSequential<typename Parts::type>::type chain_;
};

/// Latent codes or decoded rows (and their labels, one-hot) -> logit of "real". What stands before the
/// layers: `Packing<N>`, `OnRows`.
template <class... Layers>
class Discriminator : detail::DiscriminatorCheck<Layers...> {
  using Parts = detail::DiscriminatorParts<Layers...>;

public:
  static constexpr Index packing = Parts::packing;
  static constexpr bool on_rows = Parts::on_rows;

  /// \param width of a latent code or an encoded row \param labels number of label values; 0: unconditional
  explicit Discriminator(Index width, Index labels = 0) : input_width_(packing * (width + labels)) {
    chain_.configure(input_width_, layout_, "discriminator");
  }
  Index input_width() const noexcept { return input_width_; }
  const ParameterLayout& layout() const noexcept { return layout_; }

  /// \param input units × input_width: for each row of a unit the code, then its one-hot label; units × 1
  /// logits
  template <class Scalar>
  Variable<Scalar> forward(const BoundParameters<Scalar>& parameters, const Variable<Scalar>& input,
                           const Pass& pass) const {
    return chain_.forward(parameters, input, pass);
  }
  /// The same, and the gradient of each logit by its input.
  template <class Scalar>
  auto forward_with_gradient(const BoundParameters<Scalar>& parameters, const Variable<Scalar>& input,
                             const Pass& pass) const {
    return chain_.forward_with_gradient(parameters, input, pass);
  }
  /// Before each step: brings the state of the spectral layers up to date.
  void prepare(const float* values, float* state, int iterations = 1) const {
    chain_.prepare(values, state, iterations);
  }

private:
  Index input_width_;
  ParameterLayout layout_;
  typename detail::AsSequential<typename Parts::Chain>::type chain_;
};

/// Several discriminators that judge the same generator; their losses add up. For example one on latent codes
/// and one on decoded rows.
template <class... Discriminator>
struct Discriminators {
  static_assert(sizeof...(Discriminator) > 0, "Discriminators<...> needs at least one Discriminator");
};

ROWSMITH_END
