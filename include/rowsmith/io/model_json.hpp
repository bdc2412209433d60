// SPDX-License-Identifier: MIT
/// \file
/// Schema and codecs of a model as JSON, and checked readers for it.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/encoding/table_encoder.hpp>

ROWSMITH_BEGIN
namespace detail {

// In the order of the enumerators.
inline constexpr std::array<std::string_view, 3> layer_kind_names{"dense", "layer_norm", "activation"};
inline constexpr std::array<std::string_view, 5> activation_names{"identity", "relu", "leaky_relu", "tanh",
                                                                  "sigmoid"};
inline constexpr std::array<std::string_view, 4> codec_kind_names{"categorical", "standardised", "exact",
                                                                  "binned"};
inline constexpr std::array<std::string_view, 2> decoding_names{"sample", "argmax"};
inline constexpr std::array<std::string_view, 2> column_kind_names{"numerical", "categorical"};

inline const nlohmann::json& member(const nlohmann::json& object, std::string_view name) {
  if (!object.is_object() || !object.contains(name))
    throw ModelFileError("'" + std::string(name) + "' is missing");
  return object[std::string(name)];
}
inline const nlohmann::json& array_of(const nlohmann::json& value, std::string_view name) {
  if (!value.is_array())
    throw ModelFileError("'" + std::string(name) + "' is not a list");
  return value;
}
inline std::string text(const nlohmann::json& object, std::string_view name) {
  const auto& value = member(object, name);
  if (!value.is_string())
    throw ModelFileError("'" + std::string(name) + "' is not a text");
  return value.get<std::string>();
}
inline std::vector<std::string> texts(const nlohmann::json& object, std::string_view name) {
  std::vector<std::string> result;
  for (const auto& value : array_of(member(object, name), name)) {
    if (!value.is_string())
      throw ModelFileError("'" + std::string(name) + "' is not a list of texts");
    result.push_back(value.get<std::string>());
  }
  return result;
}
inline double number(const nlohmann::json& object, std::string_view name) {
  const auto& value = member(object, name);
  if (!value.is_number() || !std::isfinite(value.get<double>()))
    throw ModelFileError("'" + std::string(name) + "' is not a finite number");
  return value.get<double>();
}
inline std::vector<double> numbers(const nlohmann::json& object, std::string_view name) {
  std::vector<double> result;
  for (const auto& value : array_of(member(object, name), name)) {
    if (!value.is_number() || !std::isfinite(value.get<double>()))
      throw ModelFileError("'" + std::string(name) + "' is not a list of finite numbers");
    result.push_back(value.get<double>());
  }
  return result;
}
inline std::int64_t integer(const nlohmann::json& object, std::string_view name, std::int64_t low,
                            std::int64_t high) {
  const auto& value = member(object, name);
  if (!value.is_number_integer() || (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX) ||
      value.get<std::int64_t>() < low || value.get<std::int64_t>() > high)
    throw ModelFileError("'" + std::string(name) + "' is not an integer from " + std::to_string(low) +
                         " to " + std::to_string(high));
  return value.get<std::int64_t>();
}
inline bool boolean(const nlohmann::json& object, std::string_view name) {
  const auto& value = member(object, name);
  if (!value.is_boolean())
    throw ModelFileError("'" + std::string(name) + "' is not true or false");
  return value.get<bool>();
}
template <std::size_t N>
std::size_t choice(const nlohmann::json& object, std::string_view name,
                   const std::array<std::string_view, N>& names) {
  const auto value = text(object, name);
  const auto found = std::find(names.begin(), names.end(), value);
  if (found == names.end())
    throw ModelFileError("'" + std::string(name) + "' is '" + value + "', which this library does not know");
  return static_cast<std::size_t>(found - names.begin());
}

inline nlohmann::json schema_json(const TableSchema& schema) {
  nlohmann::json columns = nlohmann::json::array();
  for (const auto& column : schema.columns())
    columns.push_back({{"name", column.name}, {"kind", to_string(column.kind)}});
  return {{"columns", columns}, {"label", schema.label()}};
}
inline TableSchema schema_from(const nlohmann::json& json) {
  std::vector<ColumnSchema> columns;
  for (const auto& entry : array_of(member(json, "columns"), "columns"))
    columns.push_back(
        {text(entry, "name"), static_cast<ColumnKind>(choice(entry, "kind", column_kind_names))});
  return TableSchema(std::move(columns), text(json, "label"));
}

inline nlohmann::json codec_json(const ColumnCodec& codec) {
  nlohmann::json json{{"name", codec.name},
                      {"kind", codec_kind_names[static_cast<std::size_t>(codec.kind)]},
                      {"has_missing", codec.has_missing},
                      {"has_other", codec.has_other},
                      {"other_text", codec.other_text},
                      {"categories", codec.categories},
                      {"points", codec.points},
                      {"knots", codec.knots},
                      {"fine", codec.fine},
                      {"mean", codec.mean},
                      {"sd", codec.sd},
                      {"minimum", codec.minimum},
                      {"maximum", codec.maximum},
                      {"decimals", codec.decimals}};
  if (!codec.atoms.empty())
    json["atoms"] = codec.atoms;
  if (!codec.group_of.empty()) {
    json["group_of"] = codec.group_of;
    json["group_shares"] = codec.group_shares;
  }
  return json;
}
inline ColumnCodec codec_from(const nlohmann::json& json) {
  ColumnCodec codec;
  codec.name = text(json, "name");
  codec.kind = static_cast<ColumnCodec::Kind>(choice(json, "kind", codec_kind_names));
  codec.has_missing = boolean(json, "has_missing");
  codec.has_other = boolean(json, "has_other");
  codec.other_text = text(json, "other_text");
  codec.categories = texts(json, "categories");
  codec.points = numbers(json, "points");
  codec.knots = numbers(json, "knots");
  codec.fine = static_cast<std::size_t>(integer(json, "fine", 0, 1024));
  if (json.contains("atoms"))
    codec.atoms = numbers(json, "atoms");
  codec.index_atoms();
  if (json.contains("group_of")) {
    for (const auto& group : array_of(json["group_of"], "group_of")) {
      if (!group.is_number_integer() || group < 0 || group > std::numeric_limits<std::int32_t>::max())
        throw ModelFileError("'group_of' has an element that is no code");
      codec.group_of.push_back(group.get<std::int32_t>());
    }
    codec.group_shares = numbers(json, "group_shares");
    codec.index_members();
  }
  codec.mean = number(json, "mean");
  codec.sd = number(json, "sd");
  codec.minimum = number(json, "minimum");
  codec.maximum = number(json, "maximum");
  codec.decimals = static_cast<int>(integer(json, "decimals", -1, 400));
  return codec;
}

} // namespace detail
ROWSMITH_END
