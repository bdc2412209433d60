// SPDX-License-Identifier: MIT
/// \file
/// What can be chosen about a training with differential privacy.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/option_range.hpp>
#include <rowsmith/table/schema.hpp>

ROWSMITH_BEGIN

/// What is known to everybody of a column's values. What is left open is learnt from the rows, and paid for.
struct ColumnDomain {
  std::string name{};
  std::optional<double> minimum{}; ///< numbers: with `maximum`, the range; values outside count as its ends
  std::optional<double> maximum{};
  std::optional<int> decimals{};         ///< numbers: digits after the point, 0 to 6; −1: as they come
  std::vector<std::string> categories{}; ///< all there are; another text counts as "other"
  std::optional<ColumnKind> kind{};      ///< where kinds are learnt: what it is, told by nothing else here

  /// The kind that this declares.
  std::optional<ColumnKind> declared_kind() const noexcept {
    return minimum || maximum || decimals ? ColumnKind::numerical
           : !categories.empty()          ? std::optional(ColumnKind::categorical)
                                          : kind;
  }
};

/// Which parts of the model learn from the private rows.
enum class PrivateParts {
  heads,                ///< heads alone, without a latent code
  heads_and_encoder,    ///< a variational autoencoder, whose codes are drawn from N(0, I) afterwards
  heads_encoder_and_gan ///< the same, and a GAN in its latent space, for a fifth of the steps more
};

/// Which counts of two columns together the training begins with.
enum class PrivatePairs {
  none,  ///< each column by itself
  label, ///< each with the label, where there is one
  tree   ///< a tree of the pairs that depend most on each other, chosen for a part of the budget
};

/// Options of `PrivateTrainer`.
struct PrivacyOptions {
  double epsilon = 0;  ///< promised; 0: no guarantee; (0, 100]
  double delta = 1e-6; ///< of the promise: less than 1 / rows; [1e-10, 0.01]
  double counts =
      0.25; ///< share of the budget for domains and for the shares the training begins with; (0, 1)
  double clip_norm = 1;     ///< what one row's gradient may weigh at most; (0, 1e6]
  std::size_t steps = 1500; ///< of the training; 0: counts alone; [0, 1e6]
  std::size_t batch = 4096; ///< rows that a step takes on average, each by chance of its own; [1, 50000]
  std::size_t bins = 24;    ///< of a number, at most; [2, 1024]
  PrivateParts parts = PrivateParts::heads;
  PrivatePairs pairs = PrivatePairs::label;
  /// Which columns are numbers is not known: all come as texts, and what most of them look like is learnt
  /// from noisy counts. The label stays as it is.
  bool learn_kinds = false;
  std::vector<ColumnDomain> domains{};        ///< what is known of columns
  std::vector<std::string> taken_as_public{}; ///< said in the statement: what else was taken for known

  /// Calls `visit(name, value, range)` for each numerical option.
  template <class Visit>
  void each_option(Visit&& visit) const {
    visit("privacy.epsilon", epsilon, OptionRange{0, 100});
    visit("privacy.delta", delta, OptionRange{1e-10, 0.01});
    visit("privacy.counts", counts, OptionRange{0, 1, true, true});
    visit("privacy.clip_norm", clip_norm, OptionRange{0, 1e6, true});
    visit("privacy.steps", static_cast<double>(steps), OptionRange{0, 1e6});
    visit("privacy.batch", static_cast<double>(batch), OptionRange{1, 50'000});
    visit("privacy.bins", static_cast<double>(bins), OptionRange{2, 1024});
    visit("privacy.parts", static_cast<double>(parts), OptionRange{0, 2});
    visit("privacy.pairs", static_cast<double>(pairs), OptionRange{0, 2});
    visit("privacy.learn_kinds", learn_kinds ? 1.0 : 0.0, OptionRange{0, 1});
  }
};

ROWSMITH_END
