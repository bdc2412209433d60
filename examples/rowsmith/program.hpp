// SPDX-License-Identifier: MIT
// The program: its subcommands, and what its exit codes say.
#pragma once

namespace program {

// Does what the command line asks for. \returns 0: fine, 1: the work failed (or a release gate did), 2: wrong
// use
int run_program(int argc, const char* const* argv);

} // namespace program
