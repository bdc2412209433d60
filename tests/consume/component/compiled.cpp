// SPDX-License-Identifier: MIT
// Everything that it does is in the installed library.
#include <cstdio>
#include <sstream>

#include <rowsmith/rowsmith.hpp>

namespace rs = rowsmith;

int main() {
  std::istringstream rows("age,job\n39,cook\n50,baker\n");
  const rs::Table table = rs::read_csv(rows, "rows");
  std::printf("rowsmith %s, %zu rows\n", ROWSMITH_VERSION, table.rows());
  try {
    rs::Synthesizer::fit(table); // far too few
    return 1;
  } catch (const rs::Error& error) {
    std::printf("%s\n", error.what());
  }
}
