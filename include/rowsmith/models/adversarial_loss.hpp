// SPDX-License-Identifier: MIT
/// \file
/// What generator and discriminator play for: losses, and penalties on the discriminator's gradient. A loss
/// of your own is a struct with the same members.
#pragma once

#include <rowsmith/autodiff/ops/activation.hpp>
#include <rowsmith/autodiff/ops/elementwise.hpp>
#include <rowsmith/autodiff/ops/loss.hpp>
#include <rowsmith/autodiff/ops/reduce.hpp>

ROWSMITH_BEGIN

/// Binary cross-entropy with the non-saturating generator loss (Goodfellow et al., NeurIPS 2014): the base
/// method.
struct BceLoss {
  /// Does the generator's loss look at real rows?
  static constexpr bool generator_needs_real = false;
  /// weight · Σ. \param real, fake  units × 1 logits
  template <class Scalar>
  static Variable<Scalar> discriminator(const Variable<Scalar>& real, const Variable<Scalar>& fake,
                                        double weight) {
    return add(bce_with_logits(real, 1, weight), bce_with_logits(fake, 0, weight));
  }
  template <class Scalar>
  static Variable<Scalar> generator(const Variable<Scalar>& fake, double weight) {
    return bce_with_logits(fake, 1, weight);
  }
};

/// Hinge loss (Lim & Ye, "Geometric GAN", 2017): the discriminator rests once it is right by a margin of 1.
struct HingeLoss {
  static constexpr bool generator_needs_real = false;
  template <class Scalar>
  static Variable<Scalar> discriminator(const Variable<Scalar>& real, const Variable<Scalar>& fake,
                                        double weight) {
    constexpr Activation relu{ActivationKind::relu};
    const auto factor = static_cast<Scalar>(weight);
    return add(weighted_sum(activate(affine(real, Scalar(-1), Scalar(1)), relu), factor),
               weighted_sum(activate(affine(fake, Scalar(1), Scalar(1)), relu), factor));
  }
  template <class Scalar>
  static Variable<Scalar> generator(const Variable<Scalar>& fake, double weight) {
    return weighted_sum(fake, static_cast<Scalar>(-weight));
  }
};

/// Relativistic pairing loss (Jolicoeur-Martineau, ICLR 2019; Huang et al., "The GAN is dead; long live the
/// GAN!", NeurIPS 2024): log(1 + e^−(D(real) − D(fake))) over pairs, and the reverse for the generator.
struct RelativisticLoss {
  static constexpr bool generator_needs_real = true;
  template <class Scalar>
  static Variable<Scalar> discriminator(const Variable<Scalar>& real, const Variable<Scalar>& fake,
                                        double weight) {
    return weighted_sum(softplus(subtract(fake, real)), static_cast<Scalar>(weight));
  }
  template <class Scalar>
  static Variable<Scalar> generator(const Variable<Scalar>& real, const Variable<Scalar>& fake,
                                    double weight) {
    return weighted_sum(softplus(subtract(real, fake)), static_cast<Scalar>(weight));
  }
};

/// Nothing beside the loss.
struct NoPenalty {
  static constexpr bool on_real = false;
  static constexpr bool on_fake = false;
};
/// γ/2 · mean |∇D|² on real rows (Mescheder, Geiger & Nowozin, ICML 2018); γ is `GanOptions::penalty_weight`.
struct R1Penalty {
  static constexpr bool on_real = true;
  static constexpr bool on_fake = false;
};
/// The same on real and on generated rows (Huang et al., NeurIPS 2024).
struct R1R2Penalty {
  static constexpr bool on_real = true;
  static constexpr bool on_fake = true;
};

ROWSMITH_END
