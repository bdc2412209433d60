// SPDX-License-Identifier: MIT
/// \file
/// Trained models inside services: single rows, typed rows.
#pragma once

#include <rowsmith/deploy/export_header.hpp>
#include <rowsmith/deploy/exported_runtime.hpp>
#include <rowsmith/deploy/guided_sampler.hpp>
#include <rowsmith/deploy/packed_network.hpp>
#include <rowsmith/deploy/row.hpp>
#include <rowsmith/deploy/sampler.hpp>
#include <rowsmith/deploy/typed_sampler.hpp>
