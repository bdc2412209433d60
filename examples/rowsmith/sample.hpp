// SPDX-License-Identifier: MIT
// rowsmith sample: rows from a model file, written as the table was that it learnt.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <future>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include <rowsmith/arrow/ipc_writer.hpp>
#include <rowsmith/core/parallel.hpp>
#include <rowsmith/core/progress_bar.hpp>
#include <rowsmith/csv/compressed.hpp>
#include <rowsmith/csv/whole_number.hpp>
#include <rowsmith/io/condition_reader.hpp>
#include <rowsmith/io/model_file.hpp>
#include <rowsmith/io/table_format_json.hpp>
#include <rowsmith/models/condition_text.hpp>
#include <rowsmith/models/imputation.hpp>
#include <rowsmith/sqlite/sqlite_writer.hpp>
#include <rowsmith/table/table_file.hpp>
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
  std::string part;
  std::string label;
  std::vector<std::string> where;
  std::vector<std::string> quotas;
  std::string balance;
  std::string where_file;
  std::string sqlite_table; // empty: synthetic
  std::string format;       // empty: by the ending of `out`
  int threads = 0;
  bool allow_rare = false;
  bool expect = false;
  bool plain = false;
  bool unguided = false;
  bool quiet = false;

  bool to_database() const { return !sqlite_table.empty() || rowsmith::is_sqlite_name(out); }
  // Nothing for a file of texts or a database.
  std::optional<rowsmith::ArrowIpc> to_arrow() const {
    auto name = std::string_view(out);
    if (rowsmith::compression_of_name(name) != rowsmith::Compression::none)
      name = name.substr(0, name.rfind('.'));
    if (format == "arrow" || (format.empty() && name.ends_with(".arrow")))
      return rowsmith::ArrowIpc::file;
    if (format == "arrows" || (format.empty() && name.ends_with(".arrows")))
      return rowsmith::ArrowIpc::stream;
    return std::nullopt;
  }
};

// How the table was written that a model learnt; plain CSV where it does not say.
inline rowsmith::TableFormat format_of(const rowsmith::TableModel& model, bool plain) {
  const auto learnt = rowsmith::detail::learnt_format(model);
  if (!learnt.columns.empty() && !plain)
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

// Completes the rows of a file.
inline int run_complete(const SampleSettings& settings, const rowsmith::TableModel& model,
                        const rowsmith::TableFormat& format) {
  const auto learnt = format_of(model, false);
  const auto partial =
      rowsmith::read_partial_file(settings.where_file, learnt, {.open = rowsmith::open_compressed});
  rowsmith::ImputeOptions options{.seed = settings.seed,
                                  .fill = settings.expect ? rowsmith::Fill::expect : rowsmith::Fill::draw,
                                  .first_row = settings.first_row,
                                  .threads = settings.threads};
  if (!settings.quiet)
    options.progress = rowsmith::progress_bar();
  auto made = rowsmith::impute(model, partial.table, options);
  std::clog << "rowsmith: " << made.filled << " cells filled in " << made.table.rows() << " rows\n";
  const auto tell = [](std::size_t count, const char* what, const std::vector<std::size_t>& rows = {}) {
    if (count > 0)
      std::clog << "rowsmith: " << count << what
                << (rows.empty() ? std::string() : ", first row " + std::to_string(rows.front() + 1)) << '\n';
  };
  tell(made.unknown,
       " cells hold categories that the model does not know: kept, and nothing is concluded from "
       "them");
  tell(made.left_missing, " cells are missing in all such rows that the model makes, and stay so");
  tell(made.unsure.size(), " rows are so unlike the model's that what is filled in is only the best found",
       made.unsure);
  tell(made.broken.size(), " rows do not keep a relation that the model keeps (rowsmith describe)",
       made.broken);
  for (std::size_t c = 0; c < partial.texts.size(); ++c)
    if (learnt.columns[c].role == rowsmith::ColumnRole::dropped && partial.texts[c].rows() > 0)
      std::clog << "rowsmith: column '" << learnt.columns[c].name
                << "' is left out, as it was when the model was fitted\n";
  // Filled cells have the digits of the model's; cells that were there keep all of theirs.
  auto columns = std::move(made.table).into_columns();
  const auto usual = model.empty_table();
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const int decimals = usual[c].decimals;
    const double scale = std::pow(10.0, decimals);
    const bool fit =
        decimals >= 0 && std::all_of(columns[c].values.begin(), columns[c].values.end(), [scale](double x) {
          return std::isnan(x) || std::round(x * scale) / scale == x;
        });
    if (columns[c].kind == rowsmith::ColumnKind::numerical)
      columns[c].decimals = fit || !settings.plain ? decimals : -1;
  }
  const rowsmith::Table rows(std::move(columns), model.schema().label());
  const rowsmith::TableFileWriter writer(format, settings.seed);
  write_output(settings.out, "the rows", [&](std::ostream& out) {
    writer.write(out, rows, settings.first_row, settings.plain ? nullptr : &partial);
  });
  return 0;
}

// The rows to write.
struct Slice {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool first = true; // of a file, which has the line of names
};
// Part K of N of the rows, such as "3/8": the files of all parts, one behind the other, are the file of all.
inline Slice slice_of(const SampleSettings& settings) {
  const std::uint64_t first = settings.first_row;
  if (settings.part.empty())
    return {first, first + settings.rows, true};
  const auto slash = settings.part.find('/');
  const auto number = rowsmith::parse_whole(std::string_view(settings.part).substr(0, slash));
  const auto count = slash == std::string::npos
                         ? std::nullopt
                         : rowsmith::parse_whole(std::string_view(settings.part).substr(slash + 1));
  if (!number || !count || number->negative || count->negative || number->magnitude == 0 ||
      number->magnitude > count->magnitude || count->magnitude > 1'000'000)
    throw rowsmith::OptionError("--part: '" + settings.part + "', expected K/N such as 3/8, 1 <= K <= N");
  const std::uint64_t n = count->magnitude;
  const std::uint64_t k = number->magnitude;
  // Nothing overflows: 2^44 rows in a million parts.
  return {first + settings.rows * (k - 1) / n, first + settings.rows * k / n, k == 1};
}

// Calls `take(table, first row)` with the rows of a slice in blocks, so that memory does not grow with them.
template <class Take>
void each_block(const rowsmith::TableModel& model, const rowsmith::ResolvedQuotas& parts,
                rowsmith::SampleOptions options, const Slice& slice, const Take& take) {
  constexpr std::uint64_t block = 16'384;
  for (std::uint64_t begin = slice.begin; begin < slice.end; begin += block) {
    const auto count = static_cast<std::size_t>(std::min(block, slice.end - begin));
    options.first_row = begin;
    if (!take(model.sample(count, parts, options), begin))
      return;
  }
}

inline int run_sample(const SampleSettings& settings) {
  if (settings.where_file.empty() == (settings.rows == 0))
    throw rowsmith::OptionError("expected -n (how many rows) or --where-file (rows to complete)");
  slice_of(settings); // before any work
  if (settings.expect && settings.where_file.empty())
    throw rowsmith::OptionError("--expect: expected --where-file beside it");
  if (settings.to_database() && (settings.out == "-" || !settings.where_file.empty()))
    throw rowsmith::OptionError(settings.out == "-"
                                    ? "--sqlite-table: expected -o, the database to write"
                                    : "--where-file: completed rows are written as a file of texts, "
                                      "expected -o of another ending than that of a database");
  if (!settings.format.empty() && settings.to_database())
    throw rowsmith::OptionError("--format: a database is written, expected -o of another ending");
  if (settings.to_arrow() && !settings.where_file.empty())
    throw rowsmith::OptionError("--where-file: completed rows are written as a file of texts, expected -o of "
                                "another ending than those of Arrow, or --format csv");
  if (settings.out != "-")
    check_outputs({{"MODEL", settings.model}, {"--where-file", settings.where_file}}, {{"-o", settings.out}});
  auto model = rowsmith::load_model(settings.model);
  if (settings.unguided)
    model = model.without_guide();
  if (!settings.label.empty())
    wrong_use("--label", [&] { return model.label_index(settings.label); });
  const auto format = format_of(model, settings.plain);
  if (format.schema().columns() != model.schema().columns())
    throw rowsmith::ModelFileError(settings.model +
                                   ": its format is of other columns than the model's; use --plain");
  if (!settings.where_file.empty())
    return run_complete(settings, model, format);
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
  const auto slice = slice_of(settings);
  if (settings.to_database()) {
    rowsmith::write_sqlite(
        settings.out, settings.sqlite_table.empty() ? "synthetic" : settings.sqlite_table, format,
        model.empty_table(), settings.seed, [&](rowsmith::SqliteRowWriter& writer) {
          each_block(model, parts, options, slice, [&](const rowsmith::Table& table, std::uint64_t first) {
            writer.append(table, first);
            return true;
          });
        });
    return 0;
  }
  if (const auto kind = settings.to_arrow()) {
    write_output(settings.out, "the rows", [&](std::ostream& out) {
      rowsmith::ArrowIpcWriter writer(out, *kind, format, model.empty_table(), settings.seed);
      each_block(model, parts, options, slice, [&](const rowsmith::Table& table, std::uint64_t first) {
        writer.append(table, first);
        return static_cast<bool>(out); // else it is told of
      });
      writer.finish();
    });
    return 0;
  }
  const rowsmith::TableFileWriter writer(format, settings.seed);
  write_output(settings.out, "the rows", [&](std::ostream& out) {
    if (slice.first)
      out << writer.header();
    // Blocks, so that memory does not grow with the rows; each is written while the next one is made.
    constexpr std::uint64_t block = 16'384;
    constexpr std::size_t piece = 2'048; // of a block, made into text on one thread
    std::vector<std::string> texts((block + piece - 1) / piece);
    std::string written;
    std::future<void> writing;
    for (std::uint64_t begin = slice.begin; begin < slice.end; begin += block) {
      const auto count = static_cast<std::size_t>(std::min(block, slice.end - begin));
      options.first_row = begin;
      const auto table = model.sample(count, parts, options);
      const std::size_t pieces = (count + piece - 1) / piece;
      rowsmith::parallel_for(pieces, rowsmith::resolve_threads(settings.threads), [&](std::size_t k) {
        texts[k].clear();
        writer.append(texts[k], table, k * piece, std::min(count, (k + 1) * piece), begin);
      });
      if (writing.valid())
        writing.get();
      if (!out)
        return; // which is told of
      written.clear();
      for (std::size_t k = 0; k < pieces; ++k)
        written += texts[k];
      writing = std::async(std::launch::async, [&out, &written] {
        out.write(written.data(), static_cast<std::streamsize>(written.size()));
      });
    }
    if (writing.valid())
      writing.get();
  });
  return 0;
}

inline Run add_sample(CLI::App& app) {
  auto& command =
      *app.add_subcommand("sample", "Makes rows with a model, as the table was written that it learnt");
  const auto settings = std::make_shared<SampleSettings>();
  command.add_option("model", settings->model, "The model file")->required();
  auto* const rows =
      add_whole_number(command, "-n,--rows", settings->rows, "How many", 1, std::uint64_t{1} << 44U);
  command
      .add_option(
          "-o,--out", settings->out,
          "The file to write, compressed if it ends in .gz or .zst, a database of SQLite if it ends in "
          ".db, .sqlite or .sqlite3, a file or a stream of Arrow's if it ends in .arrow or .arrows; - for "
          "the standard output")
      ->capture_default_str();
  command
      .add_option("--format", settings->format,
                  "csv: as the table was written; arrow, arrows: a file or a stream of Arrow's, whatever "
                  "the ending of -o")
      ->check(CLI::IsMember({"csv", "arrow", "arrows"}));
  command
      .add_option("--sqlite-table", settings->sqlite_table,
                  "Write a database of SQLite with a table of this name, which is synthetic unless told")
      ->type_name("NAME");
  add_whole_number(command, "--seed", settings->seed, "Row i depends on the model, the seed and i only");
  add_whole_number(command, "--first-row", settings->first_row, "The number of the first row", 0,
                   std::uint64_t{1} << 44U);
  auto* const part =
      command
          .add_option("--part", settings->part,
                      "One of several parts of the rows, such as 3/8: made by several processes "
                      "or machines, and put one behind the other, they are the rows of one")
          ->type_name("K/N");
  auto* const label = command.add_option("--label", settings->label,
                                         "Of a conditional model: make rows with this label only");
  auto* const where =
      command
          .add_option(
              "--where", settings->where,
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
  auto* const balance =
      command.add_option("--balance", settings->balance, "As many rows of each category of a column")
          ->excludes(quota);
  auto* const allow_rare =
      command.add_flag("--allow-rare", settings->allow_rare,
                       "Conditions that hardly any row meets: the best rows that are found, not an error");
  command
      .add_option("--where-file", settings->where_file,
                  "Rows to complete, in place of -n: a file of some or all columns, whose missing cells are "
                  "filled as the model has them in rows with the other cells")
      ->type_name("FILE")
      ->excludes(rows)
      ->excludes(part)
      ->excludes(label)
      ->excludes(where)
      ->excludes(quota)
      ->excludes(balance)
      ->excludes(allow_rare);
  command.add_flag(
      "--expect", settings->expect,
      "Fill cells with the mean or the most frequent category in place of a draw: the best single "
      "guess, which varies less than real cells do");
  add_whole_number(command, "--threads", settings->threads, "0: all; never changes the result", 0, 4096);
  command.add_flag("--plain", settings->plain,
                   "Comma-separated, numbers with points, and only the columns that were learnt");
  command.add_flag("--unguided", settings->unguided,
                   "Take every row as it is drawn: several times as many a second, further from real ones");
  command.add_flag("--quiet", settings->quiet, "No progress of --where-file");
  command.footer("rowsmith sample people.model -n 1000000 --seed 7 -o synthetic.csv\n"
                 "rowsmith sample people.model -n 500 --where 'sex = Female' --where 'age >= 60'\n"
                 "rowsmith sample people.model --where-file partial.csv -o complete.csv");
  return [settings] { return run_sample(*settings); };
}

} // namespace program
