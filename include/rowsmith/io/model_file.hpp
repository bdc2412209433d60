// SPDX-License-Identifier: MIT
/// \file
/// Saves and loads trained models; docs/model-file.md describes the format.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <rowsmith/io/model_json.hpp>
#include <rowsmith/io/safetensors.hpp>
#include <rowsmith/models/table_model.hpp>

ROWSMITH_BEGIN

/// The version of the format that this library writes and the only one it reads.
inline constexpr int model_format_version = 1;

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

inline AlignedBuffer<float> take_tensor(TensorFile& file, const std::string& name,
                                        const std::vector<std::int64_t>& shape) {
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end())
    throw ModelFileError("tensor '" + name + "' is missing");
  if (found->second.shape != shape)
    throw ModelFileError("tensor '" + name + "' has the wrong shape");
  for (const float value : found->second.values)
    if (!std::isfinite(value))
      throw ModelFileError("tensor '" + name + "' holds a number that is not finite");
  auto values = std::move(found->second.values);
  file.tensors.erase(found);
  return values;
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
    try {
      network.add(std::move(layer));
    } catch (const ShapeError& error) {
      throw ModelFileError("network '" + name + "': " + error.what());
    }
  }
  if (network.empty() && !may_be_empty)
    throw ModelFileError("network '" + name + "' has no layers");
  return network;
}

/// Calls `visit(name, buffer, rows, columns)` for each weight of autoregressive heads.
template <class Heads, class Visit>
void each_heads_tensor(Heads& heads, const Visit& visit) {
  const auto shape = heads.shape();
  auto& weights = heads.weights;
  visit("heads.latent_weight", weights.latent_weight, shape.columns * shape.latent, shape.width);
  visit("heads.bias", weights.bias, shape.columns, shape.width);
  visit("heads.tables", weights.tables, shape.table_rows[shape.columns], shape.width);
  visit("heads.hidden_weight", weights.hidden_weight, shape.columns * shape.width, shape.width);
  visit("heads.hidden_bias", weights.hidden_bias, shape.columns, shape.width);
  visit("heads.output_weight", weights.output_weight, shape.codes(), shape.width);
  visit("heads.output_bias", weights.output_bias, Index{1}, shape.codes());
}

inline nlohmann::json heads_json(const AutoregressiveNetwork& heads, const JointCodes& joint, TensorFile& file) {
  if (heads.empty() && joint.empty())
    return {{"kind", head_kind_names[0]}};
  if (heads.empty()) {
    auto groups = nlohmann::json::array();
    for (const auto& group : joint.groups)
      groups.push_back({{"columns", group.columns}, {"combinations", group.combinations}});
    return {{"kind", head_kind_names[2]}, {"groups", groups}};
  }
  each_heads_tensor(heads, [&file](const char* name, const auto& buffer, Index rows, Index columns) {
    file.tensors[name] = {{rows, columns}, buffer};
  });
  return {{"kind", head_kind_names[1]},
          {"width", heads.width},
          {"inputs", heads.inputs},
          {"order", heads.order.order()}};
}

/// A list of integers in [0, below).
inline std::vector<std::int32_t> small_integers(const nlohmann::json& json, std::string_view name,
                                                std::int64_t below) {
  std::vector<std::int32_t> values;
  for (const auto& entry : array_of(member(json, name), name)) {
    if (!entry.is_number_integer() || entry.get<std::int64_t>() < 0 || entry.get<std::int64_t>() >= below)
      throw ModelFileError("heads: '" + std::string(name) + "' is not a list of integers from 0 to " +
                           std::to_string(below - 1));
    values.push_back(static_cast<std::int32_t>(entry.get<std::int64_t>()));
  }
  return values;
}

inline AutoregressiveNetwork autoregressive_from(const nlohmann::json& json, const TableEncoder& encoder,
                                                 TensorFile& file) {
  AutoregressiveNetwork heads;
  heads.width = integer(json, "width", 1, 1 << 24);
  heads.inputs = integer(json, "inputs", 1, 1 << 24);
  try {
    heads.order = AutoregressiveOrder(
        encoder, small_integers(json, "order", static_cast<std::int64_t>(encoder.layout().size())));
  } catch (const OptionError& error) {
    throw ModelFileError(std::string("heads: ") + error.what());
  } catch (const ShapeError& error) {
    throw ModelFileError(std::string("heads: ") + error.what());
  }
  each_heads_tensor(heads, [&file](const char* name, auto& buffer, Index rows, Index columns) {
    buffer = take_tensor(file, name, {rows, columns});
  });
  return heads;
}

inline JointCodes joint_from(const nlohmann::json& json, const TableEncoder& encoder) {
  const auto& layout = encoder.layout();
  const auto require = [](bool fine, const char* what) {
    if (!fine)
      throw ModelFileError(std::string("heads: ") + what);
  };
  require(encoder.number_columns() == 0, "joint heads need every column as codes");
  std::vector<bool> seen(layout.size());
  JointCodes joint;
  for (const auto& entry : array_of(member(json, "groups"), "groups")) {
    JointCodes::Group group;
    group.columns = small_integers(entry, "columns", static_cast<std::int64_t>(layout.size()));
    group.combinations = small_integers(entry, "combinations", std::numeric_limits<std::int32_t>::max());
    const std::size_t width = group.columns.size();
    require(width > 0 && !group.combinations.empty() && group.combinations.size() % width == 0,
            "a group of joint heads has no columns or no whole combinations");
    for (const auto column : group.columns) {
      require(!seen[static_cast<std::size_t>(column)], "a column is in two groups of joint heads");
      seen[static_cast<std::size_t>(column)] = true;
    }
    for (std::size_t i = 0; i < group.combinations.size(); ++i)
      require(group.combinations[i] < layout[static_cast<std::size_t>(group.columns[i % width])].width,
              "a combination of joint heads holds a code that its column does not have");
    for (std::int32_t k = 1; k < group.width(); ++k)
      require(std::lexicographical_compare(group.combination(k - 1), group.combination(k), group.combination(k),
                                           group.combination(k) + width),
              "the combinations of joint heads do not rise");
    joint.groups.push_back(std::move(group));
  }
  require(std::find(seen.begin(), seen.end(), false) == seen.end(), "a column is in no group of joint heads");
  return joint;
}

inline nlohmann::json mixture_json(const GaussianMixture& mixture, TensorFile& file) {
  const Index parts = mixture.components();
  if (parts > 0) {
    const auto tensor = [&](const char* name, std::vector<std::int64_t> shape, const std::vector<float>& values) {
      Tensor made{std::move(shape), AlignedBuffer<float>(values.size())};
      std::copy(values.begin(), values.end(), made.values.begin());
      file.tensors[name] = std::move(made);
    };
    tensor("mixture.means", {parts, mixture.width}, mixture.means);
    tensor("mixture.factors", {parts, mixture.width, mixture.width}, mixture.factors);
  }
  return {{"components", parts}, {"shares", mixture.shares}};
}
inline GaussianMixture mixture_from(const nlohmann::json& json, std::size_t labels, Index width, TensorFile& file) {
  GaussianMixture mixture;
  const auto parts = integer(json, "components", 0, 65536);
  mixture.shares = numbers(json, "shares");
  const std::size_t rows = std::max<std::size_t>(labels, 1);
  if (mixture.shares.size() != (parts == 0 ? 0 : rows * static_cast<std::size_t>(parts)) ||
      std::any_of(mixture.shares.begin(), mixture.shares.end(), [](double x) { return x < 0 || x > 1; }))
    throw ModelFileError("mixture: expected a share from 0 to 1 for each component and label");
  if (parts == 0)
    return mixture;
  mixture.width = width;
  const auto means = take_tensor(file, "mixture.means", {parts, width});
  const auto factors = take_tensor(file, "mixture.factors", {parts, width, width});
  mixture.means.assign(means.begin(), means.end());
  mixture.factors.assign(factors.begin(), factors.end());
  return mixture;
}

inline void check_model(const TableModel& model) {
  const auto require = [](bool fine, const char* what) {
    if (!fine)
      throw ModelFileError(std::string("the parts of the model do not fit together: ") + what);
  };
  const Index latent = model.latent_width();
  require(model.encoder_network.inputs() == model.encoder.width(), "encoder's inputs and the columns' codes");
  require(model.encoder_network.layers().front().kind == InferenceLayer::Kind::dense,
          "the encoder's first layer is not dense");
  require(model.encoder_network.outputs() == latent, "encoder's outputs and decoder's inputs");
  if (model.heads.empty())
    require(model.decoder_network.outputs() ==
                (model.joint.empty() ? model.encoder.width() : model.joint.width()),
            "decoder's outputs and the columns' codes");
  else if (!model.decoder_network.empty())
    require(model.decoder_network.outputs() == model.heads.inputs, "decoder's outputs and the heads' inputs");
  require(model.generator_network.outputs() == latent, "generator's outputs and decoder's inputs");
  require(model.generator_network.inputs() == model.noise_width + static_cast<Index>(model.labels.size()),
          "generator's inputs, noise and labels");
  require(!model.generator_network.residual() || model.noise_width == latent,
          "a residual generator's noise and its outputs");
  require(model.labels.size() == model.label_shares.size(), "labels and their shares");
  if (model.conditional()) {
    const auto& name = model.encoder.schema().label();
    require(!name.empty() &&
                model.encoder.codecs()[model.encoder.schema().index_of(name)].categories == model.labels,
            "labels and the label column's categories");
  }
}

} // namespace detail

/// The model as a container. \throws ModelFileError if a text is not valid UTF-8
inline TensorFile pack_model(const TableModel& model) {
  TensorFile file;
  nlohmann::json json;
  json["schema"] = detail::schema_json(model.encoder.schema());
  json["columns"] = nlohmann::json::array();
  for (const auto& codec : model.encoder.codecs())
    json["columns"].push_back(detail::codec_json(codec));
  json["networks"]["encoder"] = detail::network_json(model.encoder_network, "encoder", file);
  json["networks"]["generator"] = detail::network_json(model.generator_network, "generator", file);
  json["networks"]["decoder"] = detail::network_json(model.decoder_network, "decoder", file);
  json["residual_generator"] = model.generator_network.residual();
  json["mixture"] = detail::mixture_json(model.mixture, file);
  json["heads"] = detail::heads_json(model.heads, model.joint, file);
  const auto vector_tensor = [&file](const std::string& name, const std::vector<float>& values) {
    Tensor tensor{{static_cast<std::int64_t>(values.size())}, AlignedBuffer<float>(values.size())};
    std::copy(values.begin(), values.end(), tensor.values.begin());
    file.tensors[name] = std::move(tensor);
  };
  vector_tensor("latent.scale", model.latent_scale);
  vector_tensor("latent.offset", model.latent_offset);
  if (!model.latent_bound.empty())
    vector_tensor("latent.bound", model.latent_bound);
  json["noise_width"] = model.noise_width;
  json["labels"] = model.labels;
  json["label_shares"] = model.label_shares;
  json["decoding"] = to_string(model.decoding);
  json["temperature"] = model.temperature;
  json["notes"] = model.notes;
  try {
    file.metadata["model"] = json.dump();
  } catch (const nlohmann::json::exception&) {
    throw ModelFileError("a column name or category is not valid UTF-8, which a model file cannot hold");
  }
  file.metadata["format"] = "rowsmith";
  file.metadata["format_version"] = std::to_string(model_format_version);
  file.metadata["library_version"] = ROWSMITH_VERSION;
  return file;
}

/// The reverse. Nothing in `file` is trusted. \throws ModelFileError saying what is wrong
inline TableModel unpack_model(TensorFile file) {
  if (file.metadata["format"] != "rowsmith")
    throw ModelFileError("the file is not a rowsmith model");
  if (file.metadata["format_version"] != std::to_string(model_format_version))
    throw ModelFileError("the file has format version '" + file.metadata["format_version"] +
                         "', this library reads version " + std::to_string(model_format_version));
  const auto json = nlohmann::json::parse(file.metadata["model"], nullptr, false);
  if (!json.is_object())
    throw ModelFileError("metadata 'model' is not a JSON object");
  TableModel model;
  try {
    std::vector<ColumnCodec> codecs;
    for (const auto& entry : detail::array_of(detail::member(json, "columns"), "columns"))
      codecs.push_back(detail::codec_from(entry));
    model.encoder = TableEncoder(std::move(codecs), detail::schema_from(detail::member(json, "schema")));
  } catch (const SchemaError& error) {
    throw ModelFileError(error.what());
  }
  const auto& networks = detail::member(json, "networks");
  model.encoder_network = detail::network_from(detail::member(networks, "encoder"), "encoder", file);
  model.generator_network = detail::network_from(detail::member(networks, "generator"), "generator", file);
  if (model.generator_network.inputs() < model.generator_network.outputs() &&
      detail::boolean(json, "residual_generator"))
    throw ModelFileError("residual_generator: the generator has fewer inputs than outputs");
  model.generator_network.set_residual(detail::boolean(json, "residual_generator"));
  const auto& heads = detail::member(json, "heads");
  const auto kind = detail::choice(heads, "kind", detail::head_kind_names);
  if (kind == 1)
    model.heads = detail::autoregressive_from(heads, model.encoder, file);
  else if (kind == 2)
    model.joint = detail::joint_from(heads, model.encoder);
  model.decoder_network =
      detail::network_from(detail::member(networks, "decoder"), "decoder", file, !model.heads.empty());
  const auto latent = static_cast<std::int64_t>(model.latent_width());
  const auto scale = detail::take_tensor(file, "latent.scale", {latent});
  const auto offset = detail::take_tensor(file, "latent.offset", {latent});
  model.latent_scale.assign(scale.begin(), scale.end());
  model.latent_offset.assign(offset.begin(), offset.end());
  if (file.tensors.contains("latent.bound")) {
    const auto bound = detail::take_tensor(file, "latent.bound", {latent});
    if (std::any_of(bound.begin(), bound.end(), [](float value) { return !(value > 0 && value < 1); }))
      throw ModelFileError("tensor 'latent.bound': expected numbers between 0 and 1");
    model.latent_bound.assign(bound.begin(), bound.end());
  }
  model.noise_width = detail::integer(json, "noise_width", 1, 1 << 24);
  model.labels = detail::texts(json, "labels");
  model.mixture = detail::mixture_from(detail::member(json, "mixture"), model.labels.size(), model.noise_width, file);
  if (!file.tensors.empty())
    throw ModelFileError("tensor '" + file.tensors.begin()->first + "' belongs to no part of the model");
  for (const auto& share : detail::array_of(detail::member(json, "label_shares"), "label_shares")) {
    if (!share.is_number() || !(share.get<double>() >= 0 && share.get<double>() <= 1))
      throw ModelFileError("label_shares: expected numbers from 0 to 1");
    model.label_shares.push_back(share.get<double>());
  }
  model.decoding = static_cast<Decoding>(detail::choice(json, "decoding", detail::decoding_names));
  model.temperature = detail::number(json, "temperature");
  if (!(model.temperature > 0 && model.temperature <= 10))
    throw ModelFileError("temperature: expected 0 < temperature <= 10");
  const auto& notes = detail::member(json, "notes");
  if (!notes.is_object())
    throw ModelFileError("notes: expected an object of texts");
  for (const auto& [key, value] : notes.items()) {
    if (!value.is_string())
      throw ModelFileError("notes: expected an object of texts");
    model.notes[key] = value.get<std::string>();
  }
  detail::check_model(model);
  return model;
}

/// The model as the bytes of a file. \throws ModelFileError if a text is not valid UTF-8
inline std::string format_model(const TableModel& model) { return format_tensor_file(pack_model(model)); }

/// The reverse. Nothing in `bytes` is trusted. \throws ModelFileError saying what is wrong
inline TableModel parse_model(std::string_view bytes) { return unpack_model(parse_tensor_file(bytes)); }

/// Writes the model to a file: to a temporary one first, then renamed. \throws Error if that fails
inline void save_model(const TableModel& model, const std::string& path) {
  write_tensor_file(path, pack_model(model));
}

/// \throws ModelFileError naming the file, if it is not a whole, unaltered model
inline TableModel load_model(const std::string& path) {
  TensorFile file = read_tensor_file(path);
  try {
    return unpack_model(std::move(file));
  } catch (const ModelFileError& error) {
    throw ModelFileError(path + ": " + error.what());
  }
}

ROWSMITH_END
