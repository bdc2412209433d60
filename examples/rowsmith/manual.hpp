// SPDX-License-Identifier: MIT
// rowsmith manual: the manual page.
#pragma once

#include <iostream>

#include <CLI/CLI.hpp>

#include <rowsmith/core/version.hpp>

#include "../common/manual.hpp"
#include "command.hpp"

namespace program {

inline Run add_manual(CLI::App& app) {
  auto& command = *app.add_subcommand("manual", "Prints the manual page, for man");
  command.footer("rowsmith manual | man -l -");
  return [&app] {
    std::cout << manual::page(app,
                              {"rowsmith", ROWSMITH_VERSION, "learn tables and write new rows like them",
                               ".SH EXIT STATUS\n0 fine, 1 the work failed (or a release gate did), 2 wrong "
                               "use, which is refused before any work.\n",
                               "\\fBrowsmith\\-service\\fR(1)"});
    return 0;
  };
}

} // namespace program
