// SPDX-License-Identifier: MIT
/// \file
/// A chain of layers, composed at compile time.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <rowsmith/autodiff/ops/dense.hpp>
#include <rowsmith/autodiff/ops/gather.hpp>
#include <rowsmith/nn/layers.hpp>

ROWSMITH_BEGIN

namespace detail {
// An empty base per layer: the error is one sentence that carries the layer's number and type.
template <std::size_t Number, class T>
struct LayerCheck {
  static_assert(Layer<T>, "this is not a layer: expected Dense<N>, ReLU, LeakyReLU, Tanh, Sigmoid, Dropout, "
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
    const auto& blocks = std::get<0>(states_);
    const auto y = gather_dense(x, parameters[blocks.weight], parameters[blocks.bias], activation_after<0>());
    return forward_from<next_after_dense<0>()>(parameters, y, pass);
  }

  /// Appends the trained layers to a network that needs no tape.
  template <class Scalar>
  void append_to(InferenceNetwork& network, const Scalar* values, Index inputs) const {
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
        width = L::outputs;
      } else if constexpr (!ActivationLayer<L>) {
        width = std::get<I>(states_).configure(width, layout, layer_name);
      }
      configure_from<I + 1>(width, layout, name, active_inputs);
    }
  }

  template <std::size_t I, class Scalar>
  Variable<Scalar> forward_from(const BoundParameters<Scalar>& parameters, const Variable<Scalar>& x,
                                const Pass& pass) const {
    if constexpr (I >= size) {
      return x;
    } else if constexpr (DenseLayer<LayerAt<I>>) {
      const auto& blocks = std::get<I>(states_);
      return forward_from<next_after_dense<I>()>(
          parameters, dense(x, parameters[blocks.weight], parameters[blocks.bias], activation_after<I>()),
          pass);
    } else if constexpr (ActivationLayer<LayerAt<I>>) {
      return forward_from<I + 1>(parameters, activate(x, LayerAt<I>::activation), pass);
    } else {
      return forward_from<I + 1>(
          parameters, std::get<I>(states_).forward(parameters, x, pass, static_cast<std::uint32_t>(I)), pass);
    }
  }

  template <std::size_t I, class Scalar>
  void append_from(InferenceNetwork& network, const Scalar* values, Index inputs) const {
    if constexpr (I < size) {
      using L = LayerAt<I>;
      if constexpr (DenseLayer<L>) {
        const auto& blocks = std::get<I>(states_);
        InferenceLayer layer;
        layer.inputs = inputs;
        layer.outputs = L::outputs;
        layer.weight.resize(static_cast<std::size_t>(inputs * L::outputs));
        layer.bias.resize(static_cast<std::size_t>(L::outputs));
        std::transform(values + blocks.weight.offset, values + blocks.weight.offset + inputs * L::outputs,
                       layer.weight.data(), [](Scalar v) { return static_cast<float>(v); });
        std::transform(values + blocks.bias.offset, values + blocks.bias.offset + L::outputs,
                       layer.bias.data(), [](Scalar v) { return static_cast<float>(v); });
        network.add(std::move(layer));
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
