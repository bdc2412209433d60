// SPDX-License-Identifier: MIT
/// \file
/// Model files.
#pragma once

#include <rowsmith/io/checkpoint.hpp>
#include <rowsmith/io/condition_reader.hpp>
#include <rowsmith/io/curve_json.hpp>
#include <rowsmith/io/guide_json.hpp>
#include <rowsmith/io/heads_json.hpp>
#include <rowsmith/io/model_card.hpp>
#include <rowsmith/io/model_card_page.hpp>
#include <rowsmith/io/model_file.hpp>
#include <rowsmith/io/model_json.hpp>
#include <rowsmith/io/safetensors.hpp>
