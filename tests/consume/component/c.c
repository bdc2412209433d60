/* SPDX-License-Identifier: MIT */
/* A program in C that links the C interface alone. */
#include <stdio.h>

#include <rowsmith/deploy/c_api.h>

int main(void) {
  char error[200] = "";
  rowsmith_sampler* model = rowsmith_load("there is no such model", error, sizeof error);
  printf("%s: %s\n", model == NULL ? "refused" : "loaded", error);
  rowsmith_free(model);
  return 0;
}
