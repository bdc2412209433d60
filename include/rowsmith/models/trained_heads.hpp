// SPDX-License-Identifier: MIT
/// \file
/// Trained heads of any kind as a value.
#pragma once

#include <variant>

#include <rowsmith/models/autoregressive_heads.hpp>
#include <rowsmith/models/independent_heads.hpp>
#include <rowsmith/models/joint_codes.hpp>

ROWSMITH_BEGIN

/// One of the kinds; models/heads.hpp says what each has.
using TrainedHeads = std::variant<IndependentNetwork, JointCodes, AutoregressiveNetwork>;

ROWSMITH_END
