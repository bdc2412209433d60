// SPDX-License-Identifier: MIT
// rowsmith fit --epsilon: what is told of columns, what a file's form may tell, and the promise in words.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/models/table_model.hpp>
#include <rowsmith/privacy/options.hpp>
#include <rowsmith/table/table_file.hpp>

#include "fit.hpp"

namespace program {

// "age=0..120", "price=0..1000:2" (two digits after the point), "sex=Female|Male".
inline rowsmith::ColumnDomain domain_from(const std::string& text) {
  const auto refuse = [&text]() -> rowsmith::ColumnDomain {
    throw rowsmith::OptionError("--domain: '" + text +
                                "', expected COLUMN=LEAST..MOST, COLUMN=LEAST..MOST:DECIMALS or "
                                "COLUMN=CATEGORY|CATEGORY|...");
  };
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
    return refuse();
  rowsmith::ColumnDomain domain;
  domain.name = text.substr(0, equals);
  const std::string values = text.substr(equals + 1);
  const auto dots = values.find("..");
  if (dots != std::string::npos) {
    const auto colon = values.find(':', dots);
    domain.minimum = rowsmith::parse_number(values.substr(0, dots));
    domain.maximum = rowsmith::parse_number(values.substr(dots + 2, colon - dots - 2));
    if (!domain.minimum || !domain.maximum || !(*domain.minimum < *domain.maximum))
      return refuse();
    if (colon != std::string::npos) {
      int decimals = 0;
      const char* begin = values.data() + colon + 1;
      const char* end = values.data() + values.size();
      const auto read = std::from_chars(begin, end, decimals);
      if (read.ec != std::errc() || read.ptr != end || decimals < 0 || decimals > 6)
        return refuse();
      domain.decimals = decimals;
    }
    return domain;
  }
  for (std::size_t begin = 0; begin <= values.size();) {
    const auto end = std::min(values.find('|', begin), values.size());
    domain.categories.push_back(values.substr(begin, end - begin));
    begin = end + 1;
  }
  return domain;
}

// Refuses what a private training has no form of.
inline void check_private(const FitSettings& settings) {
  const auto refuse = [](const std::string& option, const std::string& why) {
    throw rowsmith::OptionError(option + ": " + why);
  };
  if (settings.recipe != "private")
    refuse("--recipe", "'" + settings.recipe + "' has no guarantee to give; leave it out with --epsilon");
  if (settings.conditional)
    refuse("--conditional", "a private model has no label of its own; sample --where asks it for rows");
  if (!settings.relations.empty())
    refuse("--relation", "a private training keeps none");
  if (settings.min_category_rows > 0)
    refuse("--min-category-rows", "with --epsilon, noisy counts say which categories are told");
}

// The file. Without a schema nothing of it counts as known but how it is written down and its columns' names:
// all columns are texts, and the training learns, and pays for, which are numbers.
inline rowsmith::TableFile read_privately(const FitSettings& settings) {
  return settings.input.schema.empty() ? settings.input.read_texts(settings.source())
                                       : settings.input.read(settings.source());
}

// What the form of a file, or of a query's rows, may tell.
inline std::vector<std::string> facts_of_source(const FitSettings& settings) {
  const bool database = settings.input.from_database();
  std::vector<std::string> facts;
  if (database) {
    facts.push_back("the query (or which table or view was taken) and the columns' names");
    facts.push_back(
        "what a person adds beyond one row: a row here is one that the query or view gives, and by "
        "joins, windows, aggregates or LIMIT one person may be in several, or change others");
  } else {
    facts.push_back("how the file is written down: delimiter, line ends, encoding; and its first line, the "
                    "columns' names");
  }
  if (!settings.input.schema.empty())
    facts.push_back("all that the schema file says of the columns");
  else if (database)
    facts.push_back("which values stand for missing ones: NULL, and texts of --missing; \"?\", \"NA\" and "
                    "the empty text are none of them");
  else
    facts.push_back("which texts stand for missing values: \"?\", \"NA\", nothing, and those of "
                    "--missing");
  return facts;
}

inline rowsmith::PrivacyOptions privacy_options(const FitSettings& settings,
                                                rowsmith::PrivacyOptions options) {
  options.epsilon = settings.epsilon;
  options.delta = settings.delta;
  options.learn_kinds = settings.input.schema.empty();
  for (const auto& domain : settings.domains)
    options.domains.push_back(domain_from(domain));
  if (options.learn_kinds)
    for (const auto& [name, role] : settings.input.options().declared)
      if (role == rowsmith::ColumnRole::category &&
          std::none_of(options.domains.begin(), options.domains.end(),
                       [&name = name](const auto& domain) { return domain.name == name; }))
        options.domains.push_back({.name = name, .kind = rowsmith::ColumnKind::categorical});
  for (const auto& fact : facts_of_source(settings))
    options.taken_as_public.push_back(fact);
  for (const auto& [option, list] :
       {std::pair("--identifier", &settings.input.identifiers), std::pair("--text", &settings.input.texts),
        std::pair("--drop", &settings.input.dropped)})
    if (!list->empty())
      options.taken_as_public.push_back(std::string("which columns are left out (") + option + ")");
  if (settings.private_parts == "encoder")
    options.parts = rowsmith::PrivateParts::heads_and_encoder;
  if (settings.private_parts == "gan")
    options.parts = rowsmith::PrivateParts::heads_encoder_and_gan;
  if (settings.private_parts == "tree")
    options.pairs = rowsmith::PrivatePairs::tree;
  if (settings.private_parts == "counts" || settings.private_parts == "tree")
    options.steps = 0;
  else if (settings.quick)
    options.steps = 20;
  return options;
}

// How generated rows are written, once it is learnt which columns are numbers.
inline rowsmith::TableFormat format_of_model(rowsmith::TableFormat format,
                                             const rowsmith::TableModel& model) {
  for (auto& column : format.columns) {
    const auto& schema = model.schema();
    for (std::size_t i = 0; i < schema.size(); ++i)
      if (schema[i].name == column.name && schema[i].kind == rowsmith::ColumnKind::numerical &&
          column.role == rowsmith::ColumnRole::category) {
        column.role = model.encoder().codecs()[i].decimals == 0 ? rowsmith::ColumnRole::integer
                                                                : rowsmith::ColumnRole::real;
        column.quoted = false;
      }
  }
  return format;
}

} // namespace program
