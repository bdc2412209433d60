// expect: this Schema has no column of that name
// SPDX-License-Identifier: MIT
#include <rowsmith/deploy/row.hpp>

namespace rs = rowsmith;

using Schema = rs::Schema<rs::Numerical<"age">, rs::Label<"income">>;

double read(const rs::Row<Schema>& row) {
#if ROWSMITH_MUST_FAIL
  return row.get<"salary">();
#else
  return row.get<"age">();
#endif
}
