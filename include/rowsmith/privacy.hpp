// SPDX-License-Identifier: MIT
/// \file
/// Differential privacy: accounting, noise, and what a training promises.
#pragma once

#include <rowsmith/privacy/audit.hpp>
#include <rowsmith/privacy/ledger.hpp>
#include <rowsmith/privacy/noise_source.hpp>
#include <rowsmith/privacy/noisy_counts.hpp>
#include <rowsmith/privacy/options.hpp>
#include <rowsmith/privacy/privacy_loss.hpp>
#include <rowsmith/privacy/subsampled_gaussian.hpp>
