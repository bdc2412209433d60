// SPDX-License-Identifier: MIT
/// \file
/// A chain of layers, composed at compile time.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <rowsmith/autodiff/ops/dense.hpp>
#include <rowsmith/autodiff/ops/elementwise.hpp>
#include <rowsmith/autodiff/ops/gather.hpp>
#include <rowsmith/autodiff/ops/spectral.hpp>
#include <rowsmith/nn/layers.hpp>

ROWSMITH_BEGIN

namespace detail {
// An empty base per layer: the error is one sentence that carries the layer's number and type.
template <std::size_t Number, class T>
struct LayerCheck {
  static_assert(
      Layer<T>,
      "this is not a layer: expected Dense<N>, SpectralDense<N>, ReLU, LeakyReLU, Tanh, Sigmoid, Dropout, "
      "LayerNorm, or a type that satisfies rowsmith::CustomLayer");
};
template <class Numbers, class... Layers>
struct LayerChecks;
template <std::size_t... Number, class... Layers>
struct LayerChecks<std::index_sequence<Number...>, Layers...> : LayerCheck<Number + 1, Layers>... {};

// Dense and activation layers have no state of their own besides the weights of Dense.
struct DenseBlocks {
  ParameterBlock weight;
  ParameterBlock bias;
  ParameterBlock left; // state of a spectral one: estimates of the singular vectors
  ParameterBlock right;
};
struct NoState {};
template <class T>
using LayerState =
    std::conditional_t<DenseLayer<T>, DenseBlocks, std::conditional_t<ActivationLayer<T>, NoState, T>>;
} // namespace detail

/// Layers run one after the other. An activation right after a `Dense` is fused to its product. Holds where
/// its weights lie, not the weights: copying one is cheap and two copies may be trained apart.
template <class... Layers>
class Sequential : detail::LayerChecks<std::index_sequence_for<Layers...>, Layers...> {
public:
  static constexpr std::size_t size = sizeof...(Layers);

  /// Announces the weights. \param inputs width of a row \param active_inputs how many inputs of a row are
  /// not zero (one-hot rows), for the size of the first weights; 0: all. \returns the width of the result
  /// \throws Error for a custom layer whose inference form computes something other than its forward
  Index configure(Index inputs, ParameterLayout& layout, const std::string& name, Index active_inputs = 0) {
    Index width = inputs;
    configure_from<0>(width, layout, name, active_inputs);
    return width;
  }

  /// \param x rows × inputs
  template <class Scalar>
  Variable<Scalar> forward(const BoundParameters<Scalar>& parameters, const Variable<Scalar>& x,
                           const Pass& pass) const {
    return forward_from<0>(parameters, x, pass);
  }

  /// Encoded rows into a chain that begins with `Dense`: gathers instead of multiplying by zeros.
  template <class Scalar>
  Variable<Scalar> forward(const BoundParameters<Scalar>& parameters, const MixedRows<Scalar>& x,
                           const Pass& pass) const {
    static_assert(size > 0 && DenseLayer<LayerAt<0>>,
                  "a chain that reads encoded rows must begin with Dense");
    const auto y = gather_dense(x, weight_of<0>(parameters), parameters[std::get<0>(states_).bias],
                                activation_after<0>());
    return forward_from<next_after_dense<0>()>(parameters, y, pass);
  }

  /// What a chain gives, and the gradient of the sum of its outputs by its input, itself differentiable.
  template <class Scalar>
  struct WithGradient {
    Variable<Scalar> output;
    Variable<Scalar> gradient; ///< rows × inputs
  };
  /// Every layer must be linear piece by piece: then the gradient is a chain of products with masks, and its
  /// own gradient needs nothing of second order.
  template <class Scalar>
  WithGradient<Scalar> forward_with_gradient(const BoundParameters<Scalar>& parameters,
                                             const Variable<Scalar>& x, const Pass& pass) const {
    static_assert((PiecewiseLinearLayer<Layers> && ...),
                  "a penalty on the discriminator's gradient needs layers that are linear piece by piece: "
                  "Dense, SpectralDense, ReLU, LeakyReLU, Dropout");
    return with_gradient_from<0>(parameters, x, pass);
  }

  /// Improves the estimates of the singular values of spectral layers. Before the first step, more than once.
  template <class Scalar>
  void prepare(const Scalar* values, Scalar* state, int iterations = 1) const {
    prepare_from<0>(values, state, iterations);
  }

  /// Appends the trained layers to a network that needs no tape.
  void append_to(InferenceNetwork& network, const float* values, Index inputs) const {
    static_cast<void>(detail::DeployedCheck<Layers...>{});
    append_from<0>(network, values, inputs);
  }

private:
  template <std::size_t I>
  using LayerAt = std::tuple_element_t<I, std::tuple<Layers...>>;

  template <std::size_t I>
  static constexpr bool activation_follows() {
    if constexpr (I + 1 < size)
      return ActivationLayer<LayerAt<I + 1>>;
    else
      return false;
  }
  template <std::size_t I>
  static constexpr Activation activation_after() {
    if constexpr (activation_follows<I>())
      return LayerAt<I + 1>::activation;
    else
      return Activation{};
  }
  template <std::size_t I>
  static constexpr std::size_t next_after_dense() {
    return activation_follows<I>() ? I + 2 : I + 1;
  }

  template <std::size_t I>
  void configure_from(Index& width, ParameterLayout& layout, const std::string& name, Index active_inputs) {
    if constexpr (I < size) {
      using L = LayerAt<I>;
      const std::string layer_name = name + "." + std::to_string(I);
      if constexpr (DenseLayer<L>) {
        constexpr auto kind = activation_after<I>().kind;
        constexpr bool rectified = kind == ActivationKind::relu || kind == ActivationKind::leaky_relu;
        auto& blocks = std::get<I>(states_);
        blocks.weight = layout.add(layer_name + ".weight", width, L::outputs,
                                   rectified ? Initialiser::he_normal : Initialiser::xavier_uniform, 1,
                                   I == 0 ? active_inputs : 0);
        blocks.bias = layout.add(layer_name + ".bias", 1, L::outputs, Initialiser::zeros);
        if constexpr (detail::IsSpectral<L>::value) {
          blocks.left = layout.add_state(1, width);
          blocks.right = layout.add_state(1, L::outputs);
        }
        width = L::outputs;
      } else if constexpr (!ActivationLayer<L>) {
        if constexpr (DeployableLayer<L>)
          detail::check_inference_form<L>(layer_name, width);
        width = std::get<I>(states_).configure(width, layout, layer_name);
      }
      configure_from<I + 1>(width, layout, name, active_inputs);
    }
  }

  template <std::size_t I, class Scalar>
  Variable<Scalar> weight_of(const BoundParameters<Scalar>& parameters) const {
    const auto& blocks = std::get<I>(states_);
    if constexpr (detail::IsSpectral<LayerAt<I>>::value)
      return spectral_normalise(parameters[blocks.weight], parameters.state(blocks.left),
                                parameters.state(blocks.right));
    else
      return parameters[blocks.weight];
  }

  template <std::size_t I, class Scalar>
  void prepare_from(const Scalar* values, Scalar* state, int iterations) const {
    if constexpr (I < size) {
      if constexpr (detail::IsSpectral<LayerAt<I>>::value) {
        const auto& blocks = std::get<I>(states_);
        for (int k = 0; k < iterations; ++k)
          power_iteration(values + blocks.weight.offset, blocks.weight.rows, blocks.weight.columns,
                          state + blocks.left.offset, state + blocks.right.offset);
      }
      prepare_from<I + 1>(values, state, iterations);
    }
  }

  template <std::size_t I, class Scalar>
  WithGradient<Scalar> with_gradient_from(const BoundParameters<Scalar>& parameters,
                                          const Variable<Scalar>& x, const Pass& pass) const {
    if constexpr (I >= size) {
      auto ones = x.tape().make(x.rows(), x.columns(), false);
      std::fill_n(ones.data(), ones.size(), Scalar(1));
      return {x, ones};
    } else if constexpr (DenseLayer<LayerAt<I>>) {
      const auto weight = weight_of<I>(parameters);
      const auto y = dense(x, weight, parameters[std::get<I>(states_).bias], activation_after<I>());
      const auto rest = with_gradient_from<next_after_dense<I>()>(parameters, y, pass);
      return {rest.output, matmul_transposed(gate(rest.gradient, y, activation_after<I>()), weight)};
    } else if constexpr (ActivationLayer<LayerAt<I>>) {
      const auto y = activate(x, LayerAt<I>::activation);
      const auto rest = with_gradient_from<I + 1>(parameters, y, pass);
      return {rest.output, gate(rest.gradient, y, LayerAt<I>::activation)};
    } else { // dropout: a product with the same mask, both ways
      const auto number = static_cast<std::uint32_t>(I);
      const auto& layer = std::get<I>(states_);
      const auto rest =
          with_gradient_from<I + 1>(parameters, layer.forward(parameters, x, pass, number), pass);
      return {rest.output, layer.forward(parameters, rest.gradient, pass, number)};
    }
  }

  template <std::size_t I, class Scalar>
  Variable<Scalar> forward_from(const BoundParameters<Scalar>& parameters, const Variable<Scalar>& x,
                                const Pass& pass) const {
    if constexpr (I >= size) {
      return x;
    } else if constexpr (DenseLayer<LayerAt<I>>) {
      return forward_from<next_after_dense<I>()>(
          parameters,
          dense(x, weight_of<I>(parameters), parameters[std::get<I>(states_).bias], activation_after<I>()),
          pass);
    } else if constexpr (ActivationLayer<LayerAt<I>>) {
      return forward_from<I + 1>(parameters, activate(x, LayerAt<I>::activation), pass);
    } else {
      return forward_from<I + 1>(
          parameters, std::get<I>(states_).forward(parameters, x, pass, static_cast<std::uint32_t>(I)), pass);
    }
  }

  template <std::size_t I>
  void append_from(InferenceNetwork& network, const float* values, Index inputs) const {
    if constexpr (I < size) {
      using L = LayerAt<I>;
      if constexpr (DenseLayer<L>) {
        network.add(linear_layer(values, std::get<I>(states_).weight, std::get<I>(states_).bias));
        append_from<I + 1>(network, values, L::outputs);
      } else {
        if constexpr (ActivationLayer<L>) {
          InferenceLayer layer;
          layer.kind = InferenceLayer::Kind::activation;
          layer.inputs = layer.outputs = inputs;
          layer.activation = L::activation;
          network.add(std::move(layer));
        } else {
          std::get<I>(states_).append_to(network, values, inputs);
        }
        append_from<I + 1>(network, values, network.empty() ? inputs : network.outputs());
      }
    }
  }

  std::tuple<detail::LayerState<Layers>...> states_;
};

ROWSMITH_END
