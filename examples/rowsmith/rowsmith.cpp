// SPDX-License-Identifier: MIT
// rowsmith on the command line.
#include "program.hpp"

int main(int argc, char** argv) { return program::run_program(argc, argv); }
