/* SPDX-License-Identifier: MIT */
/** \file
 * A trained model from C, and from every language that can call C. Compile examples/c_api/rowsmith_c.cpp to a
 * library and link it, or load it at run time.
 *
 * No function throws, ends the program or prints. Functions that take a sampler may be called from several
 * threads at once; a scratch belongs to one thread at a time. `rowsmith_sample` and `rowsmith_score` allocate
 * nothing. Texts are UTF-8, end with a zero and live as long as their sampler. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A loaded model, laid out for single rows. */
typedef struct rowsmith_sampler rowsmith_sampler;
/** The buffers of one thread. */
typedef struct rowsmith_scratch rowsmith_scratch;
/** Conditions that a model has looked up. */
typedef struct rowsmith_conditions rowsmith_conditions;

/** Cells of a column shall be one of these texts (of a numerical column: numbers as texts), each as often as
 * the model says among them. */
typedef struct rowsmith_condition {
  const char* column;
  const char* const* values;
  size_t value_count;
} rowsmith_condition;

/** A cell: `number` of a numerical column, NaN if missing; `code` of a categorical one, -1 if missing. */
typedef struct rowsmith_cell {
  double number;
  int32_t code;
} rowsmith_cell;

/** What functions return. */
enum {
  ROWSMITH_OK = 0,
  ROWSMITH_NULL = 1,        /**< a pointer is null */
  ROWSMITH_BAD_SCRATCH = 2, /**< the scratch is another sampler's */
  ROWSMITH_BAD_LABEL = 3,   /**< the model has no such label, or the conditions are another model's */
  ROWSMITH_NO_CODE = 4, /**< a cell cannot be scored: missing where no training row was, infinite, or a code
                             that its column does not have */
  ROWSMITH_NO_ROW = 5   /**< no candidate for the row meets the conditions, which are rare */
};
/** \p label of `rowsmith_sample`: drawn as often as in training. */
#define ROWSMITH_ANY_LABEL (-1)
/** Changes when functions or structures of this header do. */
#define ROWSMITH_C_API_VERSION 3

/** `ROWSMITH_C_API_VERSION` of the library that was loaded. */
uint32_t rowsmith_c_api_version(void);
/** What a return value means. Lives for ever. */
const char* rowsmith_error_text(int code);

/** Loads a model file. \return null if that fails; then \p error, if not null, holds the reason, cut to
 * \p error_size bytes with the final zero */
rowsmith_sampler* rowsmith_load(const char* path, char* error, size_t error_size);
/** Frees a sampler; null is allowed. Scratches may be freed before or after. */
void rowsmith_free(rowsmith_sampler* sampler);

/** \return null if there is no memory */
rowsmith_scratch* rowsmith_scratch_new(const rowsmith_sampler* sampler);
void rowsmith_scratch_free(rowsmith_scratch* scratch);

/** Number of columns; that is how many cells a row has. Counts are 0 and texts null for a null sampler and
 * for positions that are not there. */
size_t rowsmith_columns(const rowsmith_sampler* sampler);
const char* rowsmith_column_name(const rowsmith_sampler* sampler, size_t column);
int rowsmith_column_is_categorical(const rowsmith_sampler* sampler, size_t column);
/** Number of texts of a categorical column, and each by its code. */
size_t rowsmith_categories(const rowsmith_sampler* sampler, size_t column);
const char* rowsmith_category(const rowsmith_sampler* sampler, size_t column, int32_t code);
/** Labels that can be asked for. */
size_t rowsmith_labels(const rowsmith_sampler* sampler);
const char* rowsmith_label(const rowsmith_sampler* sampler, size_t label);

/** Makes row \p index of the sample with \p seed. \param label  ROWSMITH_ANY_LABEL or the number of a label
 * \param cells  out: one for each column. \return ROWSMITH_OK or an error; then the cells are not touched */
int rowsmith_sample(const rowsmith_sampler* sampler, rowsmith_scratch* scratch, uint64_t seed, uint64_t index,
                    int64_t label, rowsmith_cell* cells);
/** Looks conditions up and tries them out, for any number of rows and threads; all of them hold. \return null
 * if the model cannot keep them, or hardly any of its rows meets them; then \p error, if not null, holds the
 * reason, cut to \p error_size bytes with the final zero */
rowsmith_conditions* rowsmith_conditions_new(const rowsmith_sampler* sampler,
                                             const rowsmith_condition* conditions, size_t count, char* error,
                                             size_t error_size);
/** The same from texts such as "age >= 60", "sex = Female", "job in Sales, Clerk" or "age is missing".
 * \param allow_rare  not 0: rows that hardly any other is like are no error, but the best that are found */
rowsmith_conditions* rowsmith_conditions_read(const rowsmith_sampler* sampler, const char* const* texts,
                                              size_t count, int allow_rare, char* error, size_t error_size);
void rowsmith_conditions_free(rowsmith_conditions* conditions);
/** The share of the model's rows that meets conditions, about; 0 for null. */
double rowsmith_conditions_share(const rowsmith_conditions* conditions);
/** As `rowsmith_sample`, under conditions that were looked up for the same model. */
int rowsmith_sample_where(const rowsmith_sampler* sampler, rowsmith_scratch* scratch, uint64_t seed,
                          uint64_t index, const rowsmith_conditions* conditions, rowsmith_cell* cells);
/** How badly the model describes a row: larger is more anomalous. \param score  out
 * \return ROWSMITH_OK or an error; then the score is not touched */
int rowsmith_score(const rowsmith_sampler* sampler, rowsmith_scratch* scratch, const rowsmith_cell* cells,
                   double* score);

#ifdef __cplusplus
}
#endif
