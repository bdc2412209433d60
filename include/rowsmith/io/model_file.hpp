// SPDX-License-Identifier: MIT
/// \file
/// Saves and loads trained models; docs/model-file.md describes the format.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include <rowsmith/io/curve_json.hpp>
#include <rowsmith/io/guide_json.hpp>
#include <rowsmith/io/heads_json.hpp>
#include <rowsmith/io/model_json.hpp>
#include <rowsmith/io/preparation_json.hpp>
#include <rowsmith/io/privacy_json.hpp>
#include <rowsmith/io/safetensors.hpp>
#include <rowsmith/models/table_model.hpp>

ROWSMITH_BEGIN

/// The newest version of the format. Version 2 brought preparations; 3 atoms, and autoregressive heads that
/// embed codes; 4 orders, nested missing cells, coincidences and
/// categories that share codes; 5 guides, dates in parts of the calendar or as days behind others, and whole
/// numbers that are counted from an origin; 6 private models; 7 a linear path between columns.
inline constexpr int model_format_version = 7;

namespace detail {

inline nlohmann::json network_json(const InferenceNetwork& network, const std::string& name,
                                   TensorFile& file) {
  nlohmann::json layers = nlohmann::json::array();
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const auto& layer = network.layers()[i];
    const std::string prefix = name + "." + std::to_string(i);
    layers.push_back({{"kind", layer_kind_names[static_cast<std::size_t>(layer.kind)]},
                      {"inputs", layer.inputs},
                      {"outputs", layer.outputs},
                      {"activation", activation_names[static_cast<std::size_t>(layer.activation.kind)]},
                      {"slope", layer.activation.slope}});
    if (layer.kind == InferenceLayer::Kind::activation)
      continue;
    const bool dense = layer.kind == InferenceLayer::Kind::dense;
    file.tensors[prefix + ".weight"] = {dense ? std::vector<std::int64_t>{layer.inputs, layer.outputs}
                                              : std::vector<std::int64_t>{layer.outputs},
                                        layer.weight};
    file.tensors[prefix + ".bias"] = {{layer.outputs}, layer.bias};
  }
  return layers;
}

/// \param may_be_empty  a network without layers passes its input on
inline InferenceNetwork network_from(const nlohmann::json& layers, const std::string& name, TensorFile& file,
                                     bool may_be_empty = false) {
  InferenceNetwork network;
  std::size_t i = 0;
  for (const auto& entry : array_of(layers, name)) {
    InferenceLayer layer;
    layer.kind = static_cast<InferenceLayer::Kind>(choice(entry, "kind", layer_kind_names));
    layer.inputs = integer(entry, "inputs", 1, 1 << 24);
    layer.outputs = integer(entry, "outputs", 1, 1 << 24);
    layer.activation.kind = static_cast<ActivationKind>(choice(entry, "activation", activation_names));
    layer.activation.slope = number(entry, "slope");
    if (!(layer.activation.slope > 0))
      throw ModelFileError("network '" + name + "': a slope that is not positive");
    const std::string prefix = name + "." + std::to_string(i++);
    if (layer.kind != InferenceLayer::Kind::activation) {
      layer.weight = take_tensor(file, prefix + ".weight",
                                 layer.kind == InferenceLayer::Kind::dense
                                     ? std::vector<std::int64_t>{layer.inputs, layer.outputs}
                                     : std::vector<std::int64_t>{layer.outputs});
      layer.bias = take_tensor(file, prefix + ".bias", {layer.outputs});
    }
    network.add(std::move(layer));
  }
  if (network.empty() && !may_be_empty)
    throw ModelFileError("network '" + name + "' has no layers");
  return network;
}

inline nlohmann::json mixture_json(const GaussianMixture& mixture, TensorFile& file) {
  const Index parts = mixture.components();
  if (parts > 0) {
    put_vector(file, "mixture.means", mixture.means, {parts, mixture.width});
    put_vector(file, "mixture.factors", mixture.factors, {parts, mixture.width, mixture.width});
  }
  return {{"components", parts}, {"shares", mixture.shares}};
}
inline GaussianMixture mixture_from(const nlohmann::json& json, std::size_t labels, Index width,
                                    TensorFile& file) {
  GaussianMixture mixture;
  const auto parts = integer(json, "components", 0, 65536);
  mixture.shares = numbers(json, "shares");
  const std::size_t rows = std::max<std::size_t>(labels, 1);
  if (mixture.shares.size() != (parts == 0 ? 0 : rows * static_cast<std::size_t>(parts)))
    throw ModelFileError("mixture: expected a share for each component and label");
  if (parts == 0)
    return mixture;
  mixture.width = width;
  mixture.means = take_vector(file, "mixture.means", {parts, width});
  mixture.factors = take_vector(file, "mixture.factors", {parts, width, width});
  return mixture;
}

/// The order of heads that have one; otherwise an empty one.
inline const AutoregressiveOrder& order_of(const TrainedHeads& heads) {
  static const AutoregressiveOrder none;
  if (const auto* plain = std::get_if<AutoregressiveNetwork>(&heads))
    return plain->order;
  const auto* mixed = std::get_if<MixedNetwork>(&heads);
  return mixed != nullptr ? mixed->neural.order : none;
}

/// The oldest version that can say what a model is: older libraries read files that need nothing newer.
inline int needed_version(const TableModelParts& model) {
  if (!order_of(model.heads).path().columns.empty())
    return 7;
  if (!model.privacy.empty() || !order_of(model.heads).parents().empty())
    return 6;
  // Older libraries would write distances for numbers that are counted from an origin.
  const auto format = model.notes.find("format");
  if (!model.guide.empty() ||
      (format != model.notes.end() && format->second.find("\"origin\"") != std::string::npos))
    return 5;
  const auto& transforms = model.preparation.transforms();
  if (std::any_of(transforms.begin(), transforms.end(), [](const auto& one) {
        return std::holds_alternative<CalendarColumn>(one) || std::holds_alternative<FollowingDate>(one);
      }))
    return 5;
  if (std::any_of(transforms.begin(), transforms.end(), [](const auto& one) {
        return !std::holds_alternative<ConstantColumn>(one) && !std::holds_alternative<FormulaColumn>(one) &&
               !std::holds_alternative<LookupColumn>(one);
      }))
    return 4;
  const auto& codecs = model.encoder.codecs();
  if (std::any_of(codecs.begin(), codecs.end(), [](const ColumnCodec& codec) { return codec.groups() > 0; }))
    return 4;
  if (draws_in_order(model.heads) || std::any_of(codecs.begin(), codecs.end(), [](const ColumnCodec& codec) {
        return !codec.atoms.empty();
      }))
    return 3;
  if (std::any_of(transforms.begin(), transforms.end(),
                  [](const auto& one) { return std::holds_alternative<LookupColumn>(one); }))
    return 3;
  return transforms.empty() ? 1 : 2;
}

} // namespace detail

/// The model as a container. \throws ModelFileError if a text is not valid UTF-8
inline TensorFile pack_model(const TableModel& packed) {
  const TableModelParts& model = packed.parts();
  TensorFile file;
  nlohmann::json json;
  json["schema"] = detail::schema_json(model.encoder.schema());
  if (!model.preparation.transforms().empty())
    json["preparation"] = detail::preparation_json(model.preparation);
  json["columns"] = nlohmann::json::array();
  for (const auto& codec : model.encoder.codecs())
    json["columns"].push_back(detail::codec_json(codec));
  json["networks"]["encoder"] = detail::network_json(model.encoder_network, "encoder", file);
  json["networks"]["generator"] = detail::network_json(model.generator_network, "generator", file);
  json["networks"]["decoder"] = detail::network_json(model.decoder_network, "decoder", file);
  json["residual_generator"] = model.generator_network.residual();
  json["mixture"] = detail::mixture_json(model.mixture, file);
  json["heads"] =
      std::visit([&file](const auto& kind) { return detail::heads_json(kind, file); }, model.heads);
  if (!model.guide.empty())
    json["guide"] = detail::guide_json(model.guide, file);
  if (!model.privacy.empty())
    json["privacy"] = detail::privacy_json(model.privacy);
  if (!model.curves.empty())
    json["training"] = detail::curves_json(model.curves);
  detail::put_vector(file, "latent.scale", model.latent_scale);
  detail::put_vector(file, "latent.offset", model.latent_offset);
  if (!model.latent_bound.empty())
    detail::put_vector(file, "latent.bound", model.latent_bound);
  json["noise_width"] = model.noise_width;
  json["labels"] = model.labels;
  json["label_shares"] = model.label_shares;
  json["decoding"] = to_string(model.decoding);
  json["temperature"] = model.temperature;
  json["notes"] = model.notes;
  file.metadata["model"] = detail::dump_json(json);
  file.metadata["format"] = "rowsmith";
  file.metadata["format_version"] = std::to_string(detail::needed_version(model));
  file.metadata["library_version"] = ROWSMITH_VERSION;
  return file;
}

/// The reverse. Nothing in `file` is trusted. \throws ModelFileError saying what is wrong
inline TableModel unpack_model(TensorFile file) {
  return detail::model_file_errors([&file] {
    if (file.metadata["format"] != "rowsmith")
      throw ModelFileError("the file is not a rowsmith model");
    const auto& version = file.metadata["format_version"];
    if (version.size() != 1 || version[0] < '1' || version[0] > '0' + model_format_version)
      throw ModelFileError("the file has format version '" + version +
                           "', this library reads versions 1 to " + std::to_string(model_format_version));
    const auto json = nlohmann::json::parse(file.metadata["model"], nullptr, false);
    if (!json.is_object())
      throw ModelFileError("metadata 'model' is not a JSON object");
    TableModelParts model;
    std::vector<ColumnCodec> codecs;
    for (const auto& entry : detail::array_of(detail::member(json, "columns"), "columns"))
      codecs.push_back(detail::codec_from(entry));
    model.encoder = TableEncoder(std::move(codecs), detail::schema_from(detail::member(json, "schema")));
    if (json.contains("preparation"))
      model.preparation = detail::preparation_from(json["preparation"]);
    const auto& networks = detail::member(json, "networks");
    model.encoder_network = detail::network_from(detail::member(networks, "encoder"), "encoder", file);
    model.generator_network = detail::network_from(detail::member(networks, "generator"), "generator", file);
    model.generator_network.set_residual(detail::boolean(json, "residual_generator"));
    model.heads = detail::heads_from(detail::member(json, "heads"), model.encoder, file);
    model.decoder_network = detail::network_from(detail::member(networks, "decoder"), "decoder", file,
                                                 draws_in_order(model.heads));
    if (json.contains("guide"))
      model.guide = detail::guide_from(json["guide"], file);
    const auto latent = static_cast<std::int64_t>(model.latent_width());
    model.latent_scale = detail::take_vector(file, "latent.scale", {latent});
    model.latent_offset = detail::take_vector(file, "latent.offset", {latent});
    if (file.tensors.contains("latent.bound"))
      model.latent_bound = detail::take_vector(file, "latent.bound", {latent});
    model.noise_width = detail::integer(json, "noise_width", 1, 1 << 24);
    model.labels = detail::texts(json, "labels");
    model.mixture =
        detail::mixture_from(detail::member(json, "mixture"), model.labels.size(), model.noise_width, file);
    if (!file.tensors.empty())
      throw ModelFileError("tensor '" + file.tensors.begin()->first + "' belongs to no part of the model");
    model.label_shares = detail::numbers(json, "label_shares");
    model.decoding = static_cast<Decoding>(detail::choice(json, "decoding", detail::decoding_names));
    model.temperature = detail::number(json, "temperature");
    if (json.contains("privacy"))
      model.privacy = detail::privacy_from(json["privacy"]);
    if (json.contains("training"))
      model.curves = detail::curves_from(json["training"]);
    const auto& notes = detail::member(json, "notes");
    if (!notes.is_object())
      throw ModelFileError("notes: expected an object of texts");
    for (const auto& [key, value] : notes.items()) {
      if (!value.is_string())
        throw ModelFileError("notes: expected an object of texts");
      model.notes[key] = value.get<std::string>();
    }
    return TableModel(std::move(model));
  });
}

/// The model as the bytes of a file. \throws ModelFileError if a text is not valid UTF-8
inline std::string format_model(const TableModel& model) { return format_tensor_file(pack_model(model)); }

/// The reverse. Nothing in `bytes` is trusted. \throws ModelFileError saying what is wrong
inline TableModel parse_model(std::string_view bytes) { return unpack_model(parse_tensor_file(bytes)); }

/// Writes the model to a file: to a temporary one first, then renamed. \throws Error if that fails
inline void save_model(const TableModel& model, const std::string& path) {
  write_tensor_file(path, pack_model(model));
}

/// Does the file begin as the file of a model does? Whether it is whole `load_model` says.
inline bool looks_like_model(const std::string& path) { return detail::begins_as_tensor_file(path); }

/// \throws ModelFileError naming the file, if it is not a whole, unaltered model
inline TableModel load_model(const std::string& path) {
  return detail::model_file_errors([&path] { return parse_model(detail::read_bytes(path)); }, path + ": ");
}

ROWSMITH_END
