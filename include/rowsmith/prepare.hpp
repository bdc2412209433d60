// SPDX-License-Identifier: MIT
/// \file
/// From the user's table to the one that a model learns, and back.
#pragma once

#include <rowsmith/prepare/constant_column.hpp>
#include <rowsmith/prepare/preparation.hpp>
#include <rowsmith/prepare/transform.hpp>
