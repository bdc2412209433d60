// SPDX-License-Identifier: MIT
#include "command.hpp"

#include <algorithm>
#include <utility>

namespace program {

namespace rs = rowsmith;

rs::Table CsvSettings::read(const std::string& path) const {
  const rs::CsvOptions options{.header = !no_header};
  if (categorical.empty())
    return rs::read_csv(path, options);
  auto columns = rs::infer_schema(path, options).columns();
  for (const auto& name : categorical) {
    const auto known = std::find_if(columns.begin(), columns.end(),
                                    [&](const rs::ColumnSchema& column) { return column.name == name; });
    if (known == columns.end())
      throw rs::OptionError("--categorical: " + path + " has no column '" + name + "'");
    known->kind = rs::ColumnKind::categorical;
  }
  return rs::read_csv(path, rs::TableSchema(std::move(columns)), options);
}

rs::Table CsvSettings::read_like(const std::string& path, const rs::Table& first) const {
  return rs::read_csv(path, first.schema(), rs::CsvOptions{.header = !no_header});
}

} // namespace program
