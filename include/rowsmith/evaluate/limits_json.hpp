// SPDX-License-Identifier: MIT
/// \file
/// Limits of the release gate as JSON: {"shapes.mean": {"max": 0.05}, "efficacy.forest.y": {"min": 0.95}}.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <nlohmann/json.hpp>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/evaluate/release_gate.hpp>
#include <rowsmith/evaluate/text.hpp>

ROWSMITH_BEGIN
namespace evaluate {

/// \param name  stands for the text in messages \throws OptionError for what is no JSON object of limits, for
/// a figure or a bound that is there twice, and for bounds that no value keeps
inline std::vector<Limit> parse_limits(std::string_view text, const std::string& name) {
  const auto refuse = [&name](const auto&... parts) {
    throw OptionError(detail::concat(name, ": ", parts...));
  };
  std::vector<std::set<std::string>> seen; // names of each object that is open
  const auto watch = [&](int, nlohmann::json::parse_event_t event, nlohmann::json& value) {
    using Event = nlohmann::json::parse_event_t;
    if (event == Event::object_start)
      seen.emplace_back();
    else if (event == Event::object_end)
      seen.pop_back();
    else if (event == Event::key && !seen.back().insert(value.get<std::string>()).second)
      refuse("'", value.get<std::string>(), "' is there twice, expected different names");
    return true;
  };
  const auto json = nlohmann::json::parse(text, watch, false);
  if (!json.is_object() || json.empty())
    refuse("expected a JSON object of limits, such as {\"shapes.mean\": {\"max\": 0.05}}");
  std::vector<Limit> limits;
  for (const auto& [key, bounds] : json.items()) {
    Limit limit{.key = key};
    if (!bounds.is_object() || bounds.empty())
      refuse("'", key, "' is no object with \"min\" or \"max\"");
    for (const auto& [bound, value] : bounds.items()) {
      if ((bound != "min" && bound != "max") || !value.is_number())
        refuse("'", key, ".", bound, "': expected \"min\" or \"max\" with a number");
      (bound == "min" ? limit.least : limit.most) = value.template get<double>();
    }
    if (limit.least > limit.most)
      refuse("'", key, "': no value is at least ", json_number(limit.least), " and at most ",
             json_number(limit.most));
    limits.push_back(limit);
  }
  return limits;
}

/// \throws OptionError naming the file, also for one that cannot be read
inline std::vector<Limit> read_limits(const std::filesystem::path& path) {
  std::error_code failure;
  if (std::filesystem::is_directory(path, failure))
    throw OptionError(path.string() + ": is a folder, expected a file of limits");
  std::ifstream file(path, std::ios::binary);
  std::string text;
  if (file)
    text.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  if (!file)
    throw OptionError(path.string() + ": cannot be read");
  return parse_limits(text, path.string());
}

} // namespace evaluate
ROWSMITH_END
