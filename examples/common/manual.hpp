// SPDX-License-Identifier: MIT
// A program's manual page, for man, made of what its options say themselves.
#pragma once

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace manual {

// What a page holds beside commands and options.
struct Page {
  std::string program; // as it is called
  std::string version;
  std::string what;  // a few words behind the name
  std::string notes; // sections in troff, before SEE ALSO
  std::string see_also;
};

// Text that troff prints as it is, in ASCII's own characters.
inline std::string plain(const std::string& text) {
  std::string out;
  for (const char c : text)
    switch (c) {
    case '\\':
      out += "\\e";
      break;
    case '-':
      out += "\\-";
      break;
    case '\'':
      out += "\\(aq";
      break;
    case '`':
      out += "\\(ga";
      break;
    case '^':
      out += "\\(ha";
      break;
    case '~':
      out += "\\(ti";
      break;
    case '.':
      out += out.empty() || out.back() == '\n' ? "\\&." : ".";
      break; // a line's first is a command
    default:
      out += c;
    }
  return out;
}
// Adds a word to a list of them.
inline void add_word(std::string& list, const std::string& separator, const std::string& word) {
  if (!list.empty())
    list += separator;
  list += word;
}
inline std::string bold(const std::string& text) { return "\\fB" + plain(text) + "\\fR"; }
inline std::string italic(const std::string& text) { return "\\fI" + plain(text) + "\\fR"; }

// The values that an option may have; none where there is no list of them.
inline std::vector<std::string> choices(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const auto open = type.find('{');
  const auto close = type.find('}');
  std::vector<std::string> all;
  if (open == std::string::npos || close == std::string::npos || close < open)
    return all;
  for (auto begin = open + 1; begin < close;) {
    const auto end = std::min(type.find(',', begin), close);
    const auto word = type.substr(begin, end - begin);
    all.push_back(word.substr(0, word.find("->"))); // of f16->1, what is written
    begin = end + 1;
  }
  return all;
}

// What an option's value may be: those that are listed, or a word for it.
inline std::string value_text(const CLI::Option& option) {
  std::string text;
  for (const auto& choice : choices(option))
    add_word(text, "|", bold(choice));
  const std::string type = option.get_type_name();
  return text.empty() ? italic(type.substr(0, type.find(':'))) : text;
}

// The names of an option that is no positional argument, short ones first.
inline std::vector<std::string> names(const CLI::Option& option) {
  std::vector<std::string> all;
  for (const auto& name : option.get_snames())
    all.push_back("-" + name);
  for (const auto& name : option.get_lnames())
    all.push_back("--" + name);
  return all;
}

inline bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }
inline bool hidden(const CLI::Option& option) { return option.get_group().empty(); }

// Options and arguments as a list.
inline std::string options_text(const CLI::App& app) {
  std::string text;
  std::string group = "Options";
  for (const auto* option : app.get_options()) {
    if (hidden(*option))
      continue;
    if (option->get_group() != group && option->nonpositional()) {
      group = option->get_group();
      text += ".PP\n" + plain(group) + ":\n";
    }
    text += ".TP\n";
    if (option->nonpositional()) {
      std::string heading;
      for (const auto& name : names(*option))
        add_word(heading, ", ", bold(name));
      if (takes_value(*option))
        add_word(heading, " ", value_text(*option));
      text += heading + "\n";
    } else {
      text += italic(option->get_name(true)) + "\n";
    }
    text += plain(option->get_description());
    if (takes_value(*option) && !option->get_default_str().empty())
      text += " (default " + plain(option->get_default_str()) + ")";
    text += std::string(option->get_required() && option->nonpositional() ? "; required" : "") + "\n";
  }
  return text;
}

// How a command is called.
inline std::string synopsis(const CLI::App& app, const std::string& called) {
  std::string text = bold(called) + " [\\fIOPTION\\fR]...";
  for (const auto* option : app.get_options())
    if (!option->nonpositional())
      add_word(text, " ", italic(option->get_name(true)));
  return text;
}

// Lines of a program's last words, as they stand.
inline std::string lines_text(const std::string& text) {
  return text.empty() ? "" : ".PP\n.nf\n" + plain(text) + "\n.fi\n";
}

inline std::string page(const CLI::App& app, const Page& about) {
  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
  std::string title;
  for (const char c : about.program)
    title += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  std::string text = ".TH " + plain(title) + " 1 \"\" \"rowsmith " + about.version +
                     "\" \"User Commands\"\n" + ".SH NAME\n" + about.program + " \\- " + plain(about.what) +
                     "\n.SH SYNOPSIS\n";
  if (commands.empty())
    text += synopsis(app, about.program) + "\n";
  for (const auto* command : commands)
    text += (command == commands.front() ? "" : ".br\n") +
            synopsis(*command, about.program + " " + command->get_name()) + "\n";
  text += ".SH DESCRIPTION\n" + plain(app.get_description()) + "\n.SH OPTIONS\n" + options_text(app);
  if (!commands.empty())
    text += ".SH COMMANDS\n";
  for (const auto* command : commands)
    text += ".SS " + plain(command->get_name()) + "\n" + plain(command->get_description()) + ".\n" +
            options_text(*command) + lines_text(command->get_footer());
  if (!app.get_footer().empty())
    text += ".SH EXAMPLES\n" + lines_text(app.get_footer()).substr(4); // no paragraph behind a heading
  return text + about.notes + ".SH SEE ALSO\n" + about.see_also + "\n";
}

} // namespace manual
