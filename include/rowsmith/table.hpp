// SPDX-License-Identifier: MIT
/// \file
/// Tables, their schemas, and CSV in and out.
#pragma once

#include <rowsmith/table/cell_view.hpp>
#include <rowsmith/table/column_format.hpp>
#include <rowsmith/table/column_roles.hpp>
#include <rowsmith/table/date_text.hpp>
#include <rowsmith/table/likely_wrong.hpp>
#include <rowsmith/table/named_columns.hpp>
#include <rowsmith/table/number_marks.hpp>
#include <rowsmith/table/read_csv.hpp>
#include <rowsmith/table/row_text.hpp>
#include <rowsmith/table/schema.hpp>
#include <rowsmith/table/sketched_table.hpp>
#include <rowsmith/table/split.hpp>
#include <rowsmith/table/table.hpp>
#include <rowsmith/table/table_builder.hpp>
#include <rowsmith/table/table_chunks.hpp>
#include <rowsmith/table/table_file.hpp>
#include <rowsmith/table/table_file_writer.hpp>
#include <rowsmith/table/table_format.hpp>
#include <rowsmith/table/text_column.hpp>
#include <rowsmith/table/text_files.hpp>
#include <rowsmith/table/text_records.hpp>
#include <rowsmith/table/text_sketch.hpp>
#include <rowsmith/table/text_source.hpp>
#include <rowsmith/table/write_csv.hpp>
