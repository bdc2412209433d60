// SPDX-License-Identifier: MIT
// The functions of rowsmith/deploy/c_api.h: the one source to compile to a library for other languages.
//   c++ -std=c++20 -O3 -march=native -fPIC -shared -fopenmp rowsmith_c.cpp -o librowsmith_c.so
#include <algorithm>
#include <cmath>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <utility>

#include <rowsmith/deploy/c_api.h>
#include <rowsmith/deploy/sampler.hpp>
#include <rowsmith/io/model_file.hpp>

struct rowsmith_sampler {
  rowsmith::Sampler sampler;
};
struct rowsmith_scratch {
  const void* columns; // says whose it is
  rowsmith::Sampler::Scratch scratch;
  rowsmith::DynamicRow row;
};

namespace {

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
    return "the model has no such label";
  case ROWSMITH_NO_CODE:
    return "a cell cannot be scored: missing where no training row was, infinite, or an unknown code";
  default:
    return "unknown error";
  }
}

rowsmith_sampler* rowsmith_load(const char* path, char* error, size_t error_size) {
  const auto say = [error, error_size](const char* text) noexcept {
    if (error == nullptr || error_size == 0)
      return;
    const std::size_t length = std::min(std::strlen(text), error_size - 1);
    std::memcpy(error, text, length);
    error[length] = '\0';
  };
  if (path == nullptr) {
    say("the path is null");
    return nullptr;
  }
  try {
    return new rowsmith_sampler{rowsmith::Sampler(rowsmith::load_model(path))};
  } catch (const std::exception& problem) {
    say(problem.what());
  } catch (...) {
    say("unknown error");
  }
  return nullptr;
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
  for (std::size_t i = 0; i < scratch->row.size(); ++i)
    cells[i] = {scratch->row.number(i), scratch->row.category(i).code};
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
