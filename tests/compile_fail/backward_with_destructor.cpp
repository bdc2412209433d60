// expect: a backward function must capture only handles, pointers and numbers
// SPDX-License-Identifier: MIT
#include <vector>

#include <rowsmith/autodiff/tape.hpp>

namespace rs = rowsmith;

void operation(rs::Tape<float>& tape, const rs::Variable<float>& y) {
#if ROWSMITH_MUST_FAIL
  const std::vector<float> kept(3);
#else
  const float kept = 3;
#endif
  tape.on_backward(y, [kept] { (void)kept; });
}
