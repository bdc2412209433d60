// SPDX-License-Identifier: MIT
/// \file
/// Results as JSON and in print.
#pragma once

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <rowsmith/core/fixed_string.hpp>
#include <rowsmith/core/json_text.hpp>
#include <rowsmith/core/statistics.hpp>
#include <rowsmith/evaluate/resample.hpp>

ROWSMITH_BEGIN
namespace evaluate {

inline std::string to_json(const MeanSd& figure);

namespace detail {

/// JSON text of a number, a truth value, a text, a result that `to_json` writes, or a vector of these.
class Json {
public:
  template <class T>
  Json(const T& value) : text_(write(value)) {} // a member's value is given as it is
  operator std::string() && { return std::move(text_); }
  const std::string& text() const noexcept { return text_; }
  /// \param text  is JSON already
  static Json raw(std::string text) {
    Json json(false);
    json.text_ = std::move(text);
    return json;
  }

private:
  template <class T>
  static std::string write(const T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      return value ? "true" : "false";
    } else if constexpr (std::is_floating_point_v<T>) {
      return json_number(value);
    } else if constexpr (std::is_integral_v<T>) {
      return std::to_string(value);
    } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
      return json_escape(value);
    } else if constexpr (requires { value.begin(); }) {
      std::string text = "[";
      for (const auto& item : value)
        text.append(text.size() == 1 ? "" : ",").append(Json(item).text());
      return text.append("]");
    } else {
      return to_json(value);
    }
  }

  std::string text_;
};

/// An object of any members. \param members  pairs of a name and what `Json` takes
template <class Members>
Json json_members(const Members& members) {
  std::string text = "{";
  for (const auto& [name, value] : members)
    text.append(text.size() == 1 ? "" : ",").append(json_escape(name)).append(":").append(Json(value).text());
  return Json::raw(text.append("}"));
}

/// An object whose members' names are known when this compiles: `Names` holds them, with blanks between.
template <FixedString Names, class... Values>
Json json_object(const Values&... values) {
  constexpr std::string_view names = Names.view();
  static_assert(std::count(names.begin(), names.end(), ' ') + 1 == sizeof...(Values),
                "json_object needs a name for each value");
  std::string text = "{";
  std::size_t begin = 0;
  const auto add = [&](const Json& value) {
    const std::size_t end = std::min(names.find(' ', begin), names.size());
    text.append(begin == 0 ? "" : ",").append(json_escape(names.substr(begin, end - begin)));
    text.append(":").append(value.text());
    begin = end + 1;
  };
  (add(Json(values)), ...);
  return Json::raw(text.append("}"));
}

} // namespace detail

inline std::string to_json(const Estimate& estimate) {
  return detail::json_object<"value sd">(estimate.value, estimate.sd);
}
inline std::string to_json(const MeanSd& figure) {
  return detail::json_object<"mean sd">(figure.mean, figure.sd);
}

inline std::ostream& operator<<(std::ostream& out, const Estimate& estimate) {
  return out << estimate.value << " +- " << estimate.sd;
}
inline std::ostream& operator<<(std::ostream& out, const MeanSd& figure) {
  return out << figure.mean << " +- " << figure.sd;
}
namespace detail {
inline std::ostream& print_note(std::ostream& out, std::string_view note) {
  return note.empty() ? out : out << "  note: " << note << '\n';
}
} // namespace detail

} // namespace evaluate
ROWSMITH_END
