// expect: two columns of this Schema have the same name
// SPDX-License-Identifier: MIT
#include <rowsmith/table/schema.hpp>

namespace rs = rowsmith;

#if ROWSMITH_MUST_FAIL
using Schema = rs::Schema<rs::Numerical<"age">, rs::Categorical<"age">>;
#else
using Schema = rs::Schema<rs::Numerical<"age">, rs::Categorical<"sex">>;
#endif

static_assert(Schema::size == 2);
