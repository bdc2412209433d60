// SPDX-License-Identifier: MIT
/// \file
/// Layers, written as types: `Dense<128>, ReLU, Dropout`. A layer says only its own output width; the width
/// before it comes from its neighbour, the first from the data.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <ratio>
#include <string>
#include <type_traits>

#include <rowsmith/autodiff/ops/activation.hpp>
#include <rowsmith/autodiff/ops/stochastic.hpp>
#include <rowsmith/nn/inference.hpp>
#include <rowsmith/nn/parameters.hpp>

ROWSMITH_BEGIN

/// The trained product with a weight block and its bias.
inline InferenceLayer linear_layer(const float* values, const ParameterBlock& weight,
                                   const ParameterBlock& bias) {
  InferenceLayer layer;
  layer.inputs = weight.rows;
  layer.outputs = weight.columns;
  layer.weight.resize(static_cast<std::size_t>(weight.rows * weight.columns));
  layer.bias.resize(static_cast<std::size_t>(weight.columns));
  std::copy_n(values + weight.offset, weight.rows * weight.columns, layer.weight.data());
  std::copy_n(values + bias.offset, weight.columns, layer.bias.data());
  return layer;
}

/// What a forward pass is for.
struct Pass {
  bool training = false;  ///< dropout is active only then
  std::uint64_t seed = 0; ///< of the run
  std::uint32_t step = 0; ///< draws differ from step to step
  std::uint64_t first_row =
      0; ///< number of the first row within the step, so that shards draw like the whole

  /// A stream for layer number `layer`.
  RandomStream stream(Purpose purpose, std::uint32_t layer) const noexcept {
    return {seed, static_cast<Purpose>(static_cast<std::uint32_t>(purpose) + (layer << 16U)), step};
  }
};

/// Fully connected layer with `Out` outputs: y = x · W + b.
template <Index Out>
struct Dense {
  static_assert(Out > 0, "Dense<Out> needs at least one output");
  static constexpr Index outputs = Out;
};

/// A `Dense` whose weight is divided by an estimate of its largest singular value, which bounds how fast a
/// discriminator can change (Miyato et al., ICLR 2018). `Sequential::prepare` improves the estimate, which is
/// part of the state, not of the weights.
template <Index Out>
struct SpectralDense {
  static_assert(Out > 0, "SpectralDense<Out> needs at least one output");
  static constexpr Index outputs = Out;
};

/// max(x, 0)
struct ReLU {
  static constexpr Activation activation{ActivationKind::relu};
};

/// x for x ≥ 0, slope · x below; the slope is a std::ratio.
template <class Slope>
struct BasicLeakyReLU {
  static_assert(Slope::num > 0, "the slope of a leaky ReLU must be positive");
  static constexpr Activation activation{ActivationKind::leaky_relu,
                                         static_cast<double>(Slope::num) / static_cast<double>(Slope::den)};
};
/// Leaky ReLU of slope 0.2, as discriminators commonly use it.
using LeakyReLU = BasicLeakyReLU<std::ratio<1, 5>>;

/// Hyperbolic tangent.
struct Tanh {
  static constexpr Activation activation{ActivationKind::tanh};
};

/// Logistic function.
struct Sigmoid {
  static constexpr Activation activation{ActivationKind::sigmoid};
};

/// Inverted dropout (Srivastava et al. 2014); the rate is a std::ratio in [0, 1). Inactive outside training.
template <class Rate>
struct BasicDropout {
  static_assert(Rate::num >= 0 && Rate::num < Rate::den, "a dropout rate is at least 0 and below 1");
  static constexpr double rate = static_cast<double>(Rate::num) / static_cast<double>(Rate::den);

  Index configure(Index inputs, ParameterLayout&, const std::string&) { return inputs; }
  template <class Scalar>
  Variable<Scalar> forward(const BoundParameters<Scalar>&, const Variable<Scalar>& x, const Pass& pass,
                           std::uint32_t layer) const {
    return pass.training ? dropout(x, rate, pass.stream(Purpose::dropout, layer), pass.first_row) : x;
  }
  void append_to(InferenceNetwork&, const float*, Index) const {}
};
/// Dropout of half the inputs.
using Dropout = BasicDropout<std::ratio<1, 2>>;

/// Layer normalisation (Ba, Kiros & Hinton 2016) with a learnt gain and bias.
struct LayerNorm {
  Index configure(Index inputs, ParameterLayout& layout, const std::string& name) {
    gain = layout.add(name + ".gain", 1, inputs, Initialiser::ones);
    bias = layout.add(name + ".bias", 1, inputs, Initialiser::zeros);
    return inputs;
  }
  template <class Scalar>
  Variable<Scalar> forward(const BoundParameters<Scalar>& parameters, const Variable<Scalar>& x, const Pass&,
                           std::uint32_t) const {
    return layer_norm(x, parameters[gain], parameters[bias]);
  }
  void append_to(InferenceNetwork& network, const float* values, Index inputs) const {
    auto layer = linear_layer(values, gain, bias);
    layer.kind = InferenceLayer::Kind::layer_norm;
    layer.inputs = inputs;
    network.add(std::move(layer));
  }
  ParameterBlock gain;
  ParameterBlock bias;
};

namespace detail {
template <class T>
struct IsDense : std::false_type {};
template <Index Out>
struct IsDense<Dense<Out>> : std::true_type {};
template <Index Out>
struct IsDense<SpectralDense<Out>> : std::true_type {};
template <class T>
struct IsSpectral : std::false_type {};
template <Index Out>
struct IsSpectral<SpectralDense<Out>> : std::true_type {};
template <class T>
struct IsDropout : std::false_type {};
template <class Rate>
struct IsDropout<BasicDropout<Rate>> : std::true_type {};
} // namespace detail

/// A fully connected layer.
template <class T>
concept DenseLayer = detail::IsDense<T>::value;

/// A layer that is nothing but an activation function.
template <class T>
concept ActivationLayer = requires {
  { T::activation } -> std::convertible_to<Activation>;
};

/// A layer whose output is linear in its input, piece by piece: what a penalty on gradients can pass through.
template <class T>
concept PiecewiseLinearLayer = DenseLayer<T> || detail::IsDropout<T>::value ||
    (ActivationLayer<T>&& T::activation.kind != ActivationKind::tanh &&
     T::activation.kind != ActivationKind::sigmoid);

/// Any other layer, a user's own among them: it announces its weights and records itself on a tape.
template <class T>
concept CustomLayer = std::default_initializable<T> &&
    requires(T layer, const T& trained, ParameterLayout& layout, const BoundParameters<float>& parameters,
             const Variable<float>& x, const Pass& pass) {
  { layer.configure(Index{1}, layout, std::string{}) } -> std::same_as<Index>;
  { trained.forward(parameters, x, pass, std::uint32_t{0}) } -> std::same_as<Variable<float>>;
};

/// Everything that may stand in `Sequential<…>`.
template <class T>
concept Layer = DenseLayer<T> || ActivationLayer<T> || CustomLayer<T>;

/// A layer that a saved model may hold: a custom one describes its trained self by inference layers, which
/// must compute what `forward` does outside training. `Sequential::configure` compares the two.
template <class T>
concept DeployableLayer = (DenseLayer<T> && !detail::IsSpectral<T>::value) || ActivationLayer<T> ||
                          (CustomLayer<T> &&
                           requires(const T& trained, InferenceNetwork& network, const float* values) {
                             trained.append_to(network, values, Index{1});
                           });

namespace detail {

/// The door of chains that are part of a saved model. What is no layer is left to others.
template <class... Layers>
struct DeployedCheck {
  static_assert(
      (!IsSpectral<Layers>::value && ...),
      "SpectralDense bounds a Discriminator: elsewhere nothing keeps its estimate up to date, so write "
      "Dense<N> instead");
  static_assert(
      ((!CustomLayer<Layers> || DeployableLayer<Layers>)&&...),
      "a layer of a Generator or an Autoencoder needs an inference form: give it append_to(network, "
      "values, inputs), which adds inference layers that compute what its forward does");
};

/// \throws Error unless the inference layers that a layer adds compute what its forward does outside training
template <DeployableLayer T>
void check_inference_form(const std::string& name, Index inputs) {
  constexpr Index rows = 3;
  T layer;
  ParameterLayout layout;
  layer.configure(inputs, layout, name);
  auto values = layout.template initialise<float>(0);
  AlignedBuffer<float> shift(values.size());
  AlignedBuffer<float> x(static_cast<std::size_t>(rows * inputs));
  // Weights that start at 0 or 1 would not show where they are left out.
  fill_normal(RandomStream(1, Purpose::initialise), 0, shift.data(), layout.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] += 0.1F * shift[i];
  fill_normal(RandomStream(2, Purpose::initialise), 0, x.data(), rows * inputs);
  Tape<float> tape;
  const auto state = layout.template initialise_state<float>(0);
  const auto expected = layer.forward(BoundParameters<float>(tape, values.data(), nullptr, state.data()),
                                      tape.constant(x.data(), rows, inputs), Pass{}, 0);
  InferenceNetwork network;
  layer.append_to(network, values.data(), inputs);
  InferenceScratch scratch;
  bool same = network.empty() ? inputs == expected.columns()
                              : network.inputs() == inputs && network.outputs() == expected.columns();
  const float* made = !same || network.empty() ? x.data() : network.run(x.data(), rows, scratch);
  for (Index i = 0; same && i < expected.size(); ++i) {
    const float y = expected.data()[i];
    same = std::isnan(y) ? std::isnan(made[i]) : std::abs(made[i] - y) <= 1e-3F * std::max(1.0F, std::abs(y));
  }
  if (!same)
    throw Error("layer '" + name +
                "' cannot be saved: the inference layers that its append_to adds do not compute "
                "what its forward does outside training");
}

} // namespace detail

ROWSMITH_END
