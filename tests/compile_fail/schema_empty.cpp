// expect: a Schema needs at least one column
// SPDX-License-Identifier: MIT
#include <rowsmith/table/schema.hpp>

namespace rs = rowsmith;

#if ROWSMITH_MUST_FAIL
using Schema = rs::Schema<>;
#else
using Schema = rs::Schema<rs::Numerical<"age">>;
#endif

static_assert(Schema::size >= 1);
