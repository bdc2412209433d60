// SPDX-License-Identifier: MIT
/// \file
/// CSV records and numbers; `rowsmith/table.hpp` makes tables of them.
#pragma once

#include <rowsmith/csv/dialect.hpp>
#include <rowsmith/csv/encoding.hpp>
#include <rowsmith/csv/file_opener.hpp>
#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/csv/options.hpp>
#include <rowsmith/csv/reader.hpp>
#include <rowsmith/csv/whole_number.hpp>
