// SPDX-License-Identifier: MIT
/// \file
/// How good is a synthetic table? Usable with tables from any source. Limits from a JSON file are apart, in
/// rowsmith/evaluate/limits_json.hpp.
#pragma once

#include <rowsmith/evaluate/association.hpp>
#include <rowsmith/evaluate/attacks.hpp>
#include <rowsmith/evaluate/class_target.hpp>
#include <rowsmith/evaluate/classifier.hpp>
#include <rowsmith/evaluate/classify.hpp>
#include <rowsmith/evaluate/description_html.hpp>
#include <rowsmith/evaluate/detection.hpp>
#include <rowsmith/evaluate/distribution_distance.hpp>
#include <rowsmith/evaluate/efficacy.hpp>
#include <rowsmith/evaluate/features.hpp>
#include <rowsmith/evaluate/fidelity.hpp>
#include <rowsmith/evaluate/html_drawing.hpp>
#include <rowsmith/evaluate/html_figures.hpp>
#include <rowsmith/evaluate/html_style.hpp>
#include <rowsmith/evaluate/judge.hpp>
#include <rowsmith/evaluate/linear_model.hpp>
#include <rowsmith/evaluate/marginal.hpp>
#include <rowsmith/evaluate/metrics.hpp>
#include <rowsmith/evaluate/privacy.hpp>
#include <rowsmith/evaluate/regression_efficacy.hpp>
#include <rowsmith/evaluate/relations.hpp>
#include <rowsmith/evaluate/release_gate.hpp>
#include <rowsmith/evaluate/report.hpp>
#include <rowsmith/evaluate/report_figures.hpp>
#include <rowsmith/evaluate/report_html.hpp>
#include <rowsmith/evaluate/report_text.hpp>
#include <rowsmith/evaluate/resample.hpp>
#include <rowsmith/evaluate/result_text.hpp>
#include <rowsmith/evaluate/row_distance.hpp>
#include <rowsmith/evaluate/support.hpp>
#include <rowsmith/evaluate/telling_columns.hpp>
#include <rowsmith/evaluate/text.hpp>
