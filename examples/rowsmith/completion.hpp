// SPDX-License-Identifier: MIT
// rowsmith completion: what a shell needs to complete commands and options.
#pragma once

#include <iostream>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "command.hpp"

namespace program {

// The names of an app's options, with blanks between.
inline std::string option_names(const CLI::App& app) {
  std::string names;
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames())
      names += " --" + name;
    for (const auto& name : option->get_snames())
      names += " -" + name;
  }
  return names;
}

// For bash; zsh reads the same behind its bashcompinit.
inline std::string completion_script(const CLI::App& app, bool zsh) {
  std::string commands;
  std::string cases;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    commands += (commands.empty() ? "" : " ") + command->get_name();
    cases += "    " + command->get_name() + ") words=\"" + option_names(*command).substr(1) + "\" ;;\n";
  }
  return std::string(zsh ? "autoload -U +X bashcompinit && bashcompinit\n" : "") +
         "_rowsmith() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} words=\n"
         "  case ${COMP_WORDS[1]} in\n" +
         cases +
         "  esac\n"
         "  if [ \"$COMP_CWORD\" = 1 ]; then words=\"" +
         commands + option_names(app) +
         "\"; fi\n"
         "  COMPREPLY=()\n"
         "  if [ \"$COMP_CWORD\" = 1 ] || [ \"${word#-}\" != \"$word\" ]; then\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "  fi\n"
         "}\n"
         "complete -o default -F _rowsmith rowsmith\n";
}

inline Run add_completion(CLI::App& app) {
  auto& command =
      *app.add_subcommand("completion", "Prints what a shell needs to complete commands and options");
  const auto shell = std::make_shared<std::string>();
  command.add_option("shell", *shell, "bash or zsh")->required()->check(CLI::IsMember({"bash", "zsh"}));
  command.footer("source <(rowsmith completion bash)");
  return [&app, shell] {
    std::cout << completion_script(app, *shell == "zsh");
    return 0;
  };
}

} // namespace program
