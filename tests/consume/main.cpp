// SPDX-License-Identifier: MIT
// The program of all three consumers.
#include <cstdio>

#include <rowsmith/rowsmith.hpp>

int main() {
  const rowsmith::Table table({rowsmith::Column::numerical("age", {39, 50})});
  std::printf("rowsmith %s, %zu rows\n", ROWSMITH_VERSION, table.rows());
}
