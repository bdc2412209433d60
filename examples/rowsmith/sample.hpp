// SPDX-License-Identifier: MIT
// rowsmith sample: rows from a model file, written as the table was that it learnt.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include <rowsmith/io/condition_reader.hpp>
#include <rowsmith/io/model_file.hpp>
#include <rowsmith/io/table_format_json.hpp>
#include <rowsmith/models/condition_text.hpp>
#include <rowsmith/table/table_file_writer.hpp>
#include <rowsmith/table/write_csv.hpp>

#include "command.hpp"

namespace program {

struct SampleSettings {
  std::string model;
  std::string out = "-";
  std::uint64_t rows = 0;
  std::uint64_t seed = 0;
  std::uint64_t first_row = 0;
  std::string label;
  std::vector<std::string> where;
  std::vector<std::string> quotas;
  std::string balance;
  int threads = 0;
  bool allow_rare = false;
  bool plain = false;
  bool unguided = false;
};

// How the table was written that a model learnt; plain CSV where it does not say.
inline rowsmith::TableFormat format_of(const rowsmith::TableModel& model, bool plain) {
  const auto& notes = model.parts().notes;
  const auto found = notes.find("format");
  rowsmith::TableFormat learnt;
  if (found != notes.end())
    learnt = rowsmith::table_format_from_json(found->second);
  if (found != notes.end() && !plain)
    return learnt;
  rowsmith::TableFormat format;
  for (const auto& column : model.schema().columns()) {
    format.columns.push_back({.name = column.name,
                              .role = column.kind == rowsmith::ColumnKind::categorical
                                          ? rowsmith::ColumnRole::category
                                          : rowsmith::ColumnRole::real});
    for (const auto& known : learnt.columns)
      if (known.name == column.name)
        format.columns.back().origin = known.origin;
  }
  format.label = model.schema().label();
  return format;
}

// Quotas such as "income = >50K: 0.5".
inline std::vector<rowsmith::Quota> quotas_of(const std::vector<std::string>& texts,
                                              const rowsmith::TableModel& model) {
  std::vector<rowsmith::Quota> quotas;
  for (const auto& text : texts) {
    const auto colon = text.rfind(':');
    const auto share = colon == std::string::npos ? std::nullopt
                                                  : rowsmith::parse_number(rowsmith::detail::without_blanks(
                                                        std::string_view(text).substr(colon + 1)));
    if (!share)
      throw rowsmith::OptionError("--quota: '" + text +
                                  "', expected a condition, a colon and a share, such as "
                                  "'income = >50K: 0.5'");
    quotas.push_back(
        {wrong_use("--quota", [&] { return rowsmith::read_condition(text.substr(0, colon), model); }),
         *share});
  }
  return quotas;
}

// What the model has to say about conditions.
inline std::string told_of(const rowsmith::Support& support) {
  std::ostringstream text;
  text.precision(2);
  text << "about " << support.share << " of the model's rows meet the conditions";
  if (support.candidates > 1)
    text << "; each is chosen from " << support.candidates << " candidates, of which " << support.effective
         << " count";
  if (support.rare())
    text << ": too few for rows of the right distribution (--allow-rare)";
  return text.str();
}

inline int run_sample(const SampleSettings& settings) {
  if (settings.out != "-")
    check_outputs({{"MODEL", settings.model}}, {{"-o", settings.out}});
  auto model = rowsmith::load_model(settings.model);
  if (settings.unguided)
    model = model.without_guide();
  if (!settings.label.empty())
    wrong_use("--label", [&] { return model.label_index(settings.label); });
  const auto format = format_of(model, settings.plain);
  if (format.schema().columns() != model.schema().columns())
    throw rowsmith::ModelFileError(settings.model +
                                   ": its format is of other columns than the model's; use --plain");
  rowsmith::SampleOptions options{
      .seed = settings.seed,
      .label = settings.label,
      .conditions = wrong_use("--where", [&] { return rowsmith::read_conditions(settings.where, model); }),
      .quotas = quotas_of(settings.quotas, model),
      .allow_rare = settings.allow_rare,
      .threads = settings.threads};
  if (!settings.balance.empty())
    options.quotas = wrong_use("--balance", [&] { return model.balanced(settings.balance); });
  // Quotas of one part where there are none.
  const auto parts = [&] {
    try {
      return options.quotas.empty() ? rowsmith::ResolvedQuotas({model.resolve(options)}, {1})
                                    : model.resolve_quotas(options);
    } catch (const rowsmith::SchemaError& error) { // such as a category that the model does not know
      throw rowsmith::OptionError(error.what());
    }
  }();
  if (!settings.where.empty() || !options.quotas.empty())
    for (std::size_t k = 0; k < parts.parts().size(); ++k) {
      const auto of = options.quotas.empty()       ? std::string()
                      : k >= options.quotas.size() ? std::string("of the other rows, ")
                      : k < settings.quotas.size()
                          ? "of '" + settings.quotas[k] + "', "
                          : "of " + options.quotas[k].condition.values.front() + ", ";
      std::clog << "rowsmith: " << of << told_of(parts.parts()[k].support()) << '\n';
    }
  const rowsmith::TableFileWriter writer(format, settings.seed);
  write_output(settings.out, "the rows", [&](std::ostream& out) {
    out << writer.header();
    std::string text;
    constexpr std::uint64_t block = 65536; // so that memory does not grow with the rows
    for (std::uint64_t begin = 0; begin < settings.rows && out; begin += block) {
      const auto count = static_cast<std::size_t>(std::min(block, settings.rows - begin));
      options.first_row = settings.first_row + begin;
      const auto table = model.sample(count, parts, options);
      text.clear();
      writer.append(text, table, 0, count, settings.first_row + begin);
      out.write(text.data(), static_cast<std::streamsize>(text.size()));
    }
  });
  return 0;
}

inline Run add_sample(CLI::App& app) {
  auto& command =
      *app.add_subcommand("sample", "Makes rows with a model, as the table was written that it learnt");
  const auto settings = std::make_shared<SampleSettings>();
  command.add_option("model", settings->model, "The model file")->required();
  add_whole_number(command, "-n,--rows", settings->rows, "How many", 1, std::uint64_t{1} << 44U)->required();
  command.add_option("-o,--out", settings->out, "The file to write; - for the standard output")
      ->capture_default_str();
  add_whole_number(command, "--seed", settings->seed, "Row i depends on the model, the seed and i only");
  add_whole_number(command, "--first-row", settings->first_row, "The number of the first row", 0,
                   std::uint64_t{1} << 44U);
  command.add_option("--label", settings->label, "Of a conditional model: make rows with this label only");
  command
      .add_option("--where", settings->where,
                  "Rows that meet a condition, such as 'age >= 60', 'sex = Female', 'town != Oslo', 'job in "
                  "Sales, Clerk', 'age is missing' or 'age is present'; several hold together")
      ->type_name("CONDITION")
      ->allow_extra_args(false);
  auto* const quota = command
                          .add_option("--quota", settings->quotas,
                                      "The share of the rows that a condition holds for, such as 'income = "
                                      ">50K: 0.5'; several of one "
                                      "column; what is left goes to the other rows")
                          ->type_name("CONDITION:SHARE")
                          ->allow_extra_args(false);
  command.add_option("--balance", settings->balance, "As many rows of each category of a column")
      ->excludes(quota);
  command.add_flag("--allow-rare", settings->allow_rare,
                   "Conditions that hardly any row meets: the best rows that are found, not an error");
  add_whole_number(command, "--threads", settings->threads, "0: all; never changes the result", 0, 4096);
  command.add_flag("--plain", settings->plain,
                   "Comma-separated, numbers with points, and only the columns that were learnt");
  command.add_flag("--unguided", settings->unguided,
                   "Take every row as it is drawn: several times as many a second, further from real ones");
  command.footer("rowsmith sample people.model -n 1000000 --seed 7 -o synthetic.csv\n"
                 "rowsmith sample people.model -n 500 --where 'sex = Female' --where 'age >= 60'");
  return [settings] { return run_sample(*settings); };
}

} // namespace program
