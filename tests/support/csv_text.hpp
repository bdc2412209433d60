// SPDX-License-Identifier: MIT
#pragma once

#include <sstream>
#include <string>

#include <rowsmith/table/write_csv.hpp>

/// A table as the text of its file: two that are equal hold the same cells.
inline std::string csv_of(const rowsmith::Table& table) {
  std::ostringstream out;
  rowsmith::write_csv(out, table);
  return out.str();
}
