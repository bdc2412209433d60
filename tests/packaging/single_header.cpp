// SPDX-License-Identifier: MIT
// Stands behind the program of README.md in one source, whose only header of the library is
// rowsmith_single.hpp.

#include <cstdio>
#include <sstream>

int main() {
  std::istringstream rows("age,job\n39,cook\n50,baker\n");
  std::printf("rowsmith %s, %zu rows\n", ROWSMITH_VERSION, rowsmith::read_csv(rows, "rows").rows());
}
