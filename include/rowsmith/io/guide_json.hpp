// SPDX-License-Identifier: MIT
/// \file
/// A guide in a model file.
#pragma once

#include <cstdint>
#include <vector>

#include <nlohmann/json.hpp>

#include <rowsmith/io/heads_json.hpp>
#include <rowsmith/io/model_json.hpp>
#include <rowsmith/io/safetensors.hpp>
#include <rowsmith/models/row_guide.hpp>

ROWSMITH_BEGIN
namespace detail {

inline nlohmann::json guide_json(const RowGuide& guide, TensorFile& file) {
  auto columns = nlohmann::json::array();
  for (const auto& c : guide.columns)
    columns.push_back({c.stretch, c.tuples, c.fine_codes, c.levels});
  file.tensors["guide"] = {{static_cast<std::int64_t>(guide.words.size())}, {}, guide.words};
  return {{"columns", columns},
          {"trees", {guide.trees, guide.roots, guide.node_count, guide.nodes}},
          {"largest_odds", guide.largest_odds},
          {"tries", guide.tries},
          {"accepted", guide.accepted}};
}

/// \throws Error saying what is wrong; whether the guide fits the model is for `TableModel` to say
inline RowGuide guide_from(const nlohmann::json& json, TensorFile& file) {
  RowGuide guide;
  for (const auto& entry : array_of(member(json, "columns"), "columns")) {
    const CountList at(entry, 4, "guide: a column");
    guide.columns.push_back({at[0], at.count(1), at.count(2), at[3]});
  }
  if (guide.columns.empty())
    throw ModelFileError("guide: there are no columns");
  const CountList trees(member(json, "trees"), 4, "guide: 'trees'");
  guide.trees = trees.count(0);
  guide.roots = trees[1];
  guide.node_count = trees.count(2);
  guide.nodes = trees[3];
  guide.largest_odds = number(json, "largest_odds");
  guide.tries = static_cast<std::uint32_t>(integer(json, "tries", 1, 65535));
  guide.accepted = numbers(json, "accepted");
  guide.words = take_words(file, "guide");
  return guide;
}

} // namespace detail
ROWSMITH_END
