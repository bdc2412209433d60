// SPDX-License-Identifier: MIT
/// \file
/// Heads of each kind in a model file: `heads_json(heads, file)` and a reader named in `heads_from`.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <rowsmith/io/model_json.hpp>
#include <rowsmith/io/safetensors.hpp>
#include <rowsmith/models/trained_heads.hpp>

ROWSMITH_BEGIN
namespace detail {

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

inline nlohmann::json heads_json(const IndependentNetwork&, TensorFile&) { return {{"kind", "independent"}}; }
inline nlohmann::json heads_json(const JointCodes& joint, TensorFile&) {
  auto groups = nlohmann::json::array();
  for (const auto& group : joint.groups)
    groups.push_back({{"columns", group.columns}, {"combinations", group.combinations}});
  return {{"kind", "joint"}, {"groups", groups}};
}
inline nlohmann::json heads_json(const AutoregressiveNetwork& heads, TensorFile& file) {
  each_heads_tensor(heads, [&file](const char* name, const auto& buffer, Index rows, Index columns) {
    file.tensors[name] = {{rows, columns}, buffer};
  });
  return {{"kind", "autoregressive"},
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
  heads.order = AutoregressiveOrder(
      encoder, small_integers(json, "order", static_cast<std::int64_t>(encoder.layout().size())));
  each_heads_tensor(heads, [&file](const char* name, auto& buffer, Index rows, Index columns) {
    buffer = take_tensor(file, name, {rows, columns});
  });
  return heads;
}
inline JointCodes joint_from(const nlohmann::json& json, const TableEncoder& encoder) {
  JointCodes joint;
  for (const auto& entry : array_of(member(json, "groups"), "groups"))
    joint.groups.push_back(
        {small_integers(entry, "columns", static_cast<std::int64_t>(encoder.layout().size())),
         small_integers(entry, "combinations", std::numeric_limits<std::int32_t>::max())});
  return joint;
}

/// \throws Error saying what is wrong; whether the heads fit the model is for `TableModel` to say
inline TrainedHeads heads_from(const nlohmann::json& json, const TableEncoder& encoder, TensorFile& file) {
  static constexpr std::array<std::string_view, 3> kinds{"independent", "autoregressive", "joint"};
  switch (choice(json, "kind", kinds)) {
  case 1:
    return autoregressive_from(json, encoder, file);
  case 2:
    return joint_from(json, encoder);
  default:
    return IndependentNetwork{};
  }
}

} // namespace detail
ROWSMITH_END
