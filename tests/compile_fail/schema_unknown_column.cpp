// expect: this Schema has no column of that name
// SPDX-License-Identifier: MIT
#include <rowsmith/table/schema.hpp>

namespace rs = rowsmith;

using Schema = rs::Schema<rs::Numerical<"age">, rs::Label<"income">, rs::Numerical<"hours">>;

#if ROWSMITH_MUST_FAIL
static_assert(Schema::index<"salary">() == 1);
#else
static_assert(Schema::index<"income">() == 1);
#endif
