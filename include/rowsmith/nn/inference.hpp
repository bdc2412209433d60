// SPDX-License-Identifier: MIT
/// \file
/// A trained chain of layers as plain numbers: runs without a tape, knows no template arguments, and is what
/// a model file holds.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/autodiff/ops/dense.hpp>
#include <rowsmith/autodiff/ops/gather.hpp>
#include <rowsmith/autodiff/ops/layer_norm.hpp>
#include <rowsmith/core/aligned_buffer.hpp>
#include <rowsmith/core/errors.hpp>

ROWSMITH_BEGIN

/// Buffers of `InferenceNetwork::run`; one per thread. They grow to the largest call and stay.
struct InferenceScratch {
  GemmWorkspace<float> workspace;
  AlignedBuffer<float> buffers[2];
  AlignedBuffer<float> input; ///< of a network, for callers that make it
  AlignedBuffer<float> heads; ///< of heads that are no part of a network
  AlignedBuffer<float> kept;  ///< input, then result of a residual network
};

/// One step: y = f(x · weight + bias), or a layer normalisation with gain `weight` (1 × n) and `bias`.
struct InferenceLayer {
  using Kind = kernel::LayerKind;
  Kind kind = Kind::dense;
  Index inputs = 0;
  Index outputs = 0;
  AlignedBuffer<float> weight; ///< inputs × outputs; layer_norm: outputs; activation: empty
  AlignedBuffer<float> bias;   ///< outputs; activation: empty
  Activation activation;
};

/// Layers whose widths chain. A value type.
class InferenceNetwork {
public:
  /// \throws ShapeError if the layer does not follow from the one before or its buffers have the wrong size
  void add(InferenceLayer layer) {
    const Index weights = layer.kind == InferenceLayer::Kind::dense        ? layer.inputs * layer.outputs
                          : layer.kind == InferenceLayer::Kind::layer_norm ? layer.outputs
                                                                           : 0;
    const Index biases = layer.kind == InferenceLayer::Kind::activation ? 0 : layer.outputs;
    if ((!layers_.empty() && layers_.back().outputs != layer.inputs) ||
        (layer.kind != InferenceLayer::Kind::dense && layer.inputs != layer.outputs) ||
        layer.weight.size() != static_cast<std::size_t>(weights) ||
        layer.bias.size() != static_cast<std::size_t>(biases))
      throw ShapeError("network: layer " + std::to_string(layers_.size() + 1) + " takes " +
                       std::to_string(layer.inputs) + " inputs and gives " + std::to_string(layer.outputs) +
                       ", which does not fit the layer before it or its own weights");
    // A bare activation after a product is fused to it: one pass less over the rows.
    if (layer.kind == InferenceLayer::Kind::activation && !layers_.empty() &&
        layers_.back().kind == InferenceLayer::Kind::dense &&
        layers_.back().activation.kind == ActivationKind::identity) {
      layers_.back().activation = layer.activation;
      return;
    }
    layers_.push_back(std::move(layer));
  }

  /// Adds the first `outputs()` inputs of a row to its outputs, as a generator that ends in `Residual` does.
  /// \throws ShapeError if there are fewer inputs than outputs
  void set_residual(bool residual) {
    if (residual && inputs() < outputs())
      throw ShapeError("network: a residual network with " + std::to_string(inputs()) + " inputs and " +
                       std::to_string(outputs()) + " outputs");
    residual_ = residual;
  }
  bool residual() const noexcept { return residual_; }

  const std::vector<InferenceLayer>& layers() const noexcept { return layers_; }
  bool empty() const noexcept { return layers_.empty(); }
  Index inputs() const noexcept { return layers_.empty() ? 0 : layers_.front().inputs; }
  Index outputs() const noexcept { return layers_.empty() ? 0 : layers_.back().outputs; }

  /// Runs `rows` rows (rows × inputs, row-major); returns rows × outputs inside `scratch`, valid until its
  /// next use. A row's result has the same bits whatever the other rows are. `x` may be the result of another
  /// network in the same scratch.
  const float* run(const float* x, Index rows, InferenceScratch& scratch) const {
    if (!residual_)
      return run_from(0, x, rows, scratch);
    // The input may lie in a buffer that the layers write to.
    const Index kept = outputs();
    if (scratch.kept.size() < static_cast<std::size_t>(rows * kept))
      scratch.kept.resize(static_cast<std::size_t>(rows * kept));
    for (Index r = 0; r < rows; ++r)
      std::copy_n(x + r * inputs(), kept, scratch.kept.data() + r * kept);
    const float* y = run_from(0, x, rows, scratch);
    for (Index i = 0; i < rows * kept; ++i)
      scratch.kept.data()[i] += y[i];
    return scratch.kept.data();
  }

  /// The same for encoded rows: the first layer, which must be dense, gathers rows of its weights.
  const float* run(const MixedRows<float>& x, InferenceScratch& scratch) const {
    const auto& first = layers_.front();
    float* y = buffer(scratch, 0, x.rows * first.outputs);
    gather_affine(x, first.weight.data(), first.bias.data(), first.outputs, first.activation, y);
    return run_from(1, y, x.rows, scratch);
  }

private:
  static float* buffer(InferenceScratch& scratch, int which, Index size) {
    auto& chosen = scratch.buffers[which];
    if (chosen.size() < static_cast<std::size_t>(size))
      chosen.resize(static_cast<std::size_t>(size));
    return chosen.data();
  }
  const float* run_from(std::size_t first, const float* x, Index rows, InferenceScratch& scratch) const {
    for (std::size_t i = first; i < layers_.size(); ++i) {
      const auto& layer = layers_[i];
      // Write to the buffer that does not hold the input.
      const int which = x == scratch.buffers[0].data() ? 1 : 0;
      float* y = buffer(scratch, which, rows * layer.outputs);
      switch (layer.kind) {
      case InferenceLayer::Kind::dense:
        gemm(rows, layer.outputs, layer.inputs, as_is<float>(x, layer.inputs),
             as_is<float>(layer.weight.data(), layer.outputs), y, false, scratch.workspace,
             detail::BiasActivation<float>{layer.bias.data(), layer.activation});
        break;
      case InferenceLayer::Kind::layer_norm:
        for (Index r = 0; r < rows; ++r)
          detail::normalise_row(x + r * layer.inputs, layer.weight.data(), layer.bias.data(),
                                y + r * layer.outputs, layer.outputs);
        break;
      case InferenceLayer::Kind::activation:
        std::copy_n(x, rows * layer.inputs, y);
        detail::activate(layer.activation, y, rows * layer.outputs);
        break;
      }
      x = y;
    }
    return x;
  }
  std::vector<InferenceLayer> layers_;
  bool residual_ = false;
};

ROWSMITH_END
