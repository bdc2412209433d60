// SPDX-License-Identifier: MIT
// A model to try scenarios with, where the user has none.
#pragma once

#include <rowsmith/models/table_model.hpp>

// Learns a made-up table of people: sex, age, job, hours, wage. Women and men have other jobs; a job, the
// hours and the age give the wage, whoever has it.
rowsmith::TableModel model_of_made_people(bool quick);
