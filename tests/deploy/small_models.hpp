// SPDX-License-Identifier: MIT
// Untrained models of many shapes: what they draw is arbitrary, but must obey every promise about drawing.
// Made in small_models.cpp, once for all tests.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <rowsmith/models/table_model.hpp>
#include <rowsmith/train/options.hpp>

namespace small {

namespace rs = rowsmith;

// A binned number with a point mass, an exact and a constant one, two categoricals and the label; some cells
// are missing.
rs::Table table(std::size_t rows = 400);

// The same, with two amounts of five written as multiples of 25: values that are atoms.
rs::Table heaped_table(std::size_t rows = 2000);

// Trees in place of the heads, or beside them where these are autoregressive. Their latent code is noise, but
// that one column depends on a number of it, the more the more it tells; 0: it is the same for all rows.
void add_trees(rs::TableModelParts& model, double share, const rs::Table& fitted = table(), float tells = 1);

// A guide that tells the model's rows from a table's.
void add_guide(rs::TableModelParts& model, const rs::Table& real,
               const rs::GuideOptions& options = {.rounds = 12});

// Noise from a mixture of three components, of which each label has shares of its own.
void mix_noise(rs::TableModelParts& model);

// Constants and a sum that a preparation takes out of a table and puts back: behind, between and before the
// others.
rs::Table with_constants(const rs::Table& rows);
// The same for a model that was fitted to table().
rs::TableModelParts with_constants(rs::TableModelParts model);

// With columns that are at least others, often equal to others, or missing with others, and one of so many
// categories that they share codes.
rs::Table related_table(std::size_t rows = 400);

// With dates: orders at office hours but never on Sundays, which are sent some days later and paid on the
// last of a month, mostly, or not at all.
rs::Table dated_table(std::size_t rows = 3000);

struct NamedParts {
  std::string name;
  rs::TableModelParts model;
};
struct Named {
  std::string name;
  rs::TableModel model;
};

// A model of related_table().
rs::TableModelParts related_parts();
// A model of dated_table().
rs::TableModelParts dated_parts();

// Independent and autoregressive heads, every activation, layer norms, products deeper than a block, widths
// that fill no register, numbers and codes, with and without labels, bounds and an "other" category; fine
// codes, atoms, heads of several columns, noise from a mixture, residual generators.
std::vector<NamedParts> all_parts();
std::vector<Named> models();

} // namespace small
