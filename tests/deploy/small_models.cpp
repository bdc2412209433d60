// SPDX-License-Identifier: MIT
#include "small_models.hpp"

#include <cmath>
#include <cstdint>
#include <utility>
#include <variant>

#include <rowsmith/models/autoencoder.hpp>
#include <rowsmith/train/guide_stage.hpp>
#include <rowsmith/train/tree_stage.hpp>

#include "small_parts.hpp"

namespace small {

rs::Table table(std::size_t rows) {
  auto amount = rs::Column::numerical("amount", {}, 2);
  auto age = rs::Column::numerical("age", {}, 0);
  auto one = rs::Column::numerical("one", {}, 0);
  auto city = rs::Column::categorical("city");
  auto shade = rs::Column::categorical("shade");
  auto rich = rs::Column::categorical("rich");
  rs::RandomSequence random(rs::RandomStream(17, rs::Purpose::user));
  const std::vector<std::string> cities{"K\xC3\xB6ln", "\"quoted\", Rome", "Oslo", "a\\b", "Bern\n"};
  for (std::size_t i = 0; i < rows; ++i) {
    const double drawn = std::round(1e4 * random.normal()) / 100;
    amount.values.push_back(i % 11 == 0 ? std::nan("") : i % 9 == 0 ? 0.0 : drawn);
    age.values.push_back(static_cast<double>(17 + random.below(60)));
    one.values.push_back(1);
    city.codes.push_back(i % 13 == 0 ? rs::missing_code : city.dictionary.insert(cities[random.below(5)]));
    shade.codes.push_back(shade.dictionary.insert(std::to_string(random.below(20))));
    rich.codes.push_back(rich.dictionary.insert(random.below(4) == 0 ? "yes" : "no"));
  }
  return rs::Table({amount, age, one, city, shade, rich}, "rich");
}

rs::Table heaped_table(std::size_t rows) {
  auto columns = table(rows).into_columns();
  for (std::size_t i = 0; i < rows; ++i)
    if (i % 5 < 2)
      columns[0].values[i] = 25 * std::round(columns[0].values[i] / 25);
  return rs::Table(std::move(columns), "rich");
}

void add_trees(rs::TableModelParts& model, double share, const rs::Table& fitted, float tells) {
  const auto& layout = model.encoder.layout();
  const auto rows = model.encoder.encode(fitted);
  const auto width = static_cast<std::size_t>(model.latent_width());
  rs::RandomSequence random(rs::RandomStream(8, rs::Purpose::user));
  std::vector<float> latents;
  std::vector<std::uint32_t> all;
  std::vector<std::int32_t> order;
  for (const auto column : rs::automatic_order(model.encoder))
    if (!layout[static_cast<std::size_t>(column)].fine)
      order.push_back(column);
  for (std::size_t r = 0; r < rows.rows(); ++r) {
    all.push_back(static_cast<std::uint32_t>(r));
    for (std::size_t j = 0; j < width; ++j)
      latents.push_back(tells > 0 ? static_cast<float>(random.normal()) : 0.0F);
    latents[r * width + 1] +=
        tells * static_cast<float>(rows.code(r, static_cast<std::size_t>(order.front())));
  }
  auto trees =
      rs::detail::fit_trees(model.encoder, rows, all, latents, width, order,
                            {.share = share, .trees = 3, .min_leaf = 7, .smoothing = 0.5}, 9, 1, [] {});
  if (trees.reads_latent() != (tells > 0))
    throw rs::Error("trees that should read the latent code do not, or the other way round");
  if (share < 1) {
    std::vector<double> shares;
    for (std::size_t i = 0; i < order.size(); ++i) // one column is the network's alone
      shares.push_back(i == 2 ? 0 : share);
    model.heads =
        rs::MixedNetwork{std::get<rs::AutoregressiveNetwork>(model.heads), std::move(trees), shares};
  } else {
    model.heads = std::move(trees);
    model.decoder_network = {};
  }
}

void add_guide(rs::TableModelParts& model, const rs::Table& real, const rs::GuideOptions& options) {
  const rs::TableModel drawn(model);
  const auto rows = model.encoder.encode(real);
  std::vector<std::uint32_t> learnt;
  std::vector<std::uint32_t> held_out;
  for (std::uint32_t r = 0; r < rows.rows(); ++r)
    (r % 5 == 0 ? held_out : learnt).push_back(r);
  model.guide = rs::detail::fit_guide(drawn, rows, learnt, held_out, options, 3, 1).guide;
}

void mix_noise(rs::TableModelParts& model) {
  auto& mixture = model.mixture;
  mixture.width = model.noise_width;
  const auto width = static_cast<std::size_t>(model.noise_width);
  rs::RandomSequence random(rs::RandomStream(6, rs::Purpose::user));
  for (std::size_t k = 0; k < 3; ++k)
    for (std::size_t i = 0; i < width; ++i) {
      mixture.means.push_back(static_cast<float>(random.normal()));
      for (std::size_t j = 0; j < width; ++j)
        mixture.factors.push_back(j > i ? 0.0F
                                        : static_cast<float>(random.normal()) / (i == j ? 1.0F : 4.0F));
    }
  mixture.shares = {0.5, 0.3, 0.2};
  if (model.conditional())
    mixture.shares.insert(mixture.shares.end(), {0.0, 0.9, 0.1});
}

rs::Table with_constants(const rs::Table& rows) {
  auto columns = rs::Table(rows).into_columns();
  const auto n = rows.rows();
  auto unit = rs::Column::categorical("unit", std::vector<std::string>(n, "kg \"net\""));
  auto none = rs::Column::categorical("none");
  none.codes.assign(n, rs::missing_code);
  columns.insert(columns.begin() + 2, unit);
  columns.push_back(none);
  columns.push_back(rs::Column::numerical("year", std::vector<double>(n, 2024.5), 1));
  auto next = rs::Column::numerical("next", {}, 0);
  for (const double age : rows["age"].values)
    next.values.push_back(10 - age);
  columns.push_back(next);
  columns.push_back(rs::Column::numerical("gap", std::vector<double>(n, std::nan(""))));
  // What cities and shades say: a text, which is missing for one of them and for none, and a number.
  auto zone = rs::Column::categorical("zone");
  auto depth = rs::Column::numerical("depth", {}, 1);
  for (std::size_t r = 0; r < n; ++r) {
    const auto city = rows["city"].cell(r).text();
    const auto shade = rows["shade"].cell(r).text();
    zone.codes.push_back(city.empty()       ? zone.dictionary.insert("none")
                         : city[0] == 'O'   ? rs::missing_code
                         : city.size() >= 5 ? zone.dictionary.insert("a \"long\" name")
                                            : zone.dictionary.insert("b"));
    depth.values.push_back(shade.size() == 1 ? std::nan("") : std::stod(std::string(shade)) / 10);
  }
  columns.push_back(zone);
  columns.push_back(depth);
  return rs::Table(std::move(columns), rows.schema().label());
}

rs::TableModelParts with_constants(rs::TableModelParts model) {
  const auto user = with_constants(table());
  std::vector<rs::Preparation::Transform> constants;
  const auto fitted = rs::Preparation::fit(user);
  for (const auto& transform : fitted.transforms())
    if (const auto* constant = std::get_if<rs::ConstantColumn>(&transform);
        constant == nullptr || constant->column != 3) // "one" is a column of these models
      constants.push_back(transform);
  model.preparation = rs::Preparation(user.schema(), std::move(constants));
  return model;
}

rs::Table related_table(std::size_t rows) {
  auto columns = table(rows).into_columns();
  const auto amount = columns[0].values;
  const auto age = columns[1].values;
  auto most = rs::Column::numerical("most", {}, 1); // at least the age, of other decimals
  auto last = rs::Column::numerical("last", {}, 0); // at least the age, of the same
  auto paid = rs::Column::numerical("paid", {}, 2); // often the amount
  auto fee = rs::Column::numerical("fee", {}, 1);   // missing where the amount is, and elsewhere
  auto note = rs::Column::categorical("note");      // missing where the amount is, and nowhere else
  auto rate = rs::Column::numerical("rate", {}, 3); // the same
  auto street = rs::Column::categorical("street");
  rs::RandomSequence random(rs::RandomStream(18, rs::Purpose::user));
  for (std::size_t i = 0; i < rows; ++i) {
    street.codes.push_back(
        i % 17 == 0
            ? rs::missing_code
            : street.dictionary.insert("street " + std::to_string(random.below(random.below(170) + 1))));
    const bool absent = std::isnan(amount[i]);
    most.values.push_back(age[i] + std::round(90 * random.uniform()) / 10);
    last.values.push_back(age[i] + static_cast<double>(random.below(9)));
    paid.values.push_back(absent || random.below(2) == 0 ? std::round(1e4 * random.normal()) / 100
                                                         : amount[i]);
    fee.values.push_back(absent || random.below(3) == 0 ? std::nan("")
                                                        : std::round(random.uniform() * 90) / 10);
    note.codes.push_back(absent ? rs::missing_code
                                : note.dictionary.insert(random.below(2) == 0 ? "new" : "\"as\" before"));
    rate.values.push_back(absent ? std::nan("") : std::round(random.uniform() * 1e3) / 1e3);
  }
  columns.insert(columns.end(), {most, last, paid, fee, note, rate, street});
  return rs::Table(std::move(columns), "rich");
}

rs::Table dated_table(std::size_t rows) {
  auto columns = table(rows).into_columns();
  auto ordered = rs::Column::numerical("ordered", {}, 3);
  auto sent = rs::Column::numerical("sent", {}, 0);
  auto paid = rs::Column::numerical("paid", {}, 0);
  rs::RandomSequence random(rs::RandomStream(19, rs::Purpose::user));
  for (std::size_t i = 0; i < rows; ++i) {
    std::int64_t day = 3; // a Sunday
    while (rs::kernel::week_of(day) != rs::kernel::week_of(day + 1))
      day = static_cast<std::int64_t>(random.below(1800)) - 600;
    ordered.values.push_back(
        std::round(1e3 * (static_cast<double>(86400 * day + 8 * 3600) + 36e3 * random.uniform())) / 1e3);
    sent.values.push_back(static_cast<double>(day) + 1 + random.below(4));
    auto last = day;
    while (rs::kernel::civil_day(last + 1).day != 1)
      ++last;
    paid.values.push_back(random.below(8) == 0   ? std::nan("")
                          : random.below(3) == 0 ? static_cast<double>(last) - random.below(27)
                                                 : static_cast<double>(last));
  }
  columns.insert(columns.end(), {ordered, sent, paid});
  return rs::Table(std::move(columns), "rich");
}

rs::TableModelParts related_parts() {
  using Autoencoder = rs::Autoencoder<rs::Dense<24>, rs::ReLU, rs::Latent<6>, rs::AutoregressiveHeads<20>>;
  using Generator = rs::Generator<rs::Noise<6>, rs::Dense<17>, rs::ReLU, rs::Dense<6>, rs::Tanh>;
  const auto user = related_table();
  const auto preparation = rs::Preparation::fit(user, {.constants = false});
  const auto learnt = preparation.forward(user);
  auto model = parts<Autoencoder, Generator>(
      rs::TableEncoder::fit(learnt, {.max_categories = 100, .own_code_rows = 8}), false, 0.5F, learnt);
  model.preparation = preparation;
  return model;
}

rs::TableModelParts dated_parts() {
  using Autoencoder = rs::Autoencoder<rs::Dense<24>, rs::ReLU, rs::Latent<6>, rs::AutoregressiveHeads<20>>;
  using Generator = rs::Generator<rs::Noise<6>, rs::Dense<17>, rs::ReLU, rs::Dense<6>, rs::Tanh>;
  const auto user = dated_table();
  const auto preparation =
      rs::Preparation::fit(user, {.constants = false,
                                  .dates = {{.name = "ordered", .unit = rs::DateColumn::Unit::seconds},
                                            {.name = "sent"},
                                            {.name = "paid"}}});
  const auto learnt = preparation.forward(user);
  auto model = parts<Autoencoder, Generator>(rs::TableEncoder::fit(learnt, {}), false, 0.5F, learnt);
  model.preparation = preparation;
  return model;
}

/// Each column begins with the shares that it has by one before it: a chain, but that every third stands
/// alone.
static rs::HeadMargins chained_margins(const rs::TableEncoder& encoder) {
  rs::HeadMargins margins;
  margins.order = rs::automatic_order(encoder);
  const auto& layout = encoder.layout();
  margins.parents.assign(layout.size(), -1);
  margins.shares.resize(layout.size());
  margins.by_parent.resize(layout.size());
  rs::RandomSequence random(rs::RandomStream(21, rs::Purpose::user));
  const auto shares = [&random](std::size_t width) {
    std::vector<double> result;
    double sum = 0;
    for (std::size_t k = 0; k < width; ++k)
      sum += result.emplace_back(0.05 + random.uniform());
    for (auto& share : result)
      share /= sum;
    return result;
  };
  std::int32_t before = -1;
  for (std::size_t q = 0; q < margins.order.size(); ++q) {
    const auto column = static_cast<std::size_t>(margins.order[q]);
    const auto width = static_cast<std::size_t>(layout[column].width);
    margins.shares[column] = shares(width);
    std::int32_t parent = layout[column].fine ? margins.order[q] - 1 : -1;
    if (!layout[column].fine && q % 3 != 0)
      parent = margins.parents[column] = before;
    for (std::int32_t p = 0; parent >= 0 && p < layout[static_cast<std::size_t>(parent)].width; ++p) {
      const auto given = shares(width);
      margins.by_parent[column].insert(margins.by_parent[column].end(), given.begin(), given.end());
    }
    if (!layout[column].fine)
      before = margins.order[q];
  }
  return margins;
}

std::vector<NamedParts> all_parts() {
  using rs::Dense, rs::ReLU, rs::LeakyReLU, rs::Tanh, rs::Sigmoid, rs::LayerNorm, rs::Latent, rs::Noise;
  const auto rows = table();
  const auto numbers = rs::TableEncoder::fit(rows, {.numerical = rs::NumericalEncoding::standardised});
  const auto codes = rs::TableEncoder::fit(rows, {.max_exact_values = 80, .bins = 16});
  const auto other =
      rs::TableEncoder::fit(rows, {.unseen = rs::UnseenCategory::other, .min_category_rows = 30});
  const auto fine = rs::TableEncoder::fit(rows, {.max_exact_values = 80, .bins = 8, .fine = 5});
  const auto atoms = rs::TableEncoder::fit(heaped_table(), {.max_exact_values = 20, .bins = 11, .fine = 4});
  using Plain = rs::Autoencoder<Dense<40>, ReLU, Latent<5>>;
  using Mixed = rs::Autoencoder<Dense<33>, LeakyReLU, LayerNorm, Dense<20>, Sigmoid, Latent<7>, Dense<300>,
                                Tanh, LayerNorm, Dense<19>, ReLU>;
  using InOrder = rs::Autoencoder<Dense<24>, ReLU, Latent<6>, rs::AutoregressiveHeads<20>>;
  using InOrderDeep =
      rs::Autoencoder<Dense<24>, ReLU, Latent<6>, Dense<270>, LeakyReLU, rs::AutoregressiveHeads<64>>;
  using To5 = rs::Generator<Noise<8>, Dense<48>, ReLU, Dense<5>, Tanh>;
  using To7 = rs::Generator<Noise<13>, Dense<290>, LeakyReLU, Dense<31>, LayerNorm, Sigmoid, Dense<7>, Tanh>;
  using To6 = rs::Generator<Noise<30>, Dense<17>, ReLU, Dense<6>, Tanh>;
  using Joint = rs::Autoencoder<Dense<24>, ReLU, Latent<6>, Dense<31>, ReLU, rs::JointHeads<128>>;
  using Residual6 = rs::Generator<Noise<6>, Dense<35>, LeakyReLU, Dense<6>, rs::Residual>;
  using Residual5 = rs::Generator<Noise<5>, Dense<16>, ReLU, LayerNorm, Dense<5>, rs::Residual>;
  std::vector<NamedParts> all;
  all.push_back({"numbers", parts<Plain, To5>(numbers, false)});
  all.push_back({"numbers with labels", parts<Plain, To5>(numbers, true)});
  all.push_back({"codes, all layers", parts<Mixed, To7>(codes, true)});
  all.push_back({"other, no bound", parts<Mixed, To7>(other, false)});
  all.back().model.latent_bound.clear();
  all.push_back({"argmax", parts<Plain, To5>(codes, true)});
  all.back().model.decoding = rs::Decoding::argmax;
  all.push_back({"in order", parts<InOrder, To6>(codes, false)});
  all.push_back({"in order with labels", parts<InOrder, To6>(other, true)});
  all.push_back({"in order, deep", parts<InOrderDeep, To6>(codes, true)});
  all.back().model.temperature = 0.8;
  all.push_back({"fine codes", parts<Mixed, To7>(fine, true)});
  all.push_back({"in order, fine codes, residual, mixture", parts<InOrder, Residual6>(fine, true)});
  all.back().model.latent_bound.clear();
  mix_noise(all.back().model);
  const auto chained = chained_margins(fine);
  all.push_back({"in order, by other columns", parts<InOrder, To6>(fine, false, 3, rows, &chained)});
  all.push_back({"atoms", parts<Plain, To5>(atoms, true)});
  all.push_back({"in order, atoms", parts<InOrder, To6>(atoms, true)});
  all.push_back({"trees", parts<Joint, To6>(fine, false)});
  add_trees(all.back().model, 1);
  all.push_back({"trees with labels", parts<Joint, To6>(other, true)});
  add_trees(all.back().model, 1);
  all.push_back({"in order with trees", parts<InOrder, To6>(fine, false)});
  add_trees(all.back().model, 0.4);
  all.push_back({"in order with trees and labels", parts<InOrder, To6>(codes, true)});
  add_trees(all.back().model, 0.7);
  all.back().model.temperature = 1.1;
  all.push_back({"in order with trees, guided", parts<InOrder, To6>(fine, false)});
  add_trees(all.back().model, 0.4);
  add_guide(all.back().model, rows);
  all.push_back(
      {"in order with trees, by other columns", parts<InOrder, To6>(fine, false, 3, rows, &chained)});
  add_trees(all.back().model, 0.4);
  all.push_back({"codes with labels, guided", parts<Plain, To5>(codes, true)});
  add_guide(all.back().model, rows);
  all.push_back({"residual", parts<Plain, Residual5>(numbers, true)});
  all.back().model.latent_bound.clear();
  all.push_back({"joint", parts<Joint, To6>(fine, false)});
  mix_noise(all.back().model);
  all.push_back({"joint, atoms", parts<Joint, To6>(atoms, false, 3, heaped_table())});
  all.push_back({"joint with labels, residual, mixture", parts<Joint, Residual6>(fine, true)});
  all.back().model.latent_bound.clear();
  all.back().model.temperature = 1.2;
  mix_noise(all.back().model);
  all.push_back({"joint, argmax", parts<Joint, To6>(other, true)});
  all.back().model.decoding = rs::Decoding::argmax;
  return all;
}

std::vector<Named> models() {
  std::vector<Named> all;
  for (auto& [name, model] : all_parts())
    all.push_back({name, rs::TableModel(std::move(model))});
  return all;
}

} // namespace small
