// SPDX-License-Identifier: MIT
// The program: its subcommands, and what its exit codes say.
#pragma once

#include <rowsmith/core/team.hpp>

namespace program {

// Does what the command line asks for. \returns 0: fine, 1: the work failed (or a release gate did), 2: wrong
// use
// team: processes that do it together, of which the first one speaks; null: this one alone.
int run_program(int argc, const char* const* argv, const rowsmith::Team* team = nullptr);

} // namespace program
