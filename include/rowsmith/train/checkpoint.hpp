// SPDX-License-Identifier: MIT
/// \file
/// What a training needs to go on after its process was killed.
#pragma once

#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <iostream>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/sha256.hpp>
#include <rowsmith/core/tensor_file.hpp>
#include <rowsmith/encoding/table_encoder.hpp>
#include <rowsmith/nn/parameters.hpp>

ROWSMITH_BEGIN

/// Where `Trainer::fit` keeps its state while it works. `checkpoint_file` of `rowsmith/io/checkpoint.hpp` is
/// the usual one; a store of your own may put the state elsewhere. All functions are called on the thread of
/// `fit`. An empty `save` means: no checkpoints. What `save` and `discard` throw never ends a training: it
/// becomes a warning, for the model is worth more than its checkpoint.
struct CheckpointStore {
  std::function<void(const TensorFile&)> save;
  std::function<std::optional<TensorFile>()> load; ///< the last state saved; nothing if there is none
  std::function<void()> discard;                   ///< the training is done, the state no longer needed
  double seconds = 60;                             ///< at least this long between two saves; ≥ 0
  /// Told of a state that could not be saved or discarded. By default it goes to standard error.
  std::function<void(const std::string&)> warn = [](const std::string& text) {
    std::cerr << "rowsmith: " << text << '\n';
  };
};

namespace detail {

/// Named values of a state, with the checks that a file from outside needs.
class StateFile {
public:
  StateFile() = default;
  explicit StateFile(TensorFile file) : file_(std::move(file)) {}

  void put(const std::string& name, std::uint64_t value) { file_.metadata[name] = std::to_string(value); }
  void put(const std::string& name, double value) {
    std::array<char, 32> text{};
    file_.metadata[name].assign(text.data(),
                                std::to_chars(text.data(), text.data() + text.size(), value).ptr);
  }
  void put(const std::string& name, std::string text) { file_.metadata[name] = std::move(text); }
  void put(const std::string& name, const AlignedBuffer<float>& values) {
    file_.tensors[name] = {{static_cast<std::int64_t>(values.size())}, values};
  }

  bool has(const std::string& name) const { return file_.metadata.contains(name); }
  const std::string& text(const std::string& name) const {
    const auto found = file_.metadata.find(name);
    if (found == file_.metadata.end())
      throw ModelFileError("checkpoint: entry '" + name + "' is missing");
    return found->second;
  }
  std::uint64_t count(const std::string& name) const { return parsed<std::uint64_t>(name); }
  double number(const std::string& name) const { return parsed<double>(name); }
  AlignedBuffer<float> buffer(const std::string& name, std::size_t size) const {
    const auto found = file_.tensors.find(name);
    if (found == file_.tensors.end() || found->second.values.size() != size)
      throw ModelFileError("checkpoint: tensor '" + name + "' is missing or has the wrong size");
    return found->second.values;
  }
  const TensorFile& content() const noexcept { return file_; }

private:
  template <class Number>
  Number parsed(const std::string& name) const {
    const auto& value = text(name);
    Number result{};
    const auto end = std::from_chars(value.data(), value.data() + value.size(), result);
    if (end.ec != std::errc{} || end.ptr != value.data() + value.size())
      throw ModelFileError("checkpoint: entry '" + name + "' is '" + value + "', expected a number");
    return result;
  }
  TensorFile file_;
};

/// SHA-256 of the encoded rows and of what their codes mean.
inline std::string table_fingerprint(const TableEncoder& encoder, const EncodedTable& rows,
                                     std::span<const std::int32_t> labels) {
  Sha256 hash;
  const auto add_number = [&hash](auto value) { hash.update(std::as_bytes(std::span(&value, 1))); };
  const auto add_text = [&](std::string_view text) {
    add_number(text.size());
    hash.update(std::as_bytes(std::span(text)));
  };
  for (const auto& codec : encoder.codecs()) {
    add_text(codec.name);
    add_number(static_cast<int>(codec.kind));
    add_number(codec.categories.size());
    for (const auto& category : codec.categories)
      add_text(category);
    hash.update(std::as_bytes(std::span(codec.group_of)));
    for (const auto* values : {&codec.points, &codec.knots, &codec.atoms}) {
      add_number(values->size());
      hash.update(std::as_bytes(std::span(*values)));
    }
    for (const double value : {codec.mean, codec.sd, codec.minimum, codec.maximum})
      add_number(value);
    add_number(codec.decimals);
    add_number(codec.has_missing);
    add_number(codec.has_other);
  }
  add_number(rows.rows());
  hash.update(std::as_bytes(rows.code_bytes()));
  hash.update(std::as_bytes(rows.numbers()));
  hash.update(std::as_bytes(labels));
  return to_hex(hash.digest());
}

/// A type's name with all its arguments, as the compiler spells it: layers, rates, losses and penalties that
/// no weight tells of.
template <class Type>
std::string type_text() {
  return __PRETTY_FUNCTION__;
}

/// Names and sizes of a model's weights.
inline std::string describe(const ParameterLayout& layout) {
  std::string text;
  for (const auto& entry : layout.entries())
    text.append(entry.name)
        .append(" ")
        .append(std::to_string(entry.block.rows))
        .append(" x ")
        .append(std::to_string(entry.block.columns))
        .append("\n");
  return text;
}

/// Saves states to a store now and then, and finds the one to go on from.
class Checkpoints {
public:
  static constexpr const char* version = "4";

  /// \param identity  what must be the same for a saved state to be of use: (what it is, its text)
  /// \throws ModelFileError if the store holds the state of another training
  Checkpoints(const CheckpointStore& store, std::vector<std::pair<std::string, std::string>> identity)
      : store_(&store), identity_(std::move(identity)), last_(std::chrono::steady_clock::now()) {
    if (!store.save)
      return;
    if (!(store.seconds >= 0))
      throw OptionError("checkpoint seconds = " + std::to_string(store.seconds) + ": expected 0 or more");
    auto found = store.load ? store.load() : std::nullopt;
    if (!found)
      return;
    const StateFile state(std::move(*found));
    if (!state.has("checkpoint_version") || state.text("checkpoint_version") != version)
      throw ModelFileError("checkpoint: not a checkpoint of this version of rowsmith; give another place, or "
                           "remove it to begin anew");
    for (const auto& [name, text] : identity_)
      if (state.text(name) != text)
        throw ModelFileError("checkpoint: it is of another training: its " + name +
                             " differ; give another place, or remove it to begin anew");
    state_ = state;
  }

  /// The state to go on from, or null.
  const StateFile* resumed() const { return state_ ? &*state_ : nullptr; }
  /// The same if it lies in this stage.
  const StateFile* resumed(const std::string& stage) const {
    return state_ && state_->text("stage") == stage ? &*state_ : nullptr;
  }
  bool due() const {
    return store_->save &&
           std::chrono::duration<double>(std::chrono::steady_clock::now() - last_).count() >= store_->seconds;
  }
  void save(const std::string& stage, StateFile state) {
    state.put("checkpoint_version", std::string(version));
    state.put("stage", stage);
    for (const auto& [name, text] : identity_)
      state.put(name, text);
    attempt(
        [&] { store_->save(state.content()); },
        "the state of the training could not be saved, so that it would begin anew after an interruption");
    last_ = std::chrono::steady_clock::now();
  }
  void discard() {
    if (store_->save && store_->discard)
      attempt([&] { store_->discard(); }, "the state of the finished training could not be removed");
  }

private:
  template <class Action>
  void attempt(const Action& action, const char* otherwise) {
    std::string reason = "for an unknown reason";
    try {
      action();
      return;
    } catch (const std::exception& error) {
      reason = error.what();
    } catch (...) { // a store of one's own may throw anything
    }
    // A full disk is full at each save: the same words are said once.
    if (auto text = std::string("checkpoint: ") + otherwise + ": " + reason; store_->warn && text != warned_)
      store_->warn(warned_ = std::move(text));
  }

  const CheckpointStore* store_;
  std::vector<std::pair<std::string, std::string>> identity_;
  std::optional<StateFile> state_;
  std::chrono::steady_clock::time_point last_;
  std::string warned_; ///< the last warning
};

} // namespace detail

ROWSMITH_END
