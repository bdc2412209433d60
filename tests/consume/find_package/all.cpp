// SPDX-License-Identifier: MIT
#include <rowsmith/rowsmith.hpp>

#include "../main.cpp"
