// SPDX-License-Identifier: MIT
/// \file
/// From tables to codes and numbers, and back.
#pragma once

#include <rowsmith/encoding/column_codec.hpp>
#include <rowsmith/encoding/encoded_table.hpp>
#include <rowsmith/encoding/fit_codec.hpp>
#include <rowsmith/encoding/table_encoder.hpp>
