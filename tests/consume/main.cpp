// SPDX-License-Identifier: MIT
// The program of all three consumers; the installed library serves it whole.
#include <cstdio>

#ifdef ROWSMITH_CONSUME_ALL
#include <rowsmith/rowsmith.hpp>
#else
#include <rowsmith/nn.hpp>
#include <rowsmith/table.hpp>
#endif

int main() {
  const rowsmith::Table table({rowsmith::Column::numerical("age", {39, 50})});
  std::printf("rowsmith %s, %zu rows\n", ROWSMITH_VERSION, table.rows());
}
