// SPDX-License-Identifier: MIT
// A program that links the component evaluate alone.
#include <cstdio>

#include <rowsmith/evaluate.hpp>

int main() {
  const rowsmith::Table table({rowsmith::Column::numerical("age", {39, 50})});
  std::printf("rowsmith %s, %zu rows\n", ROWSMITH_VERSION, table.rows());
}
