// SPDX-License-Identifier: MIT
/// \file
/// Autoencoder, generator, discriminator, and the trained model.
#pragma once

#include <rowsmith/models/adversarial_loss.hpp>
#include <rowsmith/models/autoencoder.hpp>
#include <rowsmith/models/autoregressive_heads.hpp>
#include <rowsmith/models/condition_rules.hpp>
#include <rowsmith/models/condition_search.hpp>
#include <rowsmith/models/condition_text.hpp>
#include <rowsmith/models/conditions.hpp>
#include <rowsmith/models/expressible_rows.hpp>
#include <rowsmith/models/gan.hpp>
#include <rowsmith/models/gaussian_mixture.hpp>
#include <rowsmith/models/heads.hpp>
#include <rowsmith/models/imputation.hpp>
#include <rowsmith/models/independent_heads.hpp>
#include <rowsmith/models/joint_codes.hpp>
#include <rowsmith/models/joint_heads.hpp>
#include <rowsmith/models/learning_curve.hpp>
#include <rowsmith/models/likelihood.hpp>
#include <rowsmith/models/partial_rows.hpp>
#include <rowsmith/models/pinned_row.hpp>
#include <rowsmith/models/row_guide.hpp>
#include <rowsmith/models/row_reasons.hpp>
#include <rowsmith/models/row_surprise.hpp>
#include <rowsmith/models/rows_meeting.hpp>
#include <rowsmith/models/table_model.hpp>
#include <rowsmith/models/table_model_parts.hpp>
#include <rowsmith/models/trained_heads.hpp>
#include <rowsmith/models/what_if.hpp>
