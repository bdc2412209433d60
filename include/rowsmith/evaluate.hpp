// SPDX-License-Identifier: MIT
/// \file
/// How good is a synthetic table? Usable with tables from any source.
#pragma once

#include <rowsmith/evaluate/attacks.hpp>
#include <rowsmith/evaluate/classifier.hpp>
#include <rowsmith/evaluate/detection.hpp>
#include <rowsmith/evaluate/efficacy.hpp>
#include <rowsmith/evaluate/features.hpp>
#include <rowsmith/evaluate/fidelity.hpp>
#include <rowsmith/evaluate/json_object.hpp>
#include <rowsmith/evaluate/linear_model.hpp>
#include <rowsmith/evaluate/metrics.hpp>
#include <rowsmith/evaluate/privacy.hpp>
#include <rowsmith/evaluate/release_gate.hpp>
#include <rowsmith/evaluate/report.hpp>
#include <rowsmith/evaluate/report_html.hpp>
#include <rowsmith/evaluate/resample.hpp>
#include <rowsmith/evaluate/row_distance.hpp>
#include <rowsmith/evaluate/support.hpp>
