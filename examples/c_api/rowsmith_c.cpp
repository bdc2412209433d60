// SPDX-License-Identifier: MIT
// The functions of rowsmith/deploy/c_api.h: the one source to compile to a library for other languages.
//   c++ -std=c++20 -O3 -march=native -fPIC -shared -fopenmp rowsmith_c.cpp -o librowsmith_c.so
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/deploy/c_api.h>
#include <rowsmith/deploy/sampler.hpp>
#include <rowsmith/io/condition_reader.hpp>
#include <rowsmith/io/model_file.hpp>

struct rowsmith_sampler {
  rowsmith::Sampler sampler;
};
struct rowsmith_scratch {
  const void* columns; // says whose it is
  rowsmith::Sampler::Scratch scratch;
  rowsmith::DynamicRow row;
};

struct rowsmith_conditions {
  rowsmith::DynamicRow row; // says whose they are, and keeps that alive: no other model gets the same columns
  rowsmith::ResolvedConditions resolved;
};

namespace {

// Puts the reason into the caller's text, cut to its size. Then null.
std::nullptr_t refuse(const char* reason, char* error, std::size_t error_size) noexcept {
  if (error != nullptr && error_size > 0) {
    const std::size_t length = std::min(std::strlen(reason), error_size - 1);
    std::memcpy(error, reason, length);
    error[length] = '\0';
  }
  return nullptr;
}
// What `make` makes, or null and the reason why not.
template <class Make>
auto made_or_reason(const Make& make, char* error, std::size_t error_size) noexcept -> decltype(make()) {
  try {
    return make();
  } catch (const std::exception& problem) {
    return refuse(problem.what(), error, error_size);
  } catch (...) {
    return refuse("unknown error", error, error_size);
  }
}

bool has_column(const rowsmith_sampler* sampler, std::size_t column) noexcept {
  return sampler != nullptr && column < sampler->sampler.schema().size();
}
const std::vector<std::string>& texts(const rowsmith_sampler* sampler, std::size_t column) noexcept {
  return sampler->sampler.columns().texts[column];
}
int check(const rowsmith_sampler* sampler, const rowsmith_scratch* scratch, const void* cells) noexcept {
  if (sampler == nullptr || scratch == nullptr || cells == nullptr)
    return ROWSMITH_NULL;
  return scratch->columns == &sampler->sampler.columns() ? ROWSMITH_OK : ROWSMITH_BAD_SCRATCH;
}

void write(const rowsmith::DynamicRow& row, rowsmith_cell* cells) noexcept {
  for (std::size_t i = 0; i < row.size(); ++i)
    cells[i] = {row.number(i), row.category(i).code};
}

} // namespace

extern "C" {

uint32_t rowsmith_c_api_version(void) { return ROWSMITH_C_API_VERSION; }

const char* rowsmith_error_text(int code) {
  switch (code) {
  case ROWSMITH_OK:
    return "no error";
  case ROWSMITH_NULL:
    return "a pointer is null";
  case ROWSMITH_BAD_SCRATCH:
    return "the scratch was made for another sampler";
  case ROWSMITH_BAD_LABEL:
    return "the model has no such label, or the conditions are another model's";
  case ROWSMITH_NO_CODE:
    return "a cell cannot be scored: missing where no training row was, infinite, or an unknown code";
  case ROWSMITH_NO_ROW:
    return "no candidate for the row meets the conditions, which are rare";
  default:
    return "unknown error";
  }
}

rowsmith_sampler* rowsmith_load(const char* path, char* error, size_t error_size) {
  if (path == nullptr)
    return refuse("the path is null", error, error_size);
  return made_or_reason(
      [path] { return new rowsmith_sampler{rowsmith::Sampler(rowsmith::load_model(path))}; }, error,
      error_size);
}
void rowsmith_free(rowsmith_sampler* sampler) { delete sampler; }

rowsmith_scratch* rowsmith_scratch_new(const rowsmith_sampler* sampler) {
  if (sampler == nullptr)
    return nullptr;
  try {
    return new rowsmith_scratch{&sampler->sampler.columns(), sampler->sampler.scratch(),
                                sampler->sampler.row()};
  } catch (...) {
    return nullptr;
  }
}
void rowsmith_scratch_free(rowsmith_scratch* scratch) { delete scratch; }

size_t rowsmith_columns(const rowsmith_sampler* sampler) {
  return sampler == nullptr ? 0 : sampler->sampler.schema().size();
}
const char* rowsmith_column_name(const rowsmith_sampler* sampler, size_t column) {
  return has_column(sampler, column) ? sampler->sampler.schema()[column].name.c_str() : nullptr;
}
int rowsmith_column_is_categorical(const rowsmith_sampler* sampler, size_t column) {
  return has_column(sampler, column) &&
                 sampler->sampler.schema()[column].kind == rowsmith::ColumnKind::categorical
             ? 1
             : 0;
}
size_t rowsmith_categories(const rowsmith_sampler* sampler, size_t column) {
  return has_column(sampler, column) ? texts(sampler, column).size() : 0;
}
const char* rowsmith_category(const rowsmith_sampler* sampler, size_t column, int32_t code) {
  if (!has_column(sampler, column) || code < 0 ||
      static_cast<std::size_t>(code) >= texts(sampler, column).size())
    return nullptr;
  return texts(sampler, column)[static_cast<std::size_t>(code)].c_str();
}
size_t rowsmith_labels(const rowsmith_sampler* sampler) {
  return sampler == nullptr ? 0 : sampler->sampler.labels().size();
}
const char* rowsmith_label(const rowsmith_sampler* sampler, size_t label) {
  return label < rowsmith_labels(sampler) ? sampler->sampler.labels()[label].c_str() : nullptr;
}

int rowsmith_sample(const rowsmith_sampler* sampler, rowsmith_scratch* scratch, uint64_t seed, uint64_t index,
                    int64_t label, rowsmith_cell* cells) {
  if (const int error = check(sampler, scratch, cells); error != ROWSMITH_OK)
    return error;
  if (label == ROWSMITH_ANY_LABEL)
    sampler->sampler(seed, index, scratch->scratch, scratch->row);
  else if (label >= 0 && static_cast<std::uint64_t>(label) < sampler->sampler.labels().size())
    sampler->sampler(seed, index, static_cast<std::size_t>(label), scratch->scratch, scratch->row);
  else
    return ROWSMITH_BAD_LABEL;
  write(scratch->row, cells);
  return ROWSMITH_OK;
}

rowsmith_conditions* rowsmith_conditions_new(const rowsmith_sampler* sampler,
                                             const rowsmith_condition* conditions, size_t count, char* error,
                                             size_t error_size) {
  if (sampler == nullptr || (conditions == nullptr && count > 0))
    return refuse("a pointer is null", error, error_size);
  return made_or_reason(
      [&] {
        std::vector<rowsmith::Condition> all;
        for (std::size_t i = 0; i < count; ++i) {
          const auto& from = conditions[i];
          if (from.column == nullptr || (from.values == nullptr && from.value_count > 0))
            throw rowsmith::Error("a pointer is null");
          rowsmith::Condition to{from.column, {}};
          for (std::size_t k = 0; k < from.value_count; ++k) {
            if (from.values[k] == nullptr)
              throw rowsmith::Error("a pointer is null");
            to.values.emplace_back(from.values[k]);
          }
          all.push_back(std::move(to));
        }
        return new rowsmith_conditions{sampler->sampler.row(), sampler->sampler.resolve(all)};
      },
      error, error_size);
}
rowsmith_conditions* rowsmith_conditions_read(const rowsmith_sampler* sampler, const char* const* texts,
                                              size_t count, int allow_rare, char* error, size_t error_size) {
  if (sampler == nullptr || (texts == nullptr && count > 0))
    return refuse("a pointer is null", error, error_size);
  return made_or_reason(
      [&] {
        std::vector<std::string> all;
        for (std::size_t i = 0; i < count; ++i) {
          if (texts[i] == nullptr)
            throw rowsmith::Error("a pointer is null");
          all.emplace_back(texts[i]);
        }
        const auto read = rowsmith::read_conditions(all, sampler->sampler.model());
        return new rowsmith_conditions{sampler->sampler.row(),
                                       sampler->sampler.resolve(read, allow_rare != 0)};
      },
      error, error_size);
}
void rowsmith_conditions_free(rowsmith_conditions* conditions) { delete conditions; }
double rowsmith_conditions_share(const rowsmith_conditions* conditions) {
  return conditions == nullptr ? 0 : conditions->resolved.support().share;
}

int rowsmith_sample_where(const rowsmith_sampler* sampler, rowsmith_scratch* scratch, uint64_t seed,
                          uint64_t index, const rowsmith_conditions* conditions, rowsmith_cell* cells) {
  if (conditions == nullptr)
    return ROWSMITH_NULL;
  if (const int error = check(sampler, scratch, cells); error != ROWSMITH_OK)
    return error;
  if (&conditions->row.columns() != &sampler->sampler.columns())
    return ROWSMITH_BAD_LABEL;
  if (!sampler->sampler(seed, index, conditions->resolved, scratch->scratch, scratch->row))
    return ROWSMITH_NO_ROW;
  write(scratch->row, cells);
  return ROWSMITH_OK;
}

int rowsmith_score(const rowsmith_sampler* sampler, rowsmith_scratch* scratch, const rowsmith_cell* cells,
                   double* score) {
  if (const int error = check(sampler, scratch, cells); error != ROWSMITH_OK)
    return error;
  if (score == nullptr)
    return ROWSMITH_NULL;
  auto& row = scratch->row;
  for (std::size_t i = 0; i < row.size(); ++i) {
    row.set_number(i, cells[i].number);
    if (row.schema()[i].kind == rowsmith::ColumnKind::categorical && !row.set_code(i, cells[i].code))
      return ROWSMITH_NO_CODE;
  }
  const double result = sampler->sampler.score(row, scratch->scratch);
  if (std::isnan(result))
    return ROWSMITH_NO_CODE;
  *score = result;
  return ROWSMITH_OK;
}

} // extern "C"
