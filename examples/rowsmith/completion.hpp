// SPDX-License-Identifier: MIT
// rowsmith completion: what a shell needs to complete commands and options.
#pragma once

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "../common/manual.hpp"
#include "command.hpp"

namespace program {

inline std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

// The names of an app's options, with blanks between.
inline std::string option_names(const CLI::App& app) {
  std::string names;
  for (const auto* option : app.get_options())
    for (const auto& name : manual::names(*option))
      names += " " + name;
  return names;
}

// The values that an option may have, with blanks between; none where there is no list of them.
inline std::string choices_of(const CLI::Option& option) {
  std::string words;
  for (const auto& choice : manual::choices(option))
    manual::add_word(words, " ", choice);
  return words;
}

// In single quotes, with `special` characters behind backslashes.
inline std::string quoted(const std::string& text, const std::string& special,
                          const std::string& apostrophe) {
  std::string out = "'";
  for (const char c : text)
    if (c == '\'')
      out += apostrophe;
    else
      out += special.find(c) == std::string::npos ? std::string(1, c) : std::string("\\") + c;
  return out + "'";
}

inline std::string bash_script(const CLI::App& app) {
  std::string commands;
  std::string cases;
  std::string values;
  for (const auto* command : commands_of(app)) {
    manual::add_word(commands, " ", command->get_name());
    cases += "    " + command->get_name() + ") words=\"" + option_names(*command).substr(1) + "\" ;;\n";
    for (const auto* option : command->get_options()) {
      const auto choices = choices_of(*option);
      if (choices.empty())
        continue;
      std::string patterns;
      for (const auto& name : manual::names(*option))
        manual::add_word(patterns, "|", command->get_name() + "/" + name);
      if (option->nonpositional())
        values += "    " + patterns + ") values=\"" + choices + "\" ;;\n";
      else
        values +=
            "    " + command->get_name() + "/" + command->get_name() + ") values=\"" + choices + "\" ;;\n";
    }
  }
  return "_rowsmith() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} words= values=\n"
         "  COMPREPLY=()\n"
         "  if [ \"$COMP_CWORD\" = 1 ]; then\n"
         "    COMPREPLY=($(compgen -W \"" +
         commands + option_names(app) +
         "\" -- \"$word\"))\n"
         "    return\n"
         "  fi\n"
         "  case ${COMP_WORDS[1]} in\n" +
         cases +
         "  esac\n"
         "  case ${COMP_WORDS[1]}/${COMP_WORDS[COMP_CWORD - 1]} in\n" +
         values +
         "  esac\n"
         "  if [ -n \"$values\" ]; then\n"
         "    COMPREPLY=($(compgen -W \"$values\" -- \"$word\"))\n"
         "  elif [ \"${word#-}\" != \"$word\" ]; then\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "  fi\n"
         "}\n"
         "complete -o default -F _rowsmith rowsmith\n";
}

// For the function path of zsh, or to be read by a shell that has run compinit.
inline std::string zsh_script(const CLI::App& app) {
  const auto text = [](const std::string& words) { return quoted(words, "", "'\\''"); };
  // Within a specification of _arguments, brackets and colons end a part.
  const auto part = [](const std::string& words) {
    std::string out;
    for (const char c : words)
      out += c == '\''                                       ? std::string("'\\''")
             : c == '[' || c == ']' || c == ':' || c == '\\' ? std::string("\\") + c
                                                             : std::string(1, c);
    return out;
  };
  std::string commands;
  std::string cases;
  for (const auto* command : commands_of(app)) {
    commands += "      " + text(command->get_name() + ":" + command->get_description()) + "\n";
    cases += "    " + command->get_name() + ")\n      _arguments";
    for (const auto* option : command->get_options()) {
      const auto choices = choices_of(*option);
      const auto action = choices.empty() ? "_files" : "(" + choices + ")";
      if (!option->nonpositional()) {
        cases += " \\\n        ':" + part(option->get_name(true)) + ":" + action + "'";
        continue;
      }
      const bool repeats = option->get_items_expected_max() > 1;
      for (const auto& name : manual::names(*option))
        cases += std::string(" \\\n        '") + (repeats ? "*" : "") + name + "[" +
                 part(option->get_description()) + "]" +
                 (manual::takes_value(*option) ? ":" + part(name.substr(name.rfind('-') + 1)) + ":" + action
                                               : "") +
                 "'";
    }
    cases += "\n      ;;\n";
  }
  return "#compdef rowsmith\n"
         "_rowsmith() {\n"
         "  if (( CURRENT == 2 )); then\n"
         "    local -a commands=(\n" +
         commands +
         "    )\n"
         "    _describe -t commands command commands\n"
         "    return\n"
         "  fi\n"
         "  local command=$words[2]\n"
         "  shift words\n"
         "  (( CURRENT -= 1 ))\n"
         "  case $command in\n" +
         cases +
         "  esac\n"
         "}\n"
         "if [[ $funcstack[1] = _rowsmith ]]; then _rowsmith \"$@\"; else compdef _rowsmith rowsmith; fi\n";
}

inline std::string fish_script(const CLI::App& app) {
  const auto text = [](const std::string& words) { return quoted(words, "\\", "\\'"); };
  const auto lines = [&text](const CLI::App& command, const std::string& when) {
    std::string all;
    for (const auto* option : command.get_options()) {
      const auto choices = choices_of(*option);
      if (!option->nonpositional()) {
        if (!choices.empty())
          all += "complete -c rowsmith -n " + when + " -f -a " + text(choices) + "\n";
        continue;
      }
      all += "complete -c rowsmith -n " + when;
      for (const auto& name : option->get_snames())
        all += " -s " + name;
      for (const auto& name : option->get_lnames())
        all += " -l " + name;
      if (!choices.empty())
        all += " -x -a " + text(choices);
      else if (manual::takes_value(*option))
        all += " -r";
      all += " -d " + text(option->get_description()) + "\n";
    }
    return all;
  };
  std::string script = lines(app, "__fish_use_subcommand");
  for (const auto* command : commands_of(app))
    script += "complete -c rowsmith -n __fish_use_subcommand -f -a " + command->get_name() + " -d " +
              text(command->get_description()) + "\n" +
              lines(*command, "'__fish_seen_subcommand_from " + command->get_name() + "'");
  return script;
}

inline Run add_completion(CLI::App& app) {
  auto& command =
      *app.add_subcommand("completion", "Prints what a shell needs to complete commands and options");
  const auto shell = std::make_shared<std::string>();
  command.add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command.footer("source <(rowsmith completion bash)\n"
                 "rowsmith completion fish | source");
  return [&app, shell] {
    std::cout << (*shell == "bash" ? bash_script(app) : *shell == "zsh" ? zsh_script(app) : fish_script(app));
    return 0;
  };
}

} // namespace program
