// SPDX-License-Identifier: MIT
// Models: fitting them by a recipe's name, with the options of the program's command fit.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <rowsmith/io/checkpoint.hpp>
#include <rowsmith/io/condition_reader.hpp>
#include <rowsmith/io/model_card.hpp>
#include <rowsmith/io/model_file.hpp>
#include <rowsmith/models/imputation.hpp>
#include <rowsmith/models/row_surprise.hpp>
#include <rowsmith/train/private_recipe.hpp>
#include <rowsmith/train/recipes.hpp>

#include "tables.hpp"

namespace native {

// What a listener of Python's is told, and asked: nothing, or False to end the stage. Also where Ctrl-C is
// noticed, whether there is a listener or not.
inline rs::ProgressCallback listener_of(const py::object& listener) {
  return [&listener](const rs::Progress& told) {
    const py::gil_scoped_acquire python;
    if (PyErr_CheckSignals() != 0)
      throw py::error_already_set();
    if (listener.is_none())
      return rs::ProgressAction::go_on;
    py::dict values;
    for (const auto& figure : told.values)
      values[py::str(figure.name.data(), figure.name.size())] = figure.value;
    const py::object answer = listener(
        py::dict(py::arg("stage") = py::str(told.stage.data(), told.stage.size()),
                 py::arg("stage_number") = told.stage_number, py::arg("stages") = told.stages,
                 py::arg("epoch") = told.epoch, py::arg("epochs") = told.epochs, py::arg("values") = values,
                 py::arg("rows_per_second") = told.rows_per_second, py::arg("seconds") = told.seconds,
                 py::arg("seconds_left") = told.seconds_left, py::arg("stage_done") = told.stage_done));
    return answer.ptr() == Py_False ? rs::ProgressAction::stop : rs::ProgressAction::go_on;
  };
}

// For loops over blocks of rows, which run without Python's lock.
inline void check_signals() {
  const py::gil_scoped_acquire python;
  if (PyErr_CheckSignals() != 0)
    throw py::error_already_set();
}

struct FitOptions {
  std::string recipe = "default";
  std::uint64_t seed = 0;
  int threads = 0;
  bool conditional = false;
  std::size_t min_category_rows = 0;
  std::vector<std::string> relations;
  double min_share = 1;
  bool quick = false;
  std::optional<std::string> checkpoint;
  std::map<std::string, std::string> notes; // that the model is to carry, beside the format
  // Differential privacy; no epsilon: none.
  std::optional<double> epsilon;
  double delta = 1e-6;
  std::string private_parts = "heads";
  bool learn_kinds = false;
  std::vector<std::string> taken_as_public;
  std::vector<rs::ColumnDomain> domains;
};

template <class Recipe>
rs::TableModel fit_recipe(const NativeTable& table, const FitOptions& asked,
                          const rs::ProgressCallback& progress) {
  rs::RecipeOptions<Recipe> options;
  options.seed = asked.seed;
  options.threads = asked.threads;
  options.conditional = asked.conditional;
  options.preparation.relations = asked.relations;
  options.preparation.min_share = asked.min_share;
  options.preparation.dates = table.format.dates();
  if (asked.min_category_rows > 0) {
    options.encoding.min_category_rows = asked.min_category_rows;
    options.encoding.unseen = rs::UnseenCategory::other;
  }
  if (asked.quick) {
    options.autoencoder.steps = 60;
    options.gan.steps = 30;
    options.refit.steps = std::min<std::size_t>(options.refit.steps, 30);
  }
  const auto store = asked.checkpoint ? rs::checkpoint_file(*asked.checkpoint, 5) : rs::CheckpointStore();
  return typename Recipe::Trainer(options).fit(table.table, progress, store);
}

inline rs::TableModel fit_private(const NativeTable& table, const FitOptions& asked,
                                  const rs::ProgressCallback& progress) {
  auto options = rs::PrivateRecipe::options();
  options.seed = asked.seed;
  options.threads = asked.threads;
  auto& privacy = options.privacy;
  privacy.epsilon = *asked.epsilon;
  privacy.delta = asked.delta;
  privacy.learn_kinds = asked.learn_kinds;
  privacy.domains = asked.domains;
  privacy.taken_as_public.insert(privacy.taken_as_public.end(), asked.taken_as_public.begin(),
                                 asked.taken_as_public.end());
  if (asked.private_parts == "encoder")
    privacy.parts = rs::PrivateParts::heads_and_encoder;
  else if (asked.private_parts == "gan")
    privacy.parts = rs::PrivateParts::heads_encoder_and_gan;
  else if (asked.private_parts == "tree")
    privacy.pairs = rs::PrivatePairs::tree;
  else if (asked.private_parts != "heads" && asked.private_parts != "counts")
    throw rs::OptionError("private_parts: '" + asked.private_parts +
                          "', expected heads, encoder, gan, counts or tree");
  if (asked.private_parts == "counts" || asked.private_parts == "tree")
    privacy.steps = 0;
  else if (asked.quick)
    privacy.steps = 20;
  return rs::PrivateRecipe::Trainer(options).fit(table.table, progress);
}

// How generated rows are written, once it is learnt which columns are numbers.
inline rs::TableFormat format_of_model(rs::TableFormat format, const rs::TableModel& model) {
  for (auto& column : format.columns) {
    const auto& schema = model.schema();
    for (std::size_t i = 0; i < schema.size(); ++i)
      if (schema[i].name == column.name && schema[i].kind == rs::ColumnKind::numerical &&
          column.role == rs::ColumnRole::category) {
        column.role =
            model.encoder().codecs()[i].decimals == 0 ? rs::ColumnRole::integer : rs::ColumnRole::real;
        column.quoted = false;
      }
  }
  return format;
}

// How the table was written that a model learnt; by its columns alone where it does not say.
inline rs::TableFormat format_of(const rs::TableModel& model) {
  auto format = rs::detail::learnt_format(model);
  if (!format.columns.empty()) {
    if (format.schema().columns() != model.schema().columns())
      throw rs::ModelFileError("the model's format is of other columns than the model's");
    return format;
  }
  const auto empty = model.empty_table();
  for (const auto& column : empty.columns())
    format.columns.push_back({.name = column.name,
                              .role = column.kind == rs::ColumnKind::categorical ? rs::ColumnRole::category
                                      : column.decimals == 0                     ? rs::ColumnRole::integer
                                                                                 : rs::ColumnRole::real});
  format.label = model.schema().label();
  return format;
}

// A trained model, and how its rows are written.
class NativeModel {
public:
  explicit NativeModel(rs::TableModel model) : model_(std::move(model)), format_(format_of(model_)) {}

  static NativeModel fit(const NativeTable& table, const FitOptions& asked, const py::object& listener) {
    const auto progress = listener_of(listener);
    const py::gil_scoped_release others;
    auto trained = [&] {
      if (asked.epsilon)
        return fit_private(table, asked, progress);
      if (asked.recipe == "default")
        return fit_recipe<rs::DefaultRecipe>(table, asked, progress);
      if (asked.recipe == "nearest")
        return fit_recipe<rs::NearestRecipe>(table, asked, progress);
      if (asked.recipe == "neural")
        return fit_recipe<rs::NeuralRecipe>(table, asked, progress);
      if (asked.recipe == "trees")
        return fit_recipe<rs::TreeRecipe>(table, asked, progress);
      if (asked.recipe == "faithful")
        return fit_recipe<rs::FaithfulRecipe>(table, asked, progress);
      throw rs::OptionError("recipe: '" + asked.recipe +
                            "', expected default, nearest, neural, trees or faithful");
    }();
    auto parts = trained.parts();
    parts.notes["format"] =
        rs::to_json(asked.epsilon ? format_of_model(table.format, trained) : table.format);
    for (const auto& [key, text] : asked.notes)
      parts.notes[key] = text;
    return NativeModel(rs::TableModel(std::move(parts)));
  }
  static NativeModel load(const std::string& path) {
    const py::gil_scoped_release others;
    return NativeModel(rs::load_model(path));
  }
  static NativeModel from_bytes(const std::string& bytes) { return NativeModel(rs::parse_model(bytes)); }
  void save(const std::string& path) const { rs::save_model(model_, path); }
  py::bytes bytes() const { return py::bytes(rs::format_model(model_)); }

  // Rows, as `columns_for_python` has them.
  py::list sample(std::size_t rows, std::uint64_t seed, const std::string& label,
                  const std::vector<std::string>& where, const std::string& balance, bool allow_rare,
                  std::uint64_t first_row, int threads) const {
    rs::SampleOptions options{.seed = seed,
                              .label = label,
                              .conditions = rs::read_conditions(where, model_),
                              .allow_rare = allow_rare,
                              .first_row = first_row,
                              .threads = threads};
    rs::Table table;
    {
      const py::gil_scoped_release others;
      if (!balance.empty())
        options.quotas = model_.balanced(balance);
      const auto parts = options.quotas.empty() ? rs::ResolvedQuotas({model_.resolve(options)}, {1})
                                                : model_.resolve_quotas(options);
      // Row i is the same whatever the blocks; between them Ctrl-C is noticed.
      std::vector<rs::Column> columns;
      constexpr std::size_t block = 65536;
      for (std::size_t begin = 0; begin == 0 || begin < rows; begin += block) {
        options.first_row = first_row + begin;
        auto more = model_.sample(std::min(block, rows - begin), parts, options).into_columns();
        if (begin == 0)
          columns = std::move(more);
        else
          for (std::size_t c = 0; c < columns.size(); ++c)
            append(columns[c], more[c]);
        check_signals();
      }
      table = rs::Table(std::move(columns), model_.schema().label());
    }
    return columns_for_python(std::move(table), format_);
  }

  // Log-probability of each row, less what numbers outside the training rows' range cost.
  py::array_t<double> score(const NativeTable& rows, std::size_t samples, std::uint64_t seed,
                            int threads) const {
    std::vector<double> result;
    {
      const py::gil_scoped_release others;
      if (!model_.is_distribution())
        throw rs::OptionError("score: the model's heads are no distribution, as those of the recipe "
                              "faithful; expected a model of "
                              "another recipe");
      const rs::LikelihoodOptions options{.samples = samples, .seed = seed, .threads = threads};
      constexpr std::size_t block = 16384;
      for (std::size_t begin = 0; begin < rows.rows(); begin += block) {
        std::vector<std::size_t> some;
        for (std::size_t row = begin; row < std::min(rows.rows(), begin + block); ++row)
          some.push_back(row);
        for (const double nats : rs::row_surprise(model_, rows.table.select(some), options).rows)
          result.push_back(-nats);
        check_signals();
      }
    }
    return as_array(std::move(result));
  }

  // Fills missing cells and columns. Rows as of `sample`, cells filled, of unknown categories and left
  // missing, rows that are unsure and broken.
  py::tuple complete(const NativeTable& partial, bool expect, std::uint64_t seed, std::uint64_t first_row,
                     int threads, const py::object& listener) const {
    const rs::ImputeOptions options{.seed = seed,
                                    .fill = expect ? rs::Fill::expect : rs::Fill::draw,
                                    .first_row = first_row,
                                    .threads = threads,
                                    .progress = listener_of(listener)};
    auto made = [&] {
      const py::gil_scoped_release others;
      return rs::impute(model_, partial.table, options);
    }();
    return py::make_tuple(columns_for_python(std::move(made.table), format_), made.filled, made.unknown,
                          made.left_missing, made.unsure.size(), made.broken.size());
  }

  std::string format() const { return rs::to_json(format_); }
  std::map<std::string, std::string> notes() const { return model_.parts().notes; }
  std::vector<std::string> relations() const { return model_.preparation().relations(); }
  std::vector<std::string> labels() const { return model_.labels(); }
  bool conditional() const { return model_.conditional(); }
  bool guided() const { return !model_.parts().guide.empty(); }
  std::string card() const { return rs::to_text(rs::model_card(model_)); }
  std::optional<std::string> privacy() const {
    return model_.privacy().empty() ? std::nullopt : std::optional(model_.privacy().statement());
  }
  NativeModel without_guide() const { return NativeModel(model_.without_guide()); }

private:
  static void append(rs::Column& to, const rs::Column& more) {
    to.values.insert(to.values.end(), more.values.begin(), more.values.end());
    to.decimals = rs::detail::common_decimals(to.decimals, more.decimals);
    std::vector<std::int32_t> code_of;
    for (const auto& text : more.dictionary.texts())
      code_of.push_back(to.dictionary.insert(text));
    for (const auto code : more.codes)
      to.codes.push_back(code == rs::missing_code ? code : code_of[static_cast<std::size_t>(code)]);
  }

  rs::TableModel model_;
  rs::TableFormat format_;
};

} // namespace native
