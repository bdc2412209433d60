// SPDX-License-Identifier: MIT
/// \file
/// What stands between the user's columns and the model's, in a model file.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <rowsmith/io/model_json.hpp>
#include <rowsmith/prepare/preparation.hpp>

ROWSMITH_BEGIN
namespace detail {

/// Reads a field of a transform. \throws ModelFileError naming it if it is not what is expected
inline void read_field(const nlohmann::json& json, std::string_view name, bool& to) {
  to = boolean(json, name);
}
inline void read_field(const nlohmann::json& json, std::string_view name, double& to) {
  to = number(json, name);
}
inline void read_field(const nlohmann::json& json, std::string_view name, std::string& to) {
  to = text(json, name);
}
template <class Integer>
requires std::is_integral_v<Integer>
void read_field(const nlohmann::json& json, std::string_view name, Integer& to) {
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  to = static_cast<Integer>(integer(json, name, std::is_signed_v<Integer> ? -most : 0, most));
}
template <class Element>
void read_field(const nlohmann::json& json, std::string_view name, std::vector<Element>& to) {
  for (const auto& element : array_of(member(json, name), name))
    read_field(nlohmann::json{{std::string(name), element}}, name, to.emplace_back());
}

inline nlohmann::json preparation_json(const Preparation& preparation) {
  nlohmann::json transforms = nlohmann::json::array();
  for (const auto& transform : preparation.transforms()) {
    nlohmann::json json{{"kind", Preparation::kind_of(transform)}};
    Preparation::each_field(transform, [&json](const char* name, const auto& field) { json[name] = field; });
    transforms.push_back(std::move(json));
  }
  nlohmann::json json{{"schema", schema_json(preparation.schema())}, {"transforms", std::move(transforms)}};
  const auto& exceptions = preparation.exceptions();
  if (std::any_of(exceptions.begin(), exceptions.end(), [](std::size_t rows) { return rows > 0; }))
    json["exceptions"] = exceptions;
  return json;
}
/// \throws ModelFileError, or SchemaError for transforms that do not fit to each other
inline Preparation preparation_from(const nlohmann::json& json) {
  std::vector<Preparation::Transform> transforms;
  for (const auto& entry : array_of(member(json, "transforms"), "transforms")) {
    transforms.push_back(Preparation::of_kind(text(entry, "kind")));
    Preparation::each_field(transforms.back(),
                            [&entry](const char* name, auto& field) { read_field(entry, name, field); });
  }
  std::vector<std::size_t> exceptions;
  if (json.contains("exceptions"))
    read_field(json, "exceptions", exceptions);
  return Preparation(schema_from(member(json, "schema")), std::move(transforms), std::move(exceptions));
}

} // namespace detail
ROWSMITH_END
