// SPDX-License-Identifier: MIT
/// \file
/// Training rows from files of any size, read in chunks.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <future>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/progress.hpp>
#include <rowsmith/encoding/table_encoder.hpp>
#include <rowsmith/prepare/preparation.hpp>
#include <rowsmith/table/sketched_table.hpp>
#include <rowsmith/table/table_file.hpp>
#include <rowsmith/table/text_files.hpp>
#include <rowsmith/table/text_sketch.hpp>
#include <rowsmith/table/text_source.hpp>
#include <rowsmith/train/options.hpp>
#include <rowsmith/train/training_rows.hpp>

ROWSMITH_BEGIN

/// How `read_training_rows` reads.
struct ReadOptions {
  SketchOptions sketch{};
  /// Where the encoded rows are put, in a file without a name; empty: the folder of temporary files.
  std::filesystem::path folder{};
  std::size_t chunk_rows = 32'768; ///< never changes the result; ≥ 1
  /// What the columns mean, and are called; nothing: found out.
  std::optional<TableFormat> format{};
};

/// Files as a training takes them.
struct TrainingFiles {
  TrainingRows rows{};
  /// What was found out about the files, and the rows that it was found out from: of a large table some, see
  /// `SketchOptions`.
  TableFile file{};
  std::size_t passes = 0; ///< how often the files were read
};

namespace detail {

/// Reads the files of a table once to see what it is, and once to encode it.
class TrainingFilesReader {
public:
  TrainingFilesReader(TextSource& files, const TableFileOptions& file_options, const TrainerOptions& options,
                      const ReadOptions& reading, const ProgressCallback& callback)
      : files_(files), file_options_(file_options), options_(options), reading_(reading), callback_(callback),
        sketch_(files_.names().size(), sketch_options(options, reading)) {
    if (reading.chunk_rows == 0)
      throw OptionError("chunk_rows = 0: expected 1 or more");
  }

  TrainingFiles read() {
    each_chunk("reading", [this](const TextChunk& chunk) { sketch_.add(chunk); });
    repeated_ = files_.repeated();
    file_starts_ = files_.file_starts();
    TrainingRows::check_count(static_cast<std::size_t>(
        std::min<std::uint64_t>(sketch_.rows(), std::numeric_limits<std::size_t>::max())));
    // What some of the rows say of a column can be refuted by others: these are then kept as well, and the
    // rows encoded anew. Each time at least one column or relation is told better; a few times are enough.
    for (std::size_t attempt = 0; attempt < 8; ++attempt) {
      learn();
      if (encode())
        return {std::move(rows_), std::move(file_), passes_};
    }
    throw SchemaError(
        files_.name() + ": row " + std::to_string(refuted_ + 1) + " " + refutation_ +
        ", and so on: the file changes while it is read, or its columns mean more than one thing");
  }

private:
  static SketchOptions sketch_options(const TrainerOptions& options, const ReadOptions& reading) {
    auto sketch = reading.sketch;
    sketch.numbers = std::max(sketch.numbers, options.encoding.max_exact_values + 1);
    return sketch;
  }

  /// Calls `take(chunk)` for all chunks, while the next one is read on another thread.
  template <class Take>
  void each_chunk(const char* stage, const Take& take) {
    ++passes_;
    const auto read_next = [this](TextChunk chunk) {
      const bool more = files_.next(chunk, reading_.chunk_rows);
      if (!more)
        chunk.rows = 0;
      return chunk;
    };
    const auto begin = std::chrono::steady_clock::now();
    TextChunk chunk = read_next({});
    TextChunk spare;
    while (chunk.rows > 0) {
      const double share = files_.share_done();
      path_ = files_.path();
      auto next = std::async(std::launch::async, read_next, std::move(spare));
      take(chunk);
      spare = std::move(chunk);
      chunk = next.get();
      tell(stage, share, begin, chunk.rows == 0);
    }
  }
  void tell(const char* stage, double share, std::chrono::steady_clock::time_point begin, bool done) const {
    Progress progress;
    progress.stage = stage;
    progress.epochs = 100;
    progress.epoch = done ? 100 : static_cast<std::size_t>(100 * share);
    progress.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (share > 0)
      progress.seconds_left = done ? 0 : progress.seconds * (1 - share) / share;
    progress.stage_done = done;
    report(callback_, progress);
  }

  /// What the rows that are kept say about the table.
  void learn() {
    auto texts = sketch_.table(files_.names());
    texts.file_starts = file_starts_;
    const auto by_chance = texts.by_chance;
    auto category_rows = estimated_counts(texts); // of all rows, by column
    texts.finish(files_.name(), files_.dialect().header, repeated_);
    if (reading_.format)
      file_ = table_like(std::move(texts));
    else
      file_ = table_of_texts(std::move(texts), files_.name(), files_.dialect(), file_options_);
    places_.clear();
    for (const auto& column : file_.format.columns)
      places_.push_back(static_cast<std::size_t>(
          std::find(files_.names().begin(), files_.names().end(), column.name) - files_.names().begin()));
    auto preparation = TrainingRows::preparation_options(options_);
    preparation.dates = file_.format.dates();
    rows_ = {};
    rows_.preparation = Preparation::fit(file_.table, preparation);
    std::map<std::string, const CategoryCounts*> counts;
    for (std::size_t c = 0; c < file_.format.columns.size() && !sketch_.whole(); ++c) {
      const auto& column = file_.format.columns[c];
      if (places_[c] == files_.names().size() || TableFormat::kind_of(column.role) != ColumnKind::categorical)
        continue;
      auto& rows = category_rows[column.name];
      if (const auto* known = sketch_.counts(places_[c])) {
        SketchedColumn counted;
        std::size_t missing = 0;
        count_categories(*known, column, file_options_.roles, counted, missing);
        rows = {counted.categories.begin(), counted.categories.end()};
      }
      counts[column.name] = &rows;
    }
    rows_.encoder = TableEncoder::fit(rows_.preparation.forward_training(file_.table), options_.encoding,
                                      counts, by_chance);
  }
  /// About how many rows have each text of the columns that have too many to be counted: none but those by
  /// chance tell.
  std::map<std::string, CategoryCounts> estimated_counts(const TextTable& texts) const {
    std::map<std::string, CategoryCounts> result;
    const auto chance = static_cast<double>(std::count(texts.by_chance.begin(), texts.by_chance.end(), true));
    for (std::size_t c = 0; c < texts.columns.size() && chance > 0; ++c) {
      if (sketch_.counts(c) != nullptr)
        continue;
      auto& counts = result[texts.names[c]];
      const auto codes = texts.columns[c].codes();
      for (std::size_t row = 0; row < codes.size(); ++row)
        if (const auto text = texts.columns[c][codes[row]]; text.quoted || !text.text.empty())
          counts[std::string(text.text)] += texts.by_chance[row] ? 1U : 0U;
      for (auto& [text, count] : counts)
        count = std::max<std::size_t>(1, static_cast<std::size_t>(static_cast<double>(count) *
                                                                  static_cast<double>(texts.rows) / chance));
    }
    return result;
  }
  /// The same for columns whose meaning is known.
  TableFile table_like(const TextTable& texts) const {
    TableFile file;
    file.format = *reading_.format;
    file.rows = texts.rows;
    file.table = detail::table_like(texts, files_.name(), file.format, file_options_.roles);
    return file;
  }

  /// Encodes all rows. \returns false if some of them refute what is known of the table; the sketch then has
  /// such rows as well
  bool encode() {
    const auto& encoder = rows_.encoder;
    const auto rows = static_cast<std::size_t>(sketch_.rows());
    files_.rewind();
    rows_.encoded = EncodedTable::in_file(reading_.folder, rows, encoder.code_columns(),
                                          encoder.number_columns(), encoder.max_code());
    refutations_ = 0;
    broken_.assign(rows_.preparation.transforms().size(), 0);
    broken_rows_.assign(broken_.size(), {});
    witnesses_.clear();
    new_categories_.clear();
    refutation_.clear();
    std::uint64_t seen = 0;
    each_chunk("encoding", [&](const TextChunk& chunk) {
      if (chunk.first_row != seen || chunk.rows > rows - seen)
        throw CsvError(path_, 0, 0, "the file has changed while it was read");
      seen += chunk.rows;
      take(chunk);
    });
    if (seen != rows)
      throw CsvError(files_.name(), 0, 0, "the files have fewer rows than they had before");
    for (std::size_t t = 0; t < broken_.size(); ++t)
      if (static_cast<double>(broken_[t]) >
          (1 - options_.preparation.min_share) * static_cast<double>(rows) + 1e-6) {
        if (refutation_.empty())
          refutation_ = "breaks a relation that others keep";
        refutations_ += broken_[t];
        for (const auto& chunk : broken_rows_[t])
          sketch_.add_witness(chunk, 0);
      }
    if (refutations_ > 0)
      return false;
    if (!broken_.empty())
      rows_.preparation = rows_.preparation.with_exceptions(broken_);
    return true;
  }
  void take(const TextChunk& chunk) {
    std::vector<Column> columns;
    std::size_t known = 0; // of the table
    for (std::size_t c = 0; c < file_.format.columns.size(); ++c) {
      const auto& format = file_.format.columns[c];
      if (!TableFormat::kind_of(format.role))
        continue;
      const auto& texts = chunk.columns[places_[c]];
      try {
        columns.push_back(table_column(texts, format, file_options_.roles));
      } catch (const SchemaError& error) {
        refute_texts(chunk, texts, format, error.what());
        return;
      }
      if (columns.back().kind == ColumnKind::numerical) {
        columns.back().decimals = file_.table[known].decimals;
        if (!reading_.format)
          round(chunk, columns.back(), file_.found[c]);
      }
      ++known;
    }
    std::vector<std::vector<std::size_t>> broken;
    const Table prepared =
        rows_.preparation.forward_training(Table(std::move(columns), file_.format.label), broken);
    for (std::size_t t = 0; t < broken.size(); ++t) {
      broken_[t] += broken[t].size();
      for (const auto row : broken[t])
        if (broken_rows_[t].size() < most_witnesses)
          broken_rows_[t].push_back(alone(chunk, row));
    }
    for (std::size_t c = 0; c < prepared.size(); ++c)
      refute_cells(chunk, prepared[c], rows_.encoder.codecs()[c]);
    if (refutations_ == 0)
      rows_.encoded.put(static_cast<std::size_t>(chunk.first_row), rows_.encoder.encode(prepared));
  }

  /// How many rows that refute what is known of one column are kept.
  static constexpr std::size_t most_witnesses = 1000;

  void refute(const TextChunk& chunk, std::size_t row, const std::string& column, const std::string& what,
              bool always = false) {
    if (refutations_++ == 0) {
      refuted_ = chunk.first_row + row;
      refutation_ = what;
    }
    if (always || ++witnesses_[column] <= most_witnesses)
      sketch_.add_witness(chunk, row);
  }
  /// Finds the texts that a column has no place for.
  void refute_texts(const TextChunk& chunk, const TextColumn& texts, const ColumnFormat& format,
                    const std::string& what) {
    std::vector<bool> wrong(texts.size());
    std::size_t count = 0;
    for (std::size_t code = 0; code < texts.size() && count < most_witnesses; ++code) {
      TextColumn one;
      one.add(texts[code].text, texts[code].quoted, texts[code].first_line);
      try {
        table_column(one, format, file_options_.roles);
      } catch (const SchemaError&) {
        wrong[code] = true;
        ++count;
      }
    }
    const auto codes = texts.codes();
    for (std::size_t row = 0; row < codes.size(); ++row)
      if (wrong[codes[row]]) {
        wrong[codes[row]] = false;
        refute(chunk, row, format.name, what);
      }
    if (reading_.format || count == 0) // it is not found out, and so cannot be told better
      throw CsvError(path_, 0, 0, what);
  }
  /// Rounds what has more digits than its column is written with. Where nobody did yet, that refutes how the
  /// column is written.
  void round(const TextChunk& chunk, Column& column, const FoundFormat& found) {
    const auto before = found.rounded > 0 ? std::vector<double>() : column.values;
    if (round_to_decimals(column) == 0 || found.rounded > 0)
      return;
    for (std::size_t row = 0; row < chunk.rows; ++row)
      if (!std::isnan(before[row]) && before[row] != column.values[row])
        refute(chunk, row, column.name, "of column '" + column.name + "' has more digits than others");
  }
  /// Finds the cells that a codec has no code for, or would have to move.
  void refute_cells(const TextChunk& chunk, const Column& column, const ColumnCodec& codec) {
    if (column.kind == ColumnKind::categorical)
      refute_categories(chunk, column, codec);
    const auto refute_cell = [&](std::size_t row, const char* what) {
      refute(chunk, row, column.name, "of column '" + column.name + "' " + what);
    };
    if (column.kind == ColumnKind::categorical) {
      for (std::size_t row = 0; row < chunk.rows && !codec.has_missing; ++row)
        if (column.codes[row] == missing_code)
          refute_cell(row, "is missing");
      return;
    }
    for (std::size_t row = 0; row < chunk.rows; ++row) {
      const double value = column.values[row];
      if (std::isnan(value)) {
        if (!codec.has_missing)
          refute_cell(row, "is missing");
      } else if (!has_place(codec, value)) {
        refute_cell(row, "holds another number");
      }
    }
  }
  /// Keeps a row for each new category, however many there are.
  void refute_categories(const TextChunk& chunk, const Column& column, const ColumnCodec& codec) {
    if (codec.has_other)
      return;
    std::vector<bool> is_new;
    bool any = false;
    for (const auto& text : column.dictionary.texts()) {
      is_new.push_back(!std::binary_search(codec.categories.begin(), codec.categories.end(), text) &&
                       new_categories_[column.name].insert(text).second);
      any = any || is_new.back();
    }
    for (std::size_t row = 0; row < chunk.rows && any; ++row)
      if (!column.is_missing(row) && is_new[static_cast<std::size_t>(column.codes[row])]) {
        is_new[static_cast<std::size_t>(column.codes[row])] = false;
        refute(chunk, row, column.name, "of column '" + column.name + "' has a new category", true);
      }
  }
  /// A chunk of one row.
  static TextChunk alone(const TextChunk& chunk, std::size_t row) {
    TextChunk one;
    one.first_row = chunk.first_row + row;
    one.rows = 1;
    for (const auto& column : chunk.columns) {
      const auto text = column[column.codes()[row]];
      one.columns.emplace_back().add(text.text, text.quoted, text.first_line);
    }
    return one;
  }

  TextSource& files_;
  const TableFileOptions& file_options_;
  const TrainerOptions& options_;
  const ReadOptions& reading_;
  const ProgressCallback& callback_;
  TextSketch sketch_;
  std::string path_;
  std::size_t repeated_ = 0;
  std::vector<std::uint64_t> file_starts_;
  std::size_t passes_ = 0;
  TableFile file_;
  TrainingRows rows_;
  std::vector<std::size_t> places_;                             ///< of the format's columns among the files'
  std::vector<std::size_t> broken_;                             ///< rows by transform
  std::vector<std::vector<TextChunk>> broken_rows_;             ///< by transform, each a chunk of its own
  std::map<std::string, std::size_t> witnesses_;                ///< by column
  std::map<std::string, std::set<std::string>> new_categories_; ///< by column
  std::size_t refutations_ = 0;
  std::uint64_t refuted_ = 0; ///< the first row that does
  std::string refutation_;
};

} // namespace detail

/// Reads a table from files, twice: once to find out what its columns are and how they are encoded, from all
/// of its texts but with the rows of a sketch in memory alone; and once to encode the rows, into a file.
/// Memory is bounded whatever the number of rows; a table that the sketch holds whole is encoded as
/// `TrainingRows::of` encodes it. Rows that do not fit to what others said are added to the sketch, and the
/// files read once more.
///
/// \code
/// RecipeOptions<DefaultRecipe> options;
/// auto read = read_training_rows({"2024.csv", "2025.csv"}, {.label = "income"}, options);
/// const auto model = DefaultRecipe::Trainer(options).fit(std::move(read.rows), progress_bar());
/// \endcode
/// \param options  of the training; its dates are those that the files say
/// \throws CsvError, SchemaError, OptionError as `read_table_file` and `Trainer::fit` do; Error if the disk
/// has no place for the encoded rows
inline TrainingFiles read_training_rows(const std::vector<std::string>& paths,
                                        const TableFileOptions& file_options, const TrainerOptions& options,
                                        const ReadOptions& reading = {},
                                        const ProgressCallback& callback = {}) {
  detail::TextFiles files(paths, reading.format ? detail::written_like(file_options, *reading.format)
                                                : file_options);
  return detail::TrainingFilesReader(files, file_options, options, reading, callback).read();
}
/// The same of rows from elsewhere: of a database, of memory, or of a class of your own that derives from
/// `TextSource`. \throws also what the source does
inline TrainingFiles read_training_rows(TextSource& source, const TableFileOptions& file_options,
                                        const TrainerOptions& options, const ReadOptions& reading = {},
                                        const ProgressCallback& callback = {}) {
  source.rewind();
  return detail::TrainingFilesReader(source, file_options, options, reading, callback).read();
}

ROWSMITH_END
