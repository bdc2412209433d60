// SPDX-License-Identifier: MIT
/// \file
/// The exceptions rowsmith throws. Each carries, besides its text, the facts a program may want to act on.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN

/// Base of every exception thrown by this library, other than std::bad_alloc where memory runs out.
class Error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// An option outside its documented range; the text names the option, its value and the range.
class OptionError : public Error {
public:
  using Error::Error;
};

/// A CSV file that cannot be read as asked. Lines and columns count from 1; 0 means "the file as a whole".
class CsvError : public Error {
public:
  CsvError(std::string file, std::size_t line, std::size_t column, const std::string& what)
      : Error(text(file, line, column, what)), file_(std::move(file)), line_(line), column_(column) {}

  const std::string& file() const noexcept { return file_; }
  std::size_t line() const noexcept { return line_; }
  std::size_t column() const noexcept { return column_; }

private:
  static std::string text(const std::string& file, std::size_t line, std::size_t column,
                          const std::string& what) {
    std::string result = file;
    if (line != 0)
      result += ':' + std::to_string(line);
    if (line != 0 && column != 0)
      result += ':' + std::to_string(column);
    return result + ": " + what;
  }
  std::string file_;
  std::size_t line_;
  std::size_t column_;
};

/// A table, schema or label that does not fit what was asked of it (unknown column, unseen category, …).
class SchemaError : public Error {
public:
  using Error::Error;
};

/// Conditions that hardly any row of a model meets, or none; the text names the one at fault.
class RareConditionsError : public Error {
public:
  using Error::Error;
};

/// Matrices or spans whose sizes do not fit together; the text names the operation and both sizes.
class ShapeError : public Error {
public:
  using Error::Error;
};

/// Training that cannot go on, such as a loss that is no longer finite.
class TrainingError : public Error {
public:
  TrainingError(std::string stage, std::size_t epoch, std::size_t step, const std::string& what)
      : Error("training stage '" + stage + "', epoch " + std::to_string(epoch) + ", step " +
              std::to_string(step) + ": " + what),
        stage_(std::move(stage)), epoch_(epoch), step_(step) {}

  const std::string& stage() const noexcept { return stage_; }
  std::size_t epoch() const noexcept { return epoch_; }
  std::size_t step() const noexcept { return step_; }

private:
  std::string stage_;
  std::size_t epoch_;
  std::size_t step_;
};

/// A model file that is truncated, altered, foreign, or of a version this library cannot read.
class ModelFileError : public Error {
public:
  using Error::Error;
};

namespace detail {
/// A text in quotes for a message. Of one that is longer than 60 bytes, those and "…": a message must not
/// grow with what it complains of.
inline std::string in_quotes(std::string_view text) {
  constexpr std::size_t most = 60;
  if (text.size() <= most)
    return "'" + std::string(text) + "'";
  std::size_t end = most;
  while (end > most - 3 &&
         (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) // within a UTF-8 character
    --end;
  return "'" + std::string(text.substr(0, end)) + "…'";
}
} // namespace detail

ROWSMITH_END
