// SPDX-License-Identifier: MIT
#pragma once

#include <rowsmith/table/table.hpp>

// What judges say, and what a private training promises.
std::string judged(const rowsmith::Table& real, const rowsmith::Table& synthetic);
