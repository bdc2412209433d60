// SPDX-License-Identifier: MIT
/// \file
/// Files of one table, read one after the other in chunks.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/csv/dialect.hpp>
#include <rowsmith/table/table_file.hpp>
#include <rowsmith/table/text_records.hpp>
#include <rowsmith/table/text_source.hpp>

ROWSMITH_BEGIN
namespace detail {

/// One table in one or several files, as chunks of texts; can be read any number of times.
class TextFiles final : public TextSource {
public:
  /// \throws OptionError for no file, CsvError for one that cannot be read, or has other columns than the
  /// first
  TextFiles(std::vector<std::string> paths, const TableFileOptions& options)
      : paths_(std::move(paths)), open_(options.open) {
    if (paths_.empty())
      throw OptionError("there is no file to read");
    auto known = options.dialect;
    for (const auto& path : paths_) {
      dialects_.push_back(find_dialect(path, known, open_));
      known.encoding_like = dialects_.front().encoding;
      known.header = dialects_.front().header; // a file of one row says nothing about it
      std::error_code none;
      const auto size = std::filesystem::file_size(path, none);
      bytes_.push_back(none ? 0 : static_cast<double>(size));
      all_bytes_ += bytes_.back();
    }
    rewind();
    names_ = records_->names();
  }

  /// How the first file is written down.
  const CsvDialect& dialect() const noexcept override { return dialects_.front(); }
  const std::vector<std::string>& names() const noexcept override { return names_; }
  std::string name() const override {
    return paths_.size() == 1 ? paths_.front()
                              : paths_.front() + " and " + std::to_string(paths_.size() - 1) + " more";
  }
  std::string path() const override { return paths_[chunk_file_]; }
  std::size_t repeated() const noexcept override { return repeated_ + (records_ ? records_->repeated() : 0); }
  /// Of bytes; of compressed files an estimate.
  double share_done() const noexcept override {
    double done = 0;
    for (std::size_t i = 0; i < file_ && i < bytes_.size(); ++i)
      done += bytes_[i];
    if (records_) // of a compressed file, its text counts: too much, but never more than its bytes
      done += std::min(static_cast<double>(records_->bytes()), bytes_[file_]);
    return all_bytes_ > 0 ? done / all_bytes_ : 0;
  }

  std::vector<std::uint64_t> file_starts() const override { return starts_; }

  void rewind() override {
    file_ = 0;
    rows_ = 0;
    starts_.clear();
    repeated_ = 0;
    begin_file();
  }
  /// Those of one file.
  bool next(TextChunk& chunk, std::size_t most) override {
    while (records_) {
      clear(chunk, names_.size(), rows_);
      chunk_file_ = file_;
      batch_.clear();
      const std::size_t before = records_->bytes();
      while (chunk.rows < most && records_->bytes() - before < most_bytes && records_->next()) {
        batch_.add(records_->fields(), place_, records_->line(), chunk.columns);
        ++chunk.rows;
      }
      batch_.flush(chunk.columns);
      rows_ += chunk.rows;
      if (chunk.rows > 0)
        return true;
      repeated_ += records_->repeated();
      ++file_;
      begin_file();
    }
    return false;
  }

private:
  static constexpr std::size_t most_bytes = std::size_t{1} << 26U; ///< about, of a chunk

  void begin_file() {
    records_.reset();
    starts_.push_back(rows_);
    if (file_ == paths_.size())
      return;
    records_ = std::make_unique<TextRecords>(paths_[file_], dialects_[file_], open_);
    const auto& names = records_->names();
    place_.resize(names.size());
    std::vector<bool> taken(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      // Two columns of one name are told of later; the first file says which columns there are.
      const auto found =
          names_.empty() || (i < names_.size() && names_[i] == names[i])
              ? i
              : static_cast<std::size_t>(std::find(names_.begin(), names_.end(), names[i]) - names_.begin());
      if (!names_.empty() && found == names_.size())
        throw CsvError(paths_[file_], 1, i + 1,
                       "the column " + in_quotes(names[i]) + " is none of " + paths_.front());
      if (found < taken.size() && taken[found])
        throw CsvError(paths_[file_], 1, i + 1,
                       "the column name " + in_quotes(names[i]) +
                           " is there twice, expected different names");
      if (found < taken.size())
        taken[found] = true;
      place_[i] = found;
    }
    if (!names_.empty() && names.size() != names_.size())
      throw CsvError(paths_[file_], 1, 0,
                     std::to_string(names.size()) + " columns, expected " + std::to_string(names_.size()) +
                         " as in " + paths_.front());
  }

  std::vector<std::string> paths_;
  FileOpener open_;
  std::vector<CsvDialect> dialects_;
  std::vector<double> bytes_;
  double all_bytes_ = 0;
  std::vector<std::string> names_;
  std::size_t file_ = 0;
  std::size_t chunk_file_ = 0;
  std::uint64_t rows_ = 0;
  std::vector<std::uint64_t> starts_;
  std::size_t repeated_ = 0;
  std::unique_ptr<TextRecords> records_;
  TextRowBatch batch_;
  std::vector<std::size_t> place_; ///< of each of the file's columns among all
};

} // namespace detail
ROWSMITH_END
