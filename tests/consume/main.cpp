// SPDX-License-Identifier: MIT
// The program of all three consumers; that of the installed library includes all of it.
#include <cstdio>

#include <rowsmith/nn.hpp>
#include <rowsmith/table.hpp>

int main() {
  const rowsmith::Table table({rowsmith::Column::numerical("age", {39, 50})});
  std::printf("rowsmith %s, %zu rows\n", ROWSMITH_VERSION, table.rows());
}
