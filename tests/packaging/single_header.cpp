// SPDX-License-Identifier: MIT
// Its only header of the library is the one that holds all.
#include <rowsmith_single.hpp>

#include <cstdio>
#include <sstream>

int main() {
  std::istringstream rows("age,job\n39,cook\n50,baker\n");
  std::printf("rowsmith %s, %zu rows\n", ROWSMITH_VERSION, rowsmith::read_csv(rows, "rows").rows());
}
