// SPDX-License-Identifier: MIT
/// \file
/// Results as JSON.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <rowsmith/core/json_text.hpp>
#include <rowsmith/core/statistics.hpp>
#include <rowsmith/evaluate/resample.hpp>

ROWSMITH_BEGIN

inline std::string to_json(const Estimate& estimate) {
  std::string text = "{\"value\":";
  return text.append(json_number(estimate.value))
      .append(",\"sd\":")
      .append(json_number(estimate.sd))
      .append("}");
}

inline std::string to_json(const MeanSd& figure) {
  std::string text = "{\"mean\":";
  return text.append(json_number(figure.mean)).append(",\"sd\":").append(json_number(figure.sd)).append("}");
}

namespace detail {

/// A JSON object, member by member.
class JsonObject {
public:
  /// \param value  JSON text
  JsonObject& add(std::string_view name, std::string_view value) {
    text_.append(text_.size() == 1 ? "" : ",").append(json_escape(name)).append(":").append(value);
    return *this;
  }
  JsonObject& add(std::string_view name, double value) { return add(name, json_number(value)); }
  JsonObject& add(std::string_view name, std::size_t value) { return add(name, std::to_string(value)); }
  JsonObject& add(std::string_view name, const Estimate& value) { return add(name, to_json(value)); }
  JsonObject& add(std::string_view name, const MeanSd& value) { return add(name, to_json(value)); }
  JsonObject& add_text(std::string_view name, std::string_view value) {
    return add(name, json_escape(value));
  }
  std::string text() const { return text_ + "}"; }

private:
  std::string text_ = "{";
};

/// A JSON list of what `item(element)` writes for each element.
template <class Range, class Item>
std::string json_list(const Range& range, const Item& item) {
  std::string text = "[";
  for (const auto& element : range)
    text.append(text.size() == 1 ? "" : ",").append(item(element));
  return text.append("]");
}
inline std::string json_list(std::span<const double> numbers) {
  return json_list(numbers, [](double value) { return json_number(value); });
}

} // namespace detail

ROWSMITH_END
