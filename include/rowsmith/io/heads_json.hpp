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

inline nlohmann::json heads_json(const IndependentNetwork&, TensorFile&) { return {{"kind", "independent"}}; }
inline nlohmann::json heads_json(const JointCodes& joint, TensorFile&) {
  auto groups = nlohmann::json::array();
  for (const auto& group : joint.groups)
    groups.push_back({{"columns", group.columns}, {"combinations", group.combinations}});
  return {{"kind", "joint"}, {"groups", groups}};
}
inline nlohmann::json heads_json(const AutoregressiveNetwork& heads, TensorFile& file) {
  heads.weights.each(heads.shape(), [&file](const char* name, const auto& buffer, Index rows, Index columns) {
    if (rows > 0 && columns > 0)
      file.tensors[std::string("heads.") + name] = {{rows, columns}, buffer};
  });
  nlohmann::json json{
      {"kind", "embedded"}, {"width", heads.width}, {"inputs", heads.inputs}, {"order", heads.order.order()}};
  if (!heads.order.parents().empty())
    json["parents"] = heads.order.parents();
  if (const auto& path = heads.order.path(); !path.columns.empty()) {
    const auto store = [&file](const char* name, Index rows, const std::vector<float>& from) {
      AlignedBuffer<float> to(from.size());
      std::copy(from.begin(), from.end(), to.data());
      if (!from.empty())
        file.tensors[name] = {{rows, static_cast<Index>(from.size()) / rows}, std::move(to)};
    };
    json["linear"] = path.columns;
    store("heads.scores", 1, path.scores);
    store("heads.linear", heads.shape().lines, path.weights);
  }
  return json;
}

inline nlohmann::json heads_json(const TreeNetwork& heads, TensorFile& file) {
  auto columns = nlohmann::json::array();
  for (const auto& c : heads.columns)
    columns.push_back({c.stretch, c.tuples, c.fine_codes, c.level_count, c.levels, c.margin, c.trees, c.roots,
                       c.node_count, c.nodes, c.entry_count, c.entries, c.orders});
  file.tensors["trees"] = {{static_cast<std::int64_t>(heads.words.size())}, {}, heads.words};
  return {{"kind", "trees"}, {"latent", heads.latent}, {"smoothing", heads.smoothing}, {"columns", columns}};
}
inline nlohmann::json heads_json(const MixedNetwork& heads, TensorFile& file) {
  return {{"kind", "mixed"},
          {"neural", heads_json(heads.neural, file)},
          {"trees", heads_json(heads.trees, file)},
          {"shares", heads.shares}};
}

/// The words of trees out of the file's tensors.
inline std::vector<std::uint32_t> take_words(TensorFile& file, const std::string& name) {
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end() || found->second.words.empty())
    throw ModelFileError("tensor '" + name + "' is missing, or is not one of whole numbers");
  auto words = std::move(found->second.words);
  file.tensors.erase(found);
  return words;
}

/// A list of so many numbers that count something or say where it is.
class CountList {
public:
  /// \param what  it is, for the error \throws ModelFileError for anything else
  CountList(const nlohmann::json& json, std::size_t size, const std::string& what) : what_(what) {
    bool fine = json.is_array() && json.size() == size;
    for (std::size_t i = 0; fine && i < size; ++i)
      fine = json[i].is_number_unsigned();
    if (!fine)
      throw ModelFileError(what + " is not a list of " + std::to_string(size) + " integers");
    for (const auto& entry : json)
      values_.push_back(entry.get<std::uint64_t>());
  }
  std::uint64_t operator[](std::size_t i) const { return values_[i]; }
  /// One that has to be below 2^32.
  std::uint32_t count(std::size_t i) const {
    if (values_[i] > std::numeric_limits<std::uint32_t>::max())
      throw ModelFileError(what_ + " has a count beyond 2^32 - 1");
    return static_cast<std::uint32_t>(values_[i]);
  }

private:
  std::string what_;
  std::vector<std::uint64_t> values_;
};

/// A list of integers in [least, below).
inline std::vector<std::int32_t> small_integers(const nlohmann::json& json, std::string_view name,
                                                std::int64_t below, std::int64_t least = 0) {
  std::vector<std::int32_t> values;
  for (const auto& entry : array_of(member(json, name), name)) {
    if (!entry.is_number_integer() || entry.get<std::int64_t>() < least || entry.get<std::int64_t>() >= below)
      throw ModelFileError("heads: '" + std::string(name) + "' is not a list of integers from " +
                           std::to_string(least) + " to " + std::to_string(below - 1));
    values.push_back(static_cast<std::int32_t>(entry.get<std::int64_t>()));
  }
  return values;
}

inline AutoregressiveNetwork autoregressive_from(const nlohmann::json& json, const TableEncoder& encoder,
                                                 TensorFile& file) {
  AutoregressiveNetwork heads;
  heads.width = integer(json, "width", 1, 1 << 24);
  heads.inputs = integer(json, "inputs", 1, 1 << 24);
  // The order makes tables of as many numbers as this tensor has: the file must hold it first.
  auto& pairs = heads.weights.pair_bias;
  const auto& layout = encoder.layout();
  const auto count = static_cast<std::int64_t>(layout.size());
  std::vector<std::int32_t> parents;
  if (json.contains("parents")) {
    parents = small_integers(json, "parents", count, -1);
    if (parents.size() != layout.size())
      throw ModelFileError("heads: 'parents' has " + std::to_string(parents.size()) + " entries, expected " +
                           std::to_string(count));
  }
  Index pair_count = 0;
  for (std::size_t h = 0; h < layout.size(); ++h)
    if (const auto parent = layout[h].fine    ? static_cast<std::int64_t>(h) - 1
                            : parents.empty() ? -1
                                              : std::int64_t{parents[h]};
        parent >= 0)
      pair_count += Index{layout[static_cast<std::size_t>(parent)].width} * layout[h].width;
  if (pair_count > 0)
    pairs = take_tensor(file, "heads.pair_bias", {1, pair_count});
  LinearPath path;
  if (json.contains("linear")) {
    path.columns = small_integers(json, "linear", count);
    std::vector<char> named(layout.size());
    for (const auto column : path.columns)
      if (std::exchange(named[static_cast<std::size_t>(column)], char{1}) != 0)
        throw ModelFileError("heads: 'linear' names a column twice");
    Index scores = 0;
    Index lines = 0;
    for (const auto column : path.columns) {
      const Index own = LinearPath::lines(encoder, static_cast<std::size_t>(column));
      scores += own == 1 ? layout[static_cast<std::size_t>(column)].width : 0;
      lines += own;
    }
    const auto take = [&file](const char* name, Index rows, Index columns) {
      if (rows == 0 || columns == 0)
        return std::vector<float>{};
      const auto from = take_tensor(file, name, {rows, columns});
      return std::vector<float>(from.data(), from.data() + from.size());
    };
    path.scores = take("heads.scores", 1, scores);
    path.weights = take("heads.linear", lines, lines);
  }
  heads.order = AutoregressiveOrder(encoder, small_integers(json, "order", count), 1, std::move(parents),
                                    std::move(path));
  heads.weights.each(heads.shape(), [&](const char* name, auto& buffer, Index rows, Index columns) {
    if (rows > 0 && columns > 0 && &buffer != &pairs)
      buffer = take_tensor(file, std::string("heads.") + name, {rows, columns});
  });
  return heads;
}
inline TreeNetwork trees_from(const nlohmann::json& json, TensorFile& file) {
  TreeNetwork heads;
  heads.latent = integer(json, "latent", 1, 1 << 24);
  heads.smoothing = number(json, "smoothing");
  heads.words = take_words(file, "trees");
  for (const auto& entry : array_of(member(json, "columns"), "columns")) {
    const CountList at(entry, 13, "trees: a column");
    heads.columns.push_back({at[0], at.count(1), at.count(2), at.count(3), at[4], at[5], at.count(6), at[7],
                             at.count(8), at[9], at.count(10), at[11], at[12]});
  }
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
  static constexpr std::array<std::string_view, 6> kinds{"independent", "embedded", "joint",
                                                         "trees",       "mixed",    "autoregressive"};
  switch (choice(json, "kind", kinds)) {
  case 1:
    return autoregressive_from(json, encoder, file);
  case 2:
    return joint_from(json, encoder);
  case 3:
    return trees_from(json, file);
  case 4:
    return MixedNetwork{autoregressive_from(member(json, "neural"), encoder, file),
                        trees_from(member(json, "trees"), file), numbers(json, "shares")};
  case 5:
    throw ModelFileError("the model has autoregressive heads with a table for each pair of columns, which "
                         "earlier versions wrote and this one no longer reads: train it again");
  default:
    return IndependentNetwork{};
  }
}

} // namespace detail
ROWSMITH_END
