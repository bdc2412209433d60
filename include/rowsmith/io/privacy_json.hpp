// SPDX-License-Identifier: MIT
/// \file
/// What a training promises of rows, and spent, in a model file.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <rowsmith/io/model_json.hpp>
#include <rowsmith/privacy/ledger.hpp>

ROWSMITH_BEGIN
namespace detail {

// In the order of the enumerators.
inline constexpr std::array<std::string_view, 3> spending_names{"gaussian", "pure", "threshold"};

inline nlohmann::json privacy_json(const PrivacyLedger& ledger) {
  auto spendings = nlohmann::json::array();
  for (const auto& spending : ledger.spendings)
    spendings.push_back({{"kind", spending_names[static_cast<std::size_t>(spending.kind)]},
                         {"what", spending.what},
                         {"noise_multiplier", spending.noise_multiplier},
                         {"sampling_rate", spending.sampling_rate},
                         {"count", spending.count},
                         {"epsilon", spending.epsilon},
                         {"delta", spending.delta},
                         {"decides", spending.decides}});
  return {{"epsilon", ledger.epsilon},
          {"delta", ledger.delta},
          {"neighbours", "tables that differ by one row, there or not"},
          {"spendings", std::move(spendings)},
          {"taken_as_public", ledger.taken_as_public}};
}

/// \throws ModelFileError for what is no ledger; whether it adds up is for `TableModel` to say
inline PrivacyLedger privacy_from(const nlohmann::json& json) {
  PrivacyLedger ledger;
  ledger.epsilon = number(json, "epsilon");
  ledger.delta = number(json, "delta");
  for (const auto& entry : array_of(member(json, "spendings"), "spendings")) {
    PrivacySpending spending;
    spending.kind = static_cast<PrivacySpending::Kind>(choice(entry, "kind", spending_names));
    spending.what = text(entry, "what");
    spending.noise_multiplier = number(entry, "noise_multiplier");
    spending.sampling_rate = number(entry, "sampling_rate");
    spending.count = number(entry, "count");
    spending.epsilon = number(entry, "epsilon");
    spending.delta = number(entry, "delta");
    spending.decides = boolean(entry, "decides");
    ledger.spendings.push_back(std::move(spending));
  }
  if (ledger.spendings.empty())
    throw ModelFileError("privacy: a promise without spendings");
  ledger.taken_as_public = texts(json, "taken_as_public");
  return ledger;
}

} // namespace detail
ROWSMITH_END
