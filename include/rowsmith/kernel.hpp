// SPDX-License-Identifier: MIT
/// \file
/// All that draws and scores a row, without dependencies: what exported headers are made of.
#pragma once

#include <rowsmith/kernel/autoregressive_heads.hpp>
#include <rowsmith/kernel/calendar.hpp>
#include <rowsmith/kernel/codec.hpp>
#include <rowsmith/kernel/formula.hpp>
#include <rowsmith/kernel/guide.hpp>
#include <rowsmith/kernel/heads.hpp>
#include <rowsmith/kernel/network.hpp>
#include <rowsmith/kernel/orders.hpp>
#include <rowsmith/kernel/random.hpp>
#include <rowsmith/kernel/random_fill.hpp>
#include <rowsmith/kernel/row.hpp>
#include <rowsmith/kernel/simd.hpp>
#include <rowsmith/kernel/softmax.hpp>
#include <rowsmith/kernel/tree_heads.hpp>
