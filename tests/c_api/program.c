/* SPDX-License-Identifier: MIT */
/* Uses the library from plain C. Compares its rows with a file and tries what must be refused.
 * usage: c_api_program MODEL EXPECTED */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rowsmith/deploy/c_api.h>

static int failures = 0;
#define EXPECT(condition)                                                                                    \
  do {                                                                                                       \
    if (!(condition)) {                                                                                      \
      fprintf(stderr, "line %d: not so: %s\n", __LINE__, #condition);                                        \
      ++failures;                                                                                            \
    }                                                                                                        \
  } while (0)

static unsigned long long bits(double value) {
  unsigned long long result = 0;
  memcpy(&result, &value, sizeof result);
  return result;
}

int main(int argc, char** argv) {
  char error[200] = "";
  rowsmith_sampler* sampler;
  rowsmith_sampler* other;
  rowsmith_scratch* scratch;
  rowsmith_scratch* foreign;
  rowsmith_cell* cells;
  size_t columns;
  size_t i;
  double score = -1;
  FILE* expected;
  static char line[4096];
  static char made[4096];
  if (argc != 3) {
    fprintf(stderr, "usage: c_api_program MODEL EXPECTED\n");
    return 2;
  }
  EXPECT(rowsmith_c_api_version() == ROWSMITH_C_API_VERSION);
  EXPECT(rowsmith_load("/no/such/file", error, sizeof error) == NULL);
  EXPECT(strstr(error, "/no/such/file") != NULL);
  EXPECT(rowsmith_load("/no/such/file", error, 5) == NULL);
  EXPECT(strlen(error) == 4);
  EXPECT(rowsmith_load("/no/such/file", NULL, 0) == NULL);
  EXPECT(rowsmith_load(argv[2], error, sizeof error) == NULL); /* no model */
  EXPECT(rowsmith_load(NULL, error, sizeof error) == NULL);

  sampler = rowsmith_load(argv[1], error, sizeof error);
  other = rowsmith_load(argv[1], error, sizeof error);
  if (sampler == NULL || other == NULL) {
    fprintf(stderr, "%s\n", error);
    return 1;
  }
  scratch = rowsmith_scratch_new(sampler);
  foreign = rowsmith_scratch_new(other);
  columns = rowsmith_columns(sampler);
  cells = calloc(columns, sizeof *cells);
  EXPECT(columns == 6);
  EXPECT(strcmp(rowsmith_column_name(sampler, 1), "age") == 0);
  EXPECT(rowsmith_column_name(sampler, 6) == NULL);
  EXPECT(!rowsmith_column_is_categorical(sampler, 1) && rowsmith_column_is_categorical(sampler, 3));
  EXPECT(rowsmith_category(sampler, 3, -1) == NULL && rowsmith_category(sampler, 3, 1000) == NULL);
  EXPECT(rowsmith_labels(sampler) == 2);
  EXPECT(strcmp(rowsmith_label(sampler, 1), "yes") == 0 && rowsmith_label(sampler, 2) == NULL);
  EXPECT(rowsmith_columns(NULL) == 0 && rowsmith_labels(NULL) == 0 && rowsmith_label(NULL, 0) == NULL);

  {
    const char* yes[] = {"yes"};
    const char* unknown[] = {"maybe"};
    const rowsmith_condition rich = {"rich", yes, 1};
    const rowsmith_condition wrong = {"rich", unknown, 1};
    const rowsmith_condition other_column = {"city", yes, 1};
    rowsmith_conditions* conditions = rowsmith_conditions_new(sampler, &rich, 1, error, sizeof error);
    rowsmith_conditions* foreign_conditions = rowsmith_conditions_new(other, &rich, 1, error, sizeof error);
    EXPECT(conditions != NULL && foreign_conditions != NULL);
    for (i = 0; i < 20; ++i) {
      EXPECT(rowsmith_sample_where(sampler, scratch, 5, i, conditions, cells) == ROWSMITH_OK);
      EXPECT(strcmp(rowsmith_category(sampler, 5, cells[5].code), "yes") == 0);
    }
    EXPECT(rowsmith_sample_where(sampler, scratch, 5, 0, foreign_conditions, cells) == ROWSMITH_BAD_LABEL);
    EXPECT(rowsmith_sample_where(sampler, foreign, 5, 0, conditions, cells) == ROWSMITH_BAD_SCRATCH);
    EXPECT(rowsmith_sample_where(sampler, scratch, 5, 0, NULL, cells) == ROWSMITH_NULL);
    EXPECT(rowsmith_conditions_new(sampler, &wrong, 1, error, sizeof error) == NULL);
    EXPECT(strstr(error, "'maybe'") != NULL);
    EXPECT(rowsmith_conditions_new(sampler, &other_column, 1, error, sizeof error) == NULL);
    EXPECT(strstr(error, "'city'") != NULL);
    {
      const char* texts[] = {"age >= 40", "rich = no"};
      const char* rare[] = {"age > 1000"};
      rowsmith_conditions* read = rowsmith_conditions_read(sampler, texts, 2, 0, error, sizeof error);
      EXPECT(read != NULL);
      EXPECT(rowsmith_conditions_share(read) > 0.01 && rowsmith_conditions_share(read) < 0.9);
      EXPECT(rowsmith_conditions_share(NULL) == 0);
      for (i = 0; i < 20; ++i) {
        EXPECT(rowsmith_sample_where(sampler, scratch, 5, i, read, cells) == ROWSMITH_OK);
        EXPECT(cells[1].number >= 40 && strcmp(rowsmith_category(sampler, 5, cells[5].code), "no") == 0);
      }
      rowsmith_conditions_free(read);
      EXPECT(rowsmith_conditions_read(sampler, rare, 1, 1, error, sizeof error) == NULL);
      EXPECT(strstr(error, "no candidate") != NULL);
      EXPECT(rowsmith_conditions_read(sampler, NULL, 1, 0, error, sizeof error) == NULL);
      EXPECT(strlen(rowsmith_error_text(ROWSMITH_NO_ROW)) > 0);
    }
    EXPECT(rowsmith_conditions_new(sampler, NULL, 1, error, sizeof error) == NULL);
    EXPECT(rowsmith_conditions_new(NULL, &rich, 1, NULL, 0) == NULL);
    /* Another model in the place of one that is gone is another model. */
    for (i = 0; i < 20; ++i) {
      rowsmith_sampler* gone = rowsmith_load(argv[1], error, sizeof error);
      rowsmith_conditions* of_gone = rowsmith_conditions_new(gone, &rich, 1, error, sizeof error);
      rowsmith_sampler* next;
      rowsmith_scratch* next_scratch;
      rowsmith_free(gone);
      next = rowsmith_load(argv[1], error, sizeof error);
      next_scratch = rowsmith_scratch_new(next);
      EXPECT(rowsmith_sample_where(next, next_scratch, 5, 0, of_gone, cells) == ROWSMITH_BAD_LABEL);
      rowsmith_scratch_free(next_scratch);
      rowsmith_free(next);
      rowsmith_conditions_free(of_gone);
    }
    rowsmith_conditions_free(conditions);
    rowsmith_conditions_free(foreign_conditions);
    rowsmith_conditions_free(NULL);
  }

  expected = fopen(argv[2], "r");
  EXPECT(expected != NULL);
  for (i = 0; expected != NULL && i < 200; ++i) {
    size_t c;
    size_t at = 0;
    const int64_t label = i % 2 == 0 ? ROWSMITH_ANY_LABEL : 1;
    EXPECT(rowsmith_sample(sampler, scratch, 5, i, label, cells) == ROWSMITH_OK);
    EXPECT(rowsmith_score(sampler, scratch, cells, &score) == ROWSMITH_OK);
    for (c = 0; c < columns; ++c)
      if (rowsmith_column_is_categorical(sampler, c))
        at += (size_t)snprintf(made + at, sizeof made - at, "%s|",
                               cells[c].code < 0 ? "?" : rowsmith_category(sampler, c, cells[c].code));
      else
        at += (size_t)snprintf(made + at, sizeof made - at, "%llu|",
                               isnan(cells[c].number) ? 0ULL : bits(cells[c].number));
    at += (size_t)snprintf(made + at, sizeof made - at, "%llu\n", bits(score));
    EXPECT(fread(line, 1, at, expected) == at);
    EXPECT(memcmp(line, made, at) == 0);
  }
  if (expected != NULL)
    fclose(expected);

  EXPECT(rowsmith_sample(sampler, scratch, 1, 1, 2, cells) == ROWSMITH_BAD_LABEL);
  EXPECT(rowsmith_sample(sampler, scratch, 1, 1, -2, cells) == ROWSMITH_BAD_LABEL);
  EXPECT(rowsmith_sample(sampler, foreign, 1, 1, ROWSMITH_ANY_LABEL, cells) == ROWSMITH_BAD_SCRATCH);
  EXPECT(rowsmith_sample(NULL, scratch, 1, 1, ROWSMITH_ANY_LABEL, cells) == ROWSMITH_NULL);
  EXPECT(rowsmith_sample(sampler, NULL, 1, 1, ROWSMITH_ANY_LABEL, cells) == ROWSMITH_NULL);
  EXPECT(rowsmith_sample(sampler, scratch, 1, 1, ROWSMITH_ANY_LABEL, NULL) == ROWSMITH_NULL);
  EXPECT(rowsmith_score(sampler, scratch, cells, NULL) == ROWSMITH_NULL);
  cells[3].code = 1000;
  score = 77;
  EXPECT(rowsmith_score(sampler, scratch, cells, &score) == ROWSMITH_NO_CODE && score == 77);
  EXPECT(rowsmith_sample(sampler, scratch, 1, 1, ROWSMITH_ANY_LABEL, cells) == ROWSMITH_OK);
  cells[1].number = INFINITY;
  EXPECT(rowsmith_score(sampler, scratch, cells, &score) == ROWSMITH_NO_CODE);
  EXPECT(strlen(rowsmith_error_text(ROWSMITH_NO_CODE)) > 0 && strlen(rowsmith_error_text(99)) > 0);

  rowsmith_free(sampler);
  rowsmith_scratch_free(scratch); /* after its sampler */
  rowsmith_scratch_free(foreign);
  rowsmith_free(other);
  rowsmith_free(NULL);
  rowsmith_scratch_free(NULL);
  EXPECT(rowsmith_scratch_new(NULL) == NULL);
  free(cells);
  return failures == 0 ? 0 : 1;
}
