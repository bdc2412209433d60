// SPDX-License-Identifier: MIT
// A program that links the component forest alone.
#include <cstdio>

#include <rowsmith/forest.hpp>

int main() { std::printf("rowsmith %s, %d rows\n", ROWSMITH_VERSION, rowsmith::resolve_threads(2)); }
