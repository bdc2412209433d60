// SPDX-License-Identifier: MIT
/// \file
/// Trained models inside services: single rows, typed rows.
#pragma once

#include <rowsmith/deploy/export_header.hpp>
#include <rowsmith/deploy/export_text.hpp>
#include <rowsmith/deploy/header_data.hpp>
#include <rowsmith/deploy/kernel_text.hpp>
#include <rowsmith/deploy/packed_model.hpp>
#include <rowsmith/deploy/row.hpp>
#include <rowsmith/deploy/sampler.hpp>
#include <rowsmith/deploy/typed_sampler.hpp>
