// SPDX-License-Identifier: MIT
/// \file
/// How probable a trained model finds given rows: the figure to choose models by, and an anomaly score.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <ostream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/json_text.hpp>
#include <rowsmith/core/option_range.hpp>
#include <rowsmith/core/parallel.hpp>
#include <rowsmith/models/table_model.hpp>

ROWSMITH_BEGIN

struct LikelihoodOptions {
  /// Latent codes that a row's probability is averaged over; [1, 65536]. Heads that do not read it are asked
  /// once.
  std::size_t samples = 64;
  std::uint64_t seed = 0; ///< of those codes
  int threads = 0;        ///< 0: all; never changes the result
  bool cells = false;     ///< fill `LogLikelihood::cells`

  /// \throws OptionError
  void check() const {
    check_option("likelihood.samples", static_cast<double>(samples), OptionRange{1, 65536});
  }
};

/// Log-probabilities of rows, in nats (natural logarithm). Probabilities are those of the columns' codes: a
/// binned number counts by its bin (and part of it), so that figures of different encodings are not
/// comparable.
struct LogLikelihood {
  /// One a row: log of the mean over the codes z of p(row | z). The log of a mean is below that of the
  /// expectation on average, by less the more samples there are.
  std::vector<double> rows;
  double mean = 0; ///< over the rows
  /// Mean of log p(column | the columns before it in the model's order); with `guide` they add up to `mean`.
  /// Columns that share a head are one entry, "a+b".
  std::vector<std::pair<std::string, double>> columns;
  double guide = 0; ///< mean log of how much more often the model's guide takes such rows than others
  /// If asked for: the same of each row, rows × columns; NaN in rows that the model's preparation cannot
  /// make.
  std::vector<double> cells;
  /// What the latent code says about a row: mean over the rows of the Kullback–Leibler divergence of p(z |
  /// row) from the generator's p(z). 0: the heads ignore the code. At most log(samples), and too low when
  /// near that.
  double latent_nats = 0;
  std::size_t samples = 0; ///< latent codes that were averaged over; 1 if the heads do not read it
};

namespace detail {

/// log Σ e^x of `count` numbers.
inline double log_sum_exp(const double* x, std::size_t count) {
  const double largest = *std::max_element(x, x + count);
  if (std::isinf(largest))
    return largest;
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i)
    sum += std::exp(x[i] - largest);
  return largest + std::log(sum);
}

/// logits -> log softmax(logits / temperature), in place. \param inverse  of the temperature
inline void log_softmax(float* x, Index width, float inverse) {
  AlignedBuffer<float> room(static_cast<std::size_t>(width));
  const float largest = kernel::exponentials(x, room.data(), width, inverse);
  const double sum = std::accumulate(room.begin(), room.end(), 0.0);
  const auto log_sum = static_cast<float>(std::log(sum));
  for (Index j = 0; j < width; ++j)
    x[j] = (x[j] - largest) * inverse - log_sum;
}

/// What a model's probability of a row is a product of: its heads.
class LikelihoodParts {
public:
  LikelihoodParts(const TableModel& model, const LikelihoodOptions& options)
      : model_(&model), samples_(model.reads_latent() ? options.samples : 1),
        inverse_(1 / model.choice().temperature) {
    const auto& layout = model.encoder().layout();
    for (const auto& stretches :
         std::visit([&](const auto& kind) { return kind.stretches(model.encoder()); }, model.heads())) {
      std::string name;
      bool label = false;
      for (const auto h : stretches) {
        const auto& stretch = layout[static_cast<std::size_t>(h)];
        label = label || h == model.columns().label;
        if (!stretch.fine || stretches.size() == 1)
          name.append(name.empty() ? "" : "+").append(model.encoder().codecs()[stretch.column].name);
      }
      names_.push_back(std::move(name));
      if (label) {
        label_part_ = names_.size() - 1;
        label_alone_ = stretches.size() == 1;
      }
    }
    draw_latents(options);
  }

  /// Latent codes of each row: one stands for all if the heads do not read it.
  std::size_t samples() const noexcept { return samples_; }
  std::size_t parts() const noexcept { return names_.size(); }
  const std::string& name(std::size_t part) const noexcept { return names_[part]; }

  /// log p(part | parts before, z) of `count` rows for every z: out is rows × samples × parts.
  /// \param codes  rows × layout, counted from 0 \param labels  one a row, or null
  void log_probabilities(const std::int32_t* codes, const std::int32_t* labels, Index count, double* out,
                         InferenceScratch& scratch) const {
    std::visit([&](const auto& kind) { of(kind, codes, labels, count, out, scratch); }, model_->heads());
    if (labels == nullptr)
      return;
    // A conditional model gives the label it is asked for, and is asked as often as the training rows had it.
    // Joint heads were held to combinations with the label; a head of its own is not asked about it at all.
    for (Index r = 0; r < count; ++r)
      for (std::size_t k = 0; k < samples_; ++k) {
        double& log_p = out[(static_cast<std::size_t>(r) * samples_ + k) * parts() + label_part_];
        log_p = (label_alone_ ? 0 : log_p) +
                std::log(model_->parts().label_shares[static_cast<std::size_t>(labels[r])]);
      }
  }

private:
  void draw_latents(const LikelihoodOptions& options) {
    const auto width = static_cast<std::size_t>(model_->latent_width());
    const std::size_t label_count = std::max<std::size_t>(model_->labels().size(), 1);
    latents_.resize(label_count * samples_ * width);
    InferenceScratch scratch;
    for (std::size_t label = 0; label < label_count; ++label) {
      const std::vector<std::int32_t> labels(model_->conditional() ? samples_ : 0,
                                             static_cast<std::int32_t>(label));
      model_->parts().generate(
          RandomStream(options.seed, Purpose::likelihood, static_cast<std::uint32_t>(2 * label)),
          RandomStream(options.seed, Purpose::likelihood, static_cast<std::uint32_t>(2 * label + 1)), {},
          static_cast<Index>(samples_), labels, latents_.data() + label * samples_ * width, scratch);
    }
    if (draws_in_order(model_->heads()))
      return;
    // Other heads see nothing but the code: their probabilities are made once for all rows.
    const auto& decoder = model_->parts().decoder_network;
    const auto rows = static_cast<Index>(label_count * samples_);
    const Index width_of_all = decoder.outputs();
    const float* outputs = decoder.run(latents_.data(), rows, scratch);
    tables_.resize(static_cast<std::size_t>(rows * width_of_all));
    std::copy_n(outputs, rows * width_of_all, tables_.data());
    for (Index r = 0; r < rows; ++r) {
      float* x = tables_.data() + r * width_of_all;
      each_head([&](Index head_width, const kernel::Group* group) {
        if (group != nullptr && group->label >= 0)
          group->keep_label(static_cast<std::int32_t>(r / static_cast<Index>(samples_)), x, x);
        log_softmax(x, head_width, inverse_);
        x += head_width;
      });
    }
  }
  /// Calls `each(width, group or null)` for each head that sees nothing but the code.
  template <class Each>
  void each_head(const Each& each) const {
    if (const auto* joint = std::get_if<JointCodes>(&model_->heads()))
      for (const auto& group : joint->views(model_->columns()))
        each(Index{group.width}, &group);
    else
      for (const auto& stretch : model_->encoder().layout())
        each(Index{stretch.width}, static_cast<const kernel::Group*>(nullptr));
  }

  /// \param code_of  (part, row's codes) -> the code that the part's head gives the row, or −1
  template <class CodeOf>
  void look_up(const std::int32_t* codes, const std::int32_t* labels, Index count, double* out,
               const CodeOf& code_of) const {
    const Index width = model_->parts().decoder_network.outputs();
    std::vector<Index> offsets{0};
    each_head(
        [&](Index head_width, const kernel::Group*) { offsets.push_back(offsets.back() + head_width); });
    for (Index r = 0; r < count; ++r) {
      const float* table =
          tables_.data() + (labels == nullptr ? 0 : labels[r]) * static_cast<Index>(samples_) * width;
      for (std::size_t p = 0; p < parts(); ++p) {
        const std::int32_t code =
            code_of(p, codes + static_cast<std::size_t>(r) * model_->columns().stretches);
        for (std::size_t k = 0; k < samples_; ++k)
          out[(static_cast<std::size_t>(r) * samples_ + k) * parts() + p] =
              code < 0 ? -std::numeric_limits<double>::infinity()
                       : static_cast<double>(table[static_cast<Index>(k) * width + offsets[p] + code]);
      }
    }
  }
  void of(const IndependentNetwork&, const std::int32_t* codes, const std::int32_t* labels, Index count,
          double* out, InferenceScratch&) const {
    look_up(codes, labels, count, out, [](std::size_t p, const std::int32_t* row) { return row[p]; });
  }
  void of(const JointCodes& joint, const std::int32_t* codes, const std::int32_t* labels, Index count,
          double* out, InferenceScratch&) const {
    const auto groups = joint.views(model_->columns());
    look_up(codes, labels, count, out, [&](std::size_t p, const std::int32_t* row) {
      return groups[p].find([&](std::size_t i) { return row[groups[p].columns[i]]; });
    });
  }
  /// Calls `visit(k, latent code of each row)` for each z.
  template <class Visit>
  void each_latent(const std::int32_t* labels, Index count, const Visit& visit) const {
    const Index width = model_->latent_width();
    std::vector<float> latents(static_cast<std::size_t>(count * width));
    for (std::size_t k = 0; k < samples_; ++k) {
      for (Index r = 0; r < count; ++r)
        std::copy_n(latents_.data() + (static_cast<Index>(labels == nullptr ? 0 : labels[r]) *
                                           static_cast<Index>(samples_) +
                                       static_cast<Index>(k)) *
                                          width,
                    width, latents.data() + r * width);
      visit(k, latents.data());
    }
  }
  void of(const AutoregressiveNetwork& heads, const std::int32_t* codes, const std::int32_t* labels,
          Index count, double* out, InferenceScratch& scratch) const {
    const auto shape = heads.shape();
    const auto numbered = heads.number_through(codes, count);
    each_latent(labels, count, [&](std::size_t k, const float* latents) {
      const float* read = model_->parts().decoder_network.run(latents, count, scratch);
      heads.each_position(read, count, numbered.data(), scratch, [&](Index q, float* logits, Index width) {
        for (Index r = 0; r < count; ++r)
          out[(static_cast<std::size_t>(r) * samples_ + k) * parts() + static_cast<std::size_t>(q)] =
              -kernel::cross_entropy(logits + r * width, logits + r * width, width,
                                     codes[r * shape.columns + shape.order[q]], inverse_);
      });
    });
  }
  void of(const TreeNetwork& heads, const std::int32_t* codes, const std::int32_t* labels, Index count,
          double* out, InferenceScratch&) const {
    const auto view = heads.view();
    const auto stretches = static_cast<Index>(model_->columns().stretches);
    each_latent(labels, count, [&](std::size_t k, const float* latents) {
      for (Index r = 0; r < count; ++r)
        for (Index slot = 0; slot < view.count; ++slot)
          out[(static_cast<std::size_t>(r) * samples_ + k) * parts() + static_cast<std::size_t>(slot)] =
              std::log(view.probability(slot, latents + r * view.latent, codes + r * stretches));
    });
  }
  void of(const MixedNetwork& heads, const std::int32_t* codes, const std::int32_t* labels, Index count,
          double* out, InferenceScratch& scratch) const {
    each_latent(labels, count, [&](std::size_t k, const float* latents) {
      const float* read = model_->parts().decoder_network.run(latents, count, scratch);
      heads.each_error(read, count, codes, inverse_, scratch, [&](Index r, std::size_t slot, double error) {
        out[(static_cast<std::size_t>(r) * samples_ + k) * parts() + slot] = -error;
      });
    });
  }

  const TableModel* model_;
  std::size_t samples_;
  float inverse_; ///< of the temperature
  std::vector<std::string> names_;
  std::size_t label_part_ = 0;   ///< of a conditional model: the head that serves the label
  bool label_alone_ = false;     ///< and nothing else
  AlignedBuffer<float> latents_; ///< labels × samples × latent width
  AlignedBuffer<float>
      tables_; ///< of heads that see nothing but the code: labels × samples × outputs, log-probabilities
};

} // namespace detail

namespace detail {
/// `LogLikelihood::cells` from the log-probabilities of the model's parts: a fine code counts to its column.
inline std::vector<double> cells_of(const LikelihoodParts& parts, const std::vector<double>& by_part,
                                    std::size_t rows, std::size_t columns,
                                    std::span<const std::size_t> refused) {
  std::vector<double> cells((rows + refused.size()) * columns, std::numeric_limits<double>::quiet_NaN());
  for (std::size_t row = 0, next = 0, from = 0; row < rows + refused.size(); ++row) {
    if (next < refused.size() && refused[next] == row) {
      ++next;
      continue;
    }
    double* to = cells.data() + row * columns;
    std::fill_n(to, columns, 0.0);
    for (std::size_t p = 0, c = 0; p < parts.parts(); ++p) {
      c += p > 0 && parts.name(p) != parts.name(p - 1) ? 1U : 0U;
      to[c] += by_part[from * parts.parts() + p];
    }
    ++from;
  }
  return cells;
}
} // namespace detail

/// Log-probabilities of the rows of `table` under the whole model, generator included: p(row) is the mean of
/// p(row | z) over latent codes z that the generator makes. A model without a generator's density can be
/// judged so because its heads have one. \throws SchemaError if the table does not fit the model's schema, or
/// has a label that a conditional model does not know \throws OptionError for a model whose heads are no
/// distribution: numbers with a squared error, or argmax
inline LogLikelihood log_likelihood(const TableModel& model, const Table& table,
                                    const LikelihoodOptions& options = {}) {
  options.check();
  if (!model.is_distribution())
    throw OptionError(
        "log_likelihood: the model's heads are no distribution (squared errors or argmax); train "
        "one with encoding.numerical = NumericalEncoding::codes and Decoding::sample");
  std::vector<std::size_t> refused; // rows that the model cannot make
  Table prepared;
  if (!model.preparation().transforms().empty())
    prepared = model.preparation().forward(table, refused);
  const Table& learnt = model.preparation().transforms().empty() ? table : prepared;
  const EncodedTable encoded = model.encoder().encode(learnt, refused);
  const std::size_t rows = encoded.rows();
  const std::size_t stretches = encoded.code_columns();
  const detail::LikelihoodParts parts(model, options);
  LogLikelihood result;
  result.samples = parts.samples();
  result.rows.resize(rows);
  constexpr std::size_t block = 32;
  const std::size_t blocks = (rows + block - 1) / block;
  std::vector<double> sums(blocks * parts.parts());
  std::vector<double> divergence(rows);
  std::vector<double> guided(model.parts().guide.empty() ? 0 : rows);
  std::vector<double> by_part(options.cells ? rows * parts.parts() : 0);
  parallel_for(blocks, resolve_threads(options.threads), [&](std::size_t b) {
    InferenceScratch scratch;
    const std::size_t first = b * block;
    const std::size_t count = std::min(block, rows - first);
    std::vector<std::int32_t> codes(count * stretches);
    std::vector<std::int32_t> labels;
    for (std::size_t r = 0; r < count; ++r) {
      for (std::size_t h = 0; h < stretches; ++h)
        codes[r * stretches + h] = encoded.code(first + r, h);
      if (model.conditional()) {
        labels.push_back(codes[r * stretches + static_cast<std::size_t>(model.columns().label)]);
        if (static_cast<std::size_t>(labels.back()) >= model.labels().size())
          throw SchemaError("log_likelihood: the label of row " +
                            std::to_string(detail::original_row(first + r, refused) + 1) +
                            " is none that the model was trained with");
      }
    }
    const std::size_t samples = parts.samples();
    std::vector<double> log_p(count * samples * parts.parts());
    parts.log_probabilities(codes.data(), labels.empty() ? nullptr : labels.data(), static_cast<Index>(count),
                            log_p.data(), scratch);
    // log p(parts so far), one z each; the mean over z moves from part to part.
    std::vector<double> so_far(samples);
    for (std::size_t r = 0; r < count; ++r) {
      std::fill(so_far.begin(), so_far.end(), -std::log(static_cast<double>(samples)));
      double before = 0;
      for (std::size_t p = 0; p < parts.parts(); ++p) {
        for (std::size_t k = 0; k < samples; ++k)
          so_far[k] += log_p[(r * samples + k) * parts.parts() + p];
        const double now = detail::log_sum_exp(so_far.data(), samples);
        const double gain = std::isinf(before) ? 0 : now - before;
        sums[b * parts.parts() + p] += gain;
        if (options.cells)
          by_part[(first + r) * parts.parts() + p] = gain;
        before = now;
      }
      if (!guided.empty())
        guided[first + r] = std::log(model.parts().guide.factor(
            codes.data() + r * stretches, labels.empty() ? 0 : static_cast<std::size_t>(labels[r])));
      result.rows[first + r] = before + (guided.empty() ? 0 : guided[first + r]);
      if (std::isinf(before))
        continue; // no code explains this row, so none is likelier than others
      for (const double joint : so_far) {
        const double weight = std::exp(joint - before); // p(z | row), one of `samples` codes
        if (weight > 0)
          divergence[first + r] += weight * (joint - before + std::log(static_cast<double>(samples)));
      }
    }
  });
  const double n = static_cast<double>(std::max<std::size_t>(table.rows(), 1));
  std::vector<double> shared(learnt.size()); // by column: of categories among those that share their code
  for (std::size_t c = 0; c < learnt.size(); ++c) {
    const auto rarity = model.encoder().rarity(learnt, c);
    for (std::size_t r = 0; r < rarity.size(); ++r) {
      result.rows[r] -= rarity[r];
      shared[c] -= rarity[r] / n;
    }
  }
  for (std::size_t r = 0; r < rows; ++r) {
    result.mean += result.rows[r] / n;
    result.latent_nats += divergence[r] / n;
    result.guide += guided.empty() ? 0 : guided[r] / n;
  }
  if (!refused.empty()) {
    result.mean = -std::numeric_limits<double>::infinity();
    result.rows = detail::of_all_rows(result.rows, refused, result.mean);
  }
  for (std::size_t p = 0; p < parts.parts(); ++p) {
    double sum = 0;
    for (std::size_t b = 0; b < blocks; ++b)
      sum += sums[b * parts.parts() + p];
    // The fine code counts to its column.
    if (!result.columns.empty() && result.columns.back().first == parts.name(p))
      result.columns.back().second += sum / n;
    else
      result.columns.emplace_back(parts.name(p), sum / n);
  }
  if (options.cells)
    result.cells = detail::cells_of(parts, by_part, rows, result.columns.size(), refused);
  for (std::size_t c = 0; c < shared.size(); ++c)
    for (auto& [name, mean] : result.columns)
      if (shared[c] != 0 && name == learnt[c].name)
        mean += shared[c];
  return result;
}

inline std::string to_json(const LogLikelihood& result) {
  std::string text = "{\"mean\":";
  text.append(json_number(result.mean)).append(",\"rows\":").append(std::to_string(result.rows.size()));
  text.append(",\"guide\":").append(json_number(result.guide));
  text.append(",\"latent_nats\":").append(json_number(result.latent_nats));
  text.append(",\"samples\":").append(std::to_string(result.samples)).append(",\"columns\":{");
  for (std::size_t i = 0; i < result.columns.size(); ++i)
    text.append(i == 0 ? "" : ",")
        .append(json_escape(result.columns[i].first))
        .append(":")
        .append(json_number(result.columns[i].second));
  return text.append("}}");
}

inline std::ostream& operator<<(std::ostream& out, const LogLikelihood& result) {
  return out << "log-likelihood " << result.mean << " nats a row (" << result.rows.size() << " rows, "
             << result.samples << " latent code" << (result.samples == 1 ? "" : "s") << " each; a code says "
             << result.latent_nats << " nats about its row)\n";
}

ROWSMITH_END
