// expect: this column of the Schema is numerical: give it a number
// SPDX-License-Identifier: MIT
#include <rowsmith/deploy/row.hpp>

namespace rs = rowsmith;

using Schema = rs::Schema<rs::Numerical<"age">, rs::Label<"income">>;

bool write(rs::Row<Schema>& row) {
#if ROWSMITH_MUST_FAIL
  return row.set<"age">(std::string_view("41"));
#else
  return row.set<"income">(std::string_view("high"));
#endif
}
