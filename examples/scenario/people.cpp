// SPDX-License-Identifier: MIT
#include "people.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include <rowsmith/core/progress_bar.hpp>
#include <rowsmith/core/random.hpp>
#include <rowsmith/synthesizer.hpp>
#include <rowsmith/table/table.hpp>

namespace rs = rowsmith;

static rs::Table made_people(std::size_t rows) {
  rs::RandomSequence random(rs::RandomStream(3, rs::Purpose::user));
  auto sex = rs::Column::categorical("sex");
  auto age = rs::Column::numerical("age", {}, 0);
  auto job = rs::Column::categorical("job");
  auto hours = rs::Column::numerical("hours", {}, 0);
  auto wage = rs::Column::numerical("wage", {}, 0);
  const auto add = [](rs::Column& column, const char* text) {
    column.codes.push_back(column.dictionary.insert(text));
  };
  for (std::size_t i = 0; i < rows; ++i) {
    const bool woman = random.below(2) == 0;
    const bool craft = random.uniform() < (woman ? 0.2 : 0.6);
    add(sex, woman ? "Female" : "Male");
    add(job, craft ? "craft" : "office");
    age.values.push_back(std::round(18 + 52 * random.uniform()));
    hours.values.push_back(std::round(std::clamp((craft ? 42 : 36) + 6 * random.normal(), 8.0, 70.0)));
    wage.values.push_back(
        std::round(hours.values[i] * (craft ? 22 : 18) + 4 * age.values[i] + 60 * random.normal()));
  }
  return rs::Table({sex, age, job, hours, wage});
}

rs::TableModel model_of_made_people(bool quick) {
  rs::RecipeOptions<rs::TreeRecipe> options; // fitted in seconds
  if (quick) {
    options.autoencoder.steps = 60;
    options.gan.steps = 30;
  }
  return rs::Synthesizer::fit(made_people(quick ? 1500 : 6000), options,
                              quick ? rs::ProgressCallback{} : rs::progress_bar())
      .model();
}
