// SPDX-License-Identifier: MIT
// How the subcommands read tables: what is found out about a file, and what the user declares instead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <stdlib.h>
#include <unistd.h>

#include <rowsmith/csv/compressed.hpp>
#include <rowsmith/evaluate/privacy.hpp>
#include <rowsmith/evaluate/some_rows.hpp>
#include <rowsmith/io/table_format_json.hpp>
#include <rowsmith/prepare/preparation.hpp>
#include <rowsmith/sqlite/sqlite_rows.hpp>
#include <rowsmith/table/likely_wrong.hpp>
#include <rowsmith/table/sketched_table.hpp>
#include <rowsmith/table/table_chunks.hpp>
#include <rowsmith/table/table_file.hpp>
#include <rowsmith/train/read_training_rows.hpp>

#include "command.hpp"

namespace program {

// What comes in by the standard input, as a file for as long as it lives.
class StandardInput {
public:
  StandardInput() : path_((std::filesystem::temp_directory_path() / "rowsmith-input-XXXXXX").string()) {
    const int file = mkstemp(path_.data());
    if (file < 0)
      throw rowsmith::Error(path_ + ": cannot be written");
    close(file);
    std::ofstream out(path_, std::ios::binary);
    if (std::cin.peek() != std::char_traits<char>::eof())
      out << std::cin.rdbuf();
    if (!out.flush()) {
      std::filesystem::remove(path_);
      throw rowsmith::Error(path_ + ": cannot be written; is the disk full?");
    }
  }
  StandardInput(const StandardInput&) = delete;
  StandardInput& operator=(const StandardInput&) = delete;
  ~StandardInput() { std::remove(path_.c_str()); }
  const std::string& path() const noexcept { return path_; }

private:
  std::string path_;
};

// Calls `work(paths)` with files that can be read more than once: the standard input as one.
template <class Work>
auto with_files(const std::vector<std::string>& paths, const Work& work) {
  if (paths.size() != 1 || paths.front() != "-")
    return work(paths);
  const StandardInput copy;
  return work(std::vector<std::string>{copy.path()});
}

// Read in chunks, or the whole table at once? Large files would take several times their size.
inline bool read_in_chunks(const std::vector<std::string>& files) {
  constexpr std::uintmax_t large = 64 << 20;
  std::uintmax_t bytes = 0;
  bool compressed = false; // how large they are, nobody knows
  for (const auto& file : files) {
    compressed = compressed || rowsmith::compression_of_name(file) != rowsmith::Compression::none;
    std::error_code none;
    const auto size = std::filesystem::file_size(file, none);
    bytes += none ? 0 : size;
  }
  return compressed || files.size() > 1 || bytes > large;
}

// Refuses a choice of how to read that contradicts itself.
inline void check_reading(bool stream, bool in_memory, std::size_t files) {
  if (stream && in_memory)
    throw rowsmith::OptionError("--stream and --in-memory: expected one of the two");
  if (in_memory && files > 1)
    throw rowsmith::OptionError("--in-memory: expected one file; several are read in chunks");
}

// Options of reading, as the command line has them.
struct InputSettings {
  std::string delimiter;
  std::string encoding;
  bool header = false;
  bool no_header = false;
  std::vector<std::string> missing;
  std::vector<std::string> categorical;
  std::vector<std::string> identifiers;
  std::vector<std::string> texts;
  std::vector<std::string> dropped;
  bool day_first = false;
  bool month_first = false;
  std::string label;
  std::string schema;           // a file of --schema-out
  rowsmith::SqliteQuery sqlite; // in place of files

  bool from_database() const noexcept { return !sqlite.file.empty(); }
  // Throws OptionError unless there are either files or a database.
  void check_source(std::size_t files) const {
    if (from_database() && files > 0)
      throw rowsmith::OptionError("FILE: expected none beside --sqlite");
    if (!from_database() && files == 0)
      throw rowsmith::OptionError("FILE: is missing; expected a table, or --sqlite");
    if (!from_database() && !(sqlite.query.empty() && sqlite.table.empty()))
      throw rowsmith::OptionError("--query and --table: expected --sqlite beside them");
    if (from_database() && (!delimiter.empty() || !encoding.empty() || header || no_header))
      throw rowsmith::OptionError(
          "--sqlite: a database has no --delimiter, --encoding, --header or --no-header");
  }
  // How a table is written down that was read, in a few words.
  std::string written(const rowsmith::TableFile& file) const {
    if (!from_database())
      return file.format.dialect.text();
    return "SQLite" + (sqlite.table.empty() ? std::string() : ", table " + sqlite.table);
  }

  // Throws OptionError for what no file could be.
  rowsmith::TableFileOptions options() const {
    rowsmith::TableFileOptions options;
    if (!delimiter.empty()) {
      const std::string character = delimiter == "\\t" || delimiter == "tab" ? "\t" : delimiter;
      if (character.size() != 1)
        throw rowsmith::OptionError("--delimiter: '" + delimiter + "', expected one character, or \\t");
      options.dialect.delimiter = character[0];
    }
    if (!encoding.empty())
      options.dialect.encoding =
          wrong_use("--encoding", [&] { return rowsmith::text_encoding_from(encoding); });
    if (header && no_header)
      throw rowsmith::OptionError("--header and --no-header: expected one of the two");
    if (header || no_header)
      options.dialect.header = header;
    if (day_first && month_first)
      throw rowsmith::OptionError("--day-first and --month-first: expected one of the two");
    if (day_first || month_first)
      options.roles.day_first = day_first;
    options.roles.missing.insert(options.roles.missing.end(), missing.begin(), missing.end());
    const auto declare = [&](const std::vector<std::string>& names, rowsmith::ColumnRole role) {
      for (const auto& text : names)
        for (std::size_t begin = 0; begin <= text.size();) {
          const std::size_t end = std::min(text.find(',', begin), text.size());
          options.declared[text.substr(begin, end - begin)] = role;
          begin = end + 1;
        }
    };
    declare(categorical, rowsmith::ColumnRole::category);
    declare(identifiers, rowsmith::ColumnRole::identifier);
    declare(texts, rowsmith::ColumnRole::text);
    declare(dropped, rowsmith::ColumnRole::dropped);
    options.label = label;
    options.open = rowsmith::open_compressed;
    return options;
  }
  // The file as texts: nothing is decided by its rows.
  rowsmith::TableFile read_texts(const std::string& path) const {
    if (from_database())
      return rowsmith::read_table_of_texts(*rowsmith::sqlite_rows(sqlite), options());
    return with_files(
        {path}, [&](const auto& paths) { return rowsmith::read_table_of_texts(paths.front(), options()); });
  }
  // What --schema says, if it is given.
  std::optional<rowsmith::TableFormat> declared() const {
    if (schema.empty())
      return {};
    auto format = wrong_use("--schema", [&] { return rowsmith::read_table_format(schema); });
    if (!label.empty())
      format.label = label;
    return format;
  }
  // The file that is learnt, or judged by; - for the standard input.
  rowsmith::TableFile read(const std::string& path) const {
    return with_files({path}, [&](const auto& paths) {
      const auto options = this->options();
      const auto database = from_database() ? rowsmith::sqlite_rows(sqlite) : nullptr;
      const auto format = declared();
      if (!format)
        return database ? rowsmith::read_table_file(*database, options)
                        : rowsmith::read_table_file(paths.front(), options);
      rowsmith::TableFile file;
      file.format = *format;
      file.table = database ? rowsmith::read_table_like(*database, file.format, options)
                            : rowsmith::read_table_like(paths.front(), file.format, options);
      file.rows = file.table.rows();
      return file;
    });
  }
  // The same for files of any size: rows by chance, and what is counted of all.
  rowsmith::SketchedTable read_sketch(const std::vector<std::string>& paths,
                                      const rowsmith::SketchOptions& sketch = {}) const {
    if (from_database())
      return rowsmith::read_sketched_table(*rowsmith::sqlite_rows(sqlite), options(), sketch, declared());
    return with_files(paths, [&](const auto& files) {
      return rowsmith::read_sketched_table(files, options(), sketch, declared());
    });
  }
  // The file that is judged by, and its rows; see `read_judged`.
  rowsmith::TableFile read_first(const std::string& path, std::size_t rows, std::uint64_t seed,
                                 std::size_t& of) const;
  // Another one like it.
  rowsmith::Table read_like(const std::string& path, const rowsmith::TableFormat& format, std::size_t rows,
                            std::uint64_t seed, std::uint32_t stream, std::size_t& of) const;
  // Marks rows that stand anywhere in a file, whatever its size.
  // \returns how many rows it has
  std::size_t
  mark_in_file(const std::string& path, const rowsmith::TableFile& like,
               const std::vector<std::pair<const rowsmith::Table*, std::vector<bool>*>>& marked) const {
    rowsmith::TableChunks chunks({path}, like.format, options());
    std::size_t rows = 0;
    for (rowsmith::Table table; chunks.next(table); rows += table.rows()) {
      if (!like.found.empty()) // its numbers were rounded, when it was found out what they are written with
        table = rowsmith::rounded_like(std::move(table), like.table);
      for (const auto& [wanted, found] : marked)
        rowsmith::evaluate::mark_found(*wanted, table, *found);
    }
    return rows;
  }
  // The same for files of any size, as a training takes them.
  rowsmith::TrainingFiles read_rows(const std::vector<std::string>& paths,
                                    const std::filesystem::path& folder,
                                    const rowsmith::TrainerOptions& training,
                                    const rowsmith::ProgressCallback& progress) const {
    const rowsmith::ReadOptions reading{.folder = folder, .format = declared()};
    if (from_database())
      return rowsmith::read_training_rows(*rowsmith::sqlite_rows(sqlite), options(), training, reading,
                                          progress);
    return with_files(paths, [&](const auto& files) {
      return rowsmith::read_training_rows(files, options(), training, reading, progress);
    });
  }
};

// Rows that are judged where files are too large to be read whole, unless the command line says otherwise.
inline constexpr std::size_t judged_rows = 200'000;

// A file that is judged, or judged by. \param rows  at most so many, by chance; 0: all, but `judged_rows` of
// a file that is read in chunks \param stream  another one for each file of a command, so that rows of the
// same number are not taken together \param of  out: how many the file has
inline rowsmith::TableFile read_judged(const std::string& path, std::size_t rows, std::uint64_t seed,
                                       std::uint32_t stream, std::size_t& of,
                                       const rowsmith::TableFileOptions& options,
                                       const std::optional<rowsmith::TableFormat>& format) {
  const std::size_t most = rows > 0 ? rows : judged_rows;
  auto sketch = rowsmith::read_sketched_table(
      {path}, options, {.rows = most, .chance = rowsmith::evaluate::detail::judged_chance(seed, stream)},
      format);
  of = sketch.file.rows;
  rowsmith::Table some;
  const auto& chance = sketch.rows_by_chance(some);
  if (chance.rows() > most)
    sketch.file.table = rowsmith::evaluate::detail::some_rows(
        chance, most, seed, rowsmith::evaluate::detail::judged_rows + stream);
  else if (!sketch.whole())
    sketch.file.table = std::move(some);
  return std::move(sketch.file);
}

inline rowsmith::TableFile InputSettings::read_first(const std::string& path, std::size_t rows,
                                                     std::uint64_t seed, std::size_t& of) const {
  return with_files({path}, [&](const auto& paths) {
    if (rows > 0 || read_in_chunks(paths))
      return read_judged(paths.front(), rows, seed, 0, of, options(), declared());
    auto file = read(paths.front());
    of = file.rows;
    return file;
  });
}
inline rowsmith::Table InputSettings::read_like(const std::string& path, const rowsmith::TableFormat& format,
                                                std::size_t rows, std::uint64_t seed, std::uint32_t stream,
                                                std::size_t& of) const {
  if (rows > 0 || read_in_chunks({path}))
    return read_judged(path, rows, seed, stream, of, options(), format).table;
  auto table = rowsmith::read_table_like(path, format, options());
  of = table.rows();
  return table;
}

inline void add_input(CLI::App& command, InputSettings& settings, bool with_label = true) {
  const std::string group = "What is known of the file (the rest is found out)";
  if (with_label)
    command.add_option("--label", settings.label, "The column that says what a row is: a category")
        ->group(group);
  command.add_option("--delimiter", settings.delimiter, "Between fields: one character, or \\t")
      ->group(group);
  command.add_option("--encoding", settings.encoding, "utf-8, utf-16le, utf-16be or latin-1")->group(group);
  command.add_flag("--header", settings.header, "The first line holds the columns' names")->group(group);
  command
      .add_flag("--no-header", settings.no_header,
                "The file has no line of names; columns are then column_1, column_2, ...")
      ->group(group);
  command.add_option("--missing", settings.missing, "A text that stands for a missing value; once for each")
      ->group(group)
      ->take_all();
  const auto columns = [&](const char* name, std::vector<std::string>& to, const char* what) {
    command.add_option(name, to, std::string(what) + "; names with commas between, or once for each")
        ->group(group);
  };
  columns(
      "--categorical", settings.categorical,
      "Columns to take as categories although they hold numbers or different texts, such as postal codes");
  columns("--identifier", settings.identifiers, "Columns that are keys: made anew, never learnt");
  columns("--text", settings.texts, "Columns that are free texts: a placeholder stands for them");
  columns("--drop", settings.dropped, "Columns to leave out");
  command.add_flag("--day-first", settings.day_first, "03/04 is the third of April")->group(group);
  command.add_flag("--month-first", settings.month_first, "03/04 is the fourth of March")->group(group);
  command
      .add_option("--schema", settings.schema,
                  "A file that describe --schema-out wrote, edited or not: in place of finding out")
      ->group(group);
}

inline void add_database(CLI::App& command, InputSettings& settings) {
  const std::string group = "A database in place of a file";
  command.add_option("--sqlite", settings.sqlite.file, "A database of SQLite, which is only read")
      ->type_name("FILE")
      ->group(group);
  command
      .add_option("--query", settings.sqlite.query,
                  "The rows to take, such as 'select age, income from people where age >= 18'")
      ->type_name("SELECT")
      ->group(group);
  command
      .add_option(
          "--table", settings.sqlite.table,
          "The table or view to take, in place of a query; with neither, the only table that there is")
      ->type_name("NAME")
      ->group(group);
}

// What a reader of the output should know about how a file was taken.
inline void tell_notes(std::ostream& out, const rowsmith::TableFile& file, const std::string& path) {
  for (const auto& note : file.format.dialect.notes)
    out << path << ": " << note << '\n';
  for (const auto& found : file.found) {
    for (const auto& note : found.notes)
      out << path << ": column '" << found.format.name << "': " << note << '\n';
    for (const auto& warning : found.warnings)
      out << path << ": warning: column '" << found.format.name << "': " << warning << '\n';
  }
}

inline void tell_findings(std::ostream& out, const rowsmith::TableFindings& findings,
                          const std::string& path) {
  for (const auto& note : findings.notes)
    out << path << ": " << note << '\n';
  for (const auto& warning : findings.warnings)
    out << path << ": warning: " << warning << '\n';
}

// What stands between a table and what is learnt of it, in words.
inline std::vector<std::string> relation_lines(const rowsmith::Preparation& preparation) {
  auto lines = preparation.relations();
  for (std::size_t t = 0; t < lines.size(); ++t)
    if (const auto& one = preparation.transforms()[t];
        !std::holds_alternative<rowsmith::CalendarColumn>(one) &&
        !std::holds_alternative<rowsmith::FollowingDate>(one))
      lines[t].insert(0, "kept in every row: ");
  return lines;
}

} // namespace program
