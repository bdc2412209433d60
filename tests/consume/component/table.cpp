// SPDX-License-Identifier: MIT
// A program that links the component table alone.
#include <cstdio>
#include <sstream>

#include <rowsmith/table.hpp>

int main() {
  std::istringstream rows("age,job\n39,cook\n50,baker\n");
  std::printf("rowsmith %s, %zu rows\n", ROWSMITH_VERSION, rowsmith::read_csv(rows, "rows").rows());
}
