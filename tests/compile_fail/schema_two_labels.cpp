// expect: a Schema has at most one Label
// SPDX-License-Identifier: MIT
#include <rowsmith/table/schema.hpp>

namespace rs = rowsmith;

#if ROWSMITH_MUST_FAIL
using Schema = rs::Schema<rs::Label<"sex">, rs::Label<"income">>;
#else
using Schema = rs::Schema<rs::Categorical<"sex">, rs::Label<"income">>;
#endif

static_assert(Schema::size == 2);
