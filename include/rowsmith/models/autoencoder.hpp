// SPDX-License-Identifier: MIT
/// \file
/// The autoencoder as a type: `Autoencoder<Dense<256>, ReLU, Dense<128>, ReLU, Latent<32>>`.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <rowsmith/autodiff/ops/elementwise.hpp>
#include <rowsmith/autodiff/ops/stochastic.hpp>
#include <rowsmith/models/autoregressive_heads.hpp>
#include <rowsmith/models/heads.hpp>
#include <rowsmith/models/independent_heads.hpp>
#include <rowsmith/models/joint_heads.hpp>
#include <rowsmith/nn/sequential.hpp>
#include <rowsmith/nn/type_list.hpp>

ROWSMITH_BEGIN

/// The bottleneck of an `Autoencoder`: the latent code has `Width` numbers. Layers before it are the encoder,
/// layers after it the decoder; with none after it, the decoder mirrors the encoder.
template <Index Width>
struct Latent {
  static_assert(Width > 0, "Latent<Width> needs at least one number");
  static constexpr Index width = Width;
};

/// Log-variances of the latent code are kept in this range; they start at `log_variance_start`, because a
/// code that begins as noise of the prior's size takes long to learn anything.
inline constexpr float log_variance_least = -9;
inline constexpr float log_variance_most = 2;
inline constexpr float log_variance_start = -2;
inline float limit_log_variance(float x) noexcept {
  return std::clamp(x, log_variance_least, log_variance_most);
}

namespace detail {

template <class T>
struct IsLatent : std::false_type {};
template <Index Width>
struct IsLatent<Latent<Width>> : std::true_type {};

// Cuts a pack at its Latent into what stands before and after it.
template <class Before, class... Rest>
struct CutAtLatent {
  static_assert(sizeof...(Rest) > 0, "an Autoencoder needs exactly one Latent<N>, but has none: write "
                                     "Autoencoder<Dense<256>, ReLU, Latent<32>>");
};
template <class Before, class First, class... Rest>
struct CutAtLatent<Before, First, Rest...> : CutAtLatent<typename Append<Before, First>::type, Rest...> {};
template <class Before, Index Width, class... Rest>
struct CutAtLatent<Before, Latent<Width>, Rest...> {
  using Encoder = Before;
  using Decoder = TypeList<Rest...>;
  static constexpr Index width = Width;
};

// The mirror image: groups (a Dense and what follows it) in reverse order.
template <class Reversed, class Group, class... Rest>
struct Mirror {
  using type = typename Join<Group, Reversed>::type;
};
template <class Reversed, class Group, class First, class... Rest>
struct Mirror<Reversed, Group, First, Rest...>
    : std::conditional_t<IsDense<First>::value,
                         Mirror<typename Join<Group, Reversed>::type, TypeList<First>, Rest...>,
                         Mirror<Reversed, typename Append<Group, First>::type, Rest...>> {};

template <bool Mirrored, class Decoder, class Encoder>
struct DecoderOrMirror {
  using type = Decoder;
};
template <class... Encoder>
struct DecoderOrMirror<true, TypeList<>, TypeList<Encoder...>> {
  using type = typename Mirror<TypeList<>, TypeList<>, Encoder...>::type;
};

// Takes the kind of heads, if one is named, off the end of the decoder's layers.
template <class Kept, class... Rest>
struct SplitHeads {
  using DecoderList = Kept;
  using Heads = IndependentHeads;
};
template <class Kept, class First, class... Rest>
struct SplitHeads<Kept, First, Rest...> : SplitHeads<typename Append<Kept, First>::type, Rest...> {};
template <class Kept>
struct SplitHeads<Kept, IndependentHeads> {
  using DecoderList = Kept;
  using Heads = IndependentHeads;
};
template <class Kept, Index Width, class Rate>
struct SplitHeads<Kept, AutoregressiveHeads<Width, Rate>> {
  using DecoderList = Kept;
  using Heads = AutoregressiveHeads<Width, Rate>;
};
template <class Kept, Index Most>
struct SplitHeads<Kept, JointHeads<Most>> {
  using DecoderList = Kept;
  using Heads = JointHeads<Most>;
};
template <class List>
struct SplitHeadsOf;
template <class... T>
struct SplitHeadsOf<TypeList<T...>> : SplitHeads<TypeList<>, T...> {};

template <class... Layers>
struct AutoencoderCheck {
  static constexpr std::size_t latents = (std::size_t{IsLatent<Layers>::value} + ... + 0);
  static_assert(latents != 0, "an Autoencoder needs exactly one Latent<N>, but has none: write "
                              "Autoencoder<Dense<256>, ReLU, Latent<32>>");
  static_assert(latents <= 1,
                "an Autoencoder needs exactly one Latent<N>, but has several: keep the bottleneck "
                "and make the others Dense<N>");
};

template <class... Layers>
concept HasOneLatent = (std::size_t{IsLatent<Layers>::value} + ... + 0) == 1;

template <class... Layers>
struct AutoencoderParts {
  using Cut = CutAtLatent<TypeList<>, Layers...>;
  using AfterLatent = SplitHeadsOf<typename Cut::Decoder>;
  using Heads = typename AfterLatent::Heads;
  using Encoder = typename AsSequential<typename Cut::Encoder>::type;
  using DecoderLayers = typename DecoderOrMirror<Heads::mirror_decoder, typename AfterLatent::DecoderList,
                                                 typename Cut::Encoder>::type;
  using Decoder = typename AsSequential<DecoderLayers>::type;
};

} // namespace detail

/// An autoencoder for encoded table rows: layers, one `Latent<N>`, optionally the decoder's layers and the
/// kind of heads. Holds where its weights lie in a flat vector, not the weights.
template <class... Layers>
class Autoencoder : detail::AutoencoderCheck<Layers...> {
public:
  // Reached only when the check above has failed; takes anything, so that its sentence is the only error.
  template <class... Arguments>
  explicit Autoencoder(Arguments&&...);
};

template <class... Layers>
requires detail::HasOneLatent<Layers...>
class Autoencoder<Layers...> : detail::DeployedCheck<Layers...> {
  using Parts = detail::AutoencoderParts<Layers...>;

public:
  static constexpr Index latent_width = Parts::Cut::width;
  using Heads = typename Parts::Heads;
  using EncoderLayers = typename Parts::Encoder;
  using DecoderLayers = typename Parts::Decoder;
  static_assert(EncoderLayers::size > 0,
                "an Autoencoder needs at least one layer before Latent: write Dense<128>, ReLU, Latent<32>");

  /// \param encoder      fitted to the training rows
  /// \param variational  the latent code is drawn from N(μ, e^s) instead of being a point
  /// \param label_weight  factor on the loss of the label's head
  /// \param rows          the encoded training rows, for heads that look at them
  explicit Autoencoder(const TableEncoder& encoder, bool variational = false, double label_weight = 1,
                       const HeadRows& rows = {})
      : code_offsets_(encoder.code_offsets()), input_width_(encoder.width()), variational_(variational) {
    for (const auto& stretch : encoder.layout())
      if (!stretch.categorical)
        number_weights_.push_back(stretch.offset);
    const Index active = static_cast<Index>(encoder.layout().size());
    const Index width = encoder_.configure(input_width_, layout_, "encoder", active);
    latent_weight_ = layout_.add("latent.weight", width, latent_outputs(), Initialiser::xavier_uniform);
    latent_bias_ = layout_.add("latent.bias", 1, latent_outputs(), Initialiser::zeros);
    decoder_offset_ = layout_.size();
    const Index decoder_width = decoder_.configure(latent_width, layout_, "decoder");
    heads_.configure(decoder_width, encoder, label_weight, rows, layout_);
  }

  const ParameterLayout& layout() const noexcept { return layout_; }
  bool variational() const noexcept { return variational_; }
  /// Width of an encoded row.
  Index input_width() const noexcept { return input_width_; }
  /// First output of each code column, and the outputs that are numbers.
  const std::vector<std::int32_t>& code_offsets() const noexcept { return code_offsets_; }
  const std::vector<std::int32_t>& number_weights() const noexcept { return number_weights_; }

  /// Fresh weights.
  template <class Scalar>
  AlignedBuffer<Scalar> initialise(std::uint64_t seed) const {
    auto values = layout_.template initialise<Scalar>(seed);
    if (variational_)
      std::fill_n(values.data() + latent_bias_.offset + latent_width, latent_width,
                  static_cast<Scalar>(log_variance_start));
    if constexpr (requires { heads_.start(values.data()); })
      heads_.start(values.data());
    return values;
  }
  /// Where in the vector of weights those of decoder and heads begin; they go on to its end.
  Index decoder_offset() const noexcept { return decoder_offset_; }

  /// The latent code, rows × latent_width; if variational, [μ | s], rows × 2 latent_width.
  template <class Scalar>
  Variable<Scalar> encode(const BoundParameters<Scalar>& parameters, const MixedRows<Scalar>& rows,
                          const Pass& pass) const {
    const auto code =
        dense(encoder_.forward(parameters, rows, pass), parameters[latent_weight_], parameters[latent_bias_]);
    return variational_ ? clamp(code, static_cast<Scalar>(log_variance_least),
                                static_cast<Scalar>(log_variance_most), latent_width)
                        : code;
  }
  /// weight · Σ over rows of the heads' loss, from the latent code.
  template <class Scalar>
  Variable<Scalar> reconstruction_loss(const BoundParameters<Scalar>& parameters,
                                       const Variable<Scalar>& latent, const MixedRows<Scalar>& rows,
                                       const Pass& pass, double weight) const {
    return heads_.loss(parameters, decoder_.forward(parameters, latent, pass), rows, pass, weight);
  }
  /// Numbers and logits of heads that are independent of each other, from the latent code.
  template <class Scalar>
  Variable<Scalar> outputs(const BoundParameters<Scalar>& parameters, const Variable<Scalar>& latent,
                           const Pass& pass) const {
    return heads_.outputs(parameters, decoder_.forward(parameters, latent, pass));
  }
  const Heads& heads() const noexcept { return heads_; }
  /// Reconstruction loss of `rows`, weight · Σ: every head's mean-squared error or cross-entropy, plus
  /// `kl_weight` times the Kullback–Leibler term if variational.
  template <class Scalar>
  Variable<Scalar> loss(const BoundParameters<Scalar>& parameters, const MixedRows<Scalar>& rows,
                        const Pass& pass, double weight, double kl_weight) const {
    const auto code = encode(parameters, rows, pass);
    if (!variational_)
      return reconstruction_loss(parameters, code, rows, pass, weight);
    const auto latent = reparameterise(code, pass.stream(Purpose::latent_noise, 0), pass.first_row);
    return add(reconstruction_loss(parameters, latent, rows, pass, weight),
               gaussian_kl(code, weight * kl_weight));
  }

  /// The trained halves, without a tape. The encoder's network gives the latent code (μ if variational), the
  /// posterior's [μ | s].
  InferenceNetwork encoder_network(const float* values) const {
    InferenceNetwork network;
    encoder_.append_to(network, values, input_width_);
    InferenceLayer layer = linear_layer(values, latent_weight_, latent_bias_);
    network.add(variational_ ? keep_outputs(layer, latent_width) : std::move(layer));
    return network;
  }
  InferenceNetwork posterior_network(const float* values) const {
    InferenceNetwork network;
    encoder_.append_to(network, values, input_width_);
    network.add(linear_layer(values, latent_weight_, latent_bias_));
    return network;
  }
  InferenceNetwork decoder_network(const float* values) const {
    InferenceNetwork network;
    decoder_.append_to(network, values, latent_width);
    heads_.append_to(network, values);
    return network;
  }
  /// The trained heads: one of `TrainedHeads`.
  auto heads_network(const float* values) const { return heads_.network(values); }

private:
  Index latent_outputs() const { return variational_ ? 2 * latent_width : latent_width; }

  static InferenceLayer keep_outputs(const InferenceLayer& from, Index outputs) {
    InferenceLayer layer;
    layer.inputs = from.inputs;
    layer.outputs = outputs;
    layer.weight.resize(static_cast<std::size_t>(from.inputs * outputs));
    layer.bias.resize(static_cast<std::size_t>(outputs));
    for (Index r = 0; r < from.inputs; ++r)
      std::copy_n(from.weight.data() + r * from.outputs, outputs, layer.weight.data() + r * outputs);
    std::copy_n(from.bias.data(), outputs, layer.bias.data());
    return layer;
  }

  std::vector<std::int32_t> code_offsets_;
  std::vector<std::int32_t> number_weights_;
  Index input_width_;
  bool variational_;
  ParameterLayout layout_;
  EncoderLayers encoder_;
  DecoderLayers decoder_;
  Heads heads_;
  ParameterBlock latent_weight_;
  ParameterBlock latent_bias_;
  Index decoder_offset_ = 0;
};

ROWSMITH_END
