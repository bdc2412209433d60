// SPDX-License-Identifier: MIT
/// \file
/// How probable a trained model finds given rows: the figure to choose models by, and an anomaly score.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/json_text.hpp>
#include <rowsmith/core/option_range.hpp>
#include <rowsmith/core/parallel.hpp>
#include <rowsmith/models/table_model.hpp>

ROWSMITH_BEGIN

struct LikelihoodOptions {
  std::size_t samples = 64; ///< latent codes that a row's probability is averaged over; [1, 65536]
  std::uint64_t seed = 0;   ///< of those codes
  int threads = 0;          ///< 0: all; never changes the result

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
  /// Mean of log p(column | the columns before it in the model's order); they add up to `mean`. Columns that
  /// share a head are one entry, "a+b".
  std::vector<std::pair<std::string, double>> columns;
  /// What the latent code says about a row: mean over the rows of the Kullback–Leibler divergence of p(z |
  /// row) from the generator's p(z). 0: the heads ignore the code. At most log(samples), and too low when
  /// near that.
  double latent_nats = 0;
  std::size_t samples = 0;
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

/// logits -> log softmax(logits / temperature), in place.
inline void log_softmax(float* x, Index width, float temperature) {
  float largest = *std::max_element(x, x + width) / temperature;
  double sum = 0;
  for (Index j = 0; j < width; ++j) {
    x[j] = x[j] / temperature - largest;
    sum += static_cast<double>(std::exp(x[j]));
  }
  const auto log_sum = static_cast<float>(std::log(sum));
  for (Index j = 0; j < width; ++j)
    x[j] -= log_sum;
}

/// What a model's probability of a row is a product of.
class LikelihoodParts {
public:
  LikelihoodParts(const TableModel& model, const LikelihoodOptions& options)
      : model_(&model), samples_(options.samples), temperature_(static_cast<float>(model.temperature)) {
    const auto& layout = model.encoder.layout();
    const auto column_name = [&](std::int32_t h) {
      return model.encoder.codecs()[layout[static_cast<std::size_t>(h)].column].name;
    };
    if (!model.heads.empty())
      for (const auto h : model.heads.order.order())
        names_.push_back(column_name(h));
    else if (!model.joint.empty())
      for (const auto& group : model.joint.groups) {
        std::string name;
        for (const auto h : group.columns)
          if (!layout[static_cast<std::size_t>(h)].fine || group.columns.size() == 1)
            name.append(name.empty() ? "" : "+").append(column_name(h));
        names_.push_back(std::move(name));
      }
    else
      for (std::size_t h = 0; h < layout.size(); ++h)
        names_.push_back(column_name(static_cast<std::int32_t>(h)));
    draw_latents(options);
  }

  std::size_t parts() const noexcept { return names_.size(); }
  const std::string& name(std::size_t part) const noexcept { return names_[part]; }

  /// log p(part | parts before, z) of `count` rows for every z: out is rows × samples × parts.
  /// \param codes  rows × layout, counted from 0 \param labels  one a row, or null
  void log_probabilities(const std::int32_t* codes, const std::int32_t* labels, Index count, double* out,
                         InferenceScratch& scratch) const {
    if (model_->heads.empty())
      independent(codes, labels, count, out);
    else
      autoregressive(codes, labels, count, out, scratch);
    if (labels != nullptr)
      force_labels(labels, count, out);
  }

private:
  std::size_t label_count() const { return std::max<std::size_t>(model_->labels.size(), 1); }

  void draw_latents(const LikelihoodOptions& options) {
    const auto width = static_cast<std::size_t>(model_->latent_width());
    latents_.resize(label_count() * samples_ * width);
    InferenceScratch scratch;
    for (std::size_t label = 0; label < label_count(); ++label) {
      const std::vector<std::int32_t> labels(model_->conditional() ? samples_ : 0,
                                             static_cast<std::int32_t>(label));
      model_->generate(
          RandomStream(options.seed, Purpose::likelihood, static_cast<std::uint32_t>(2 * label)),
          RandomStream(options.seed, Purpose::likelihood, static_cast<std::uint32_t>(2 * label + 1)), 0,
          static_cast<Index>(samples_), labels, latents_.data() + label * samples_ * width, scratch);
    }
    if (!model_->heads.empty())
      return;
    const auto rows = static_cast<Index>(label_count() * samples_);
    const float* outputs = model_->decoder_network.run(latents_.data(), rows, scratch);
    const Index outputs_width = model_->decoder_network.outputs();
    tables_.resize(static_cast<std::size_t>(rows * outputs_width));
    std::copy_n(outputs, rows * outputs_width, tables_.data());
    const auto part_widths = widths();
    for (Index r = 0; r < rows; ++r) {
      float* x = tables_.data() + r * outputs_width;
      for (std::size_t p = 0; p < part_widths.size(); ++p) {
        if (model_->conditional() && !model_->joint.empty())
          model_->keep_label(model_->joint.groups[p],
                             static_cast<std::int32_t>(r / static_cast<Index>(samples_)), x, x);
        log_softmax(x, part_widths[p], temperature_);
        x += part_widths[p];
      }
    }
  }
  std::vector<Index> widths() const {
    std::vector<Index> result;
    for (const auto& group : model_->joint.groups)
      result.push_back(group.width());
    if (model_->joint.empty())
      for (const auto& stretch : model_->encoder.layout())
        result.push_back(stretch.width);
    return result;
  }

  void independent(const std::int32_t* codes, const std::int32_t* labels, Index count, double* out) const {
    const auto stretches = static_cast<Index>(model_->encoder.layout().size());
    const Index width = model_->decoder_network.outputs();
    const auto part_widths = widths();
    std::vector<std::int32_t> combination;
    for (Index r = 0; r < count; ++r) {
      const float* table =
          tables_.data() + (labels == nullptr ? 0 : labels[r]) * static_cast<Index>(samples_) * width;
      Index offset = 0;
      for (std::size_t p = 0; p < parts(); ++p) {
        std::int32_t code = codes[r * stretches + static_cast<Index>(p)];
        if (!model_->joint.empty()) {
          const auto& group = model_->joint.groups[p];
          combination.clear();
          for (const auto h : group.columns)
            combination.push_back(codes[r * stretches + h]);
          code = group.find(combination.data());
        }
        for (std::size_t k = 0; k < samples_; ++k)
          out[(static_cast<std::size_t>(r) * samples_ + k) * parts() + p] =
              code < 0 ? -std::numeric_limits<double>::infinity()
                       : static_cast<double>(table[static_cast<Index>(k) * width + offset + code]);
        offset += part_widths[p];
      }
    }
  }

  void autoregressive(const std::int32_t* codes, const std::int32_t* labels, Index count, double* out,
                      InferenceScratch& scratch) const {
    const auto& heads = model_->heads;
    const auto shape = heads.shape();
    const auto weights = heads.pointers();
    const Index latent_width = model_->latent_width();
    std::vector<std::int32_t> numbered(static_cast<std::size_t>(count * shape.columns));
    Index widest = 0;
    for (Index q = 0; q < shape.columns; ++q) {
      widest = std::max(widest, shape.prefix[q + 1] - shape.prefix[q]);
      for (Index r = 0; r < count; ++r)
        numbered[static_cast<std::size_t>(r * shape.columns + q)] =
            static_cast<std::int32_t>(shape.prefix[q]) + codes[r * shape.columns + shape.order[q]];
    }
    std::vector<float> latents(static_cast<std::size_t>(count * latent_width));
    AlignedBuffer<float> h(static_cast<std::size_t>(count * shape.width));
    AlignedBuffer<float> g(static_cast<std::size_t>(count * shape.width));
    AlignedBuffer<float> logits(static_cast<std::size_t>(count * widest));
    for (std::size_t k = 0; k < samples_; ++k) {
      for (Index r = 0; r < count; ++r)
        std::copy_n(latents_.data() + (static_cast<Index>(labels == nullptr ? 0 : labels[r]) *
                                           static_cast<Index>(samples_) +
                                       static_cast<Index>(k)) *
                                          latent_width,
                    latent_width, latents.data() + r * latent_width);
      const float* read = model_->decoder_network.run(latents.data(), count, scratch);
      for (Index q = 0; q < shape.columns; ++q) {
        autoregressive_hidden(shape, weights, q, count, numbered.data(), read, h.data(), scratch.workspace);
        autoregressive_gate(shape, weights, q, count, h.data(), g.data(), scratch.workspace);
        for (Index i = 0; i < count * shape.width; ++i)
          h.data()[i] += g.data()[i];
        autoregressive_logits(shape, weights, q, count, h.data(), logits.data(), scratch.workspace);
        const Index width = shape.prefix[q + 1] - shape.prefix[q];
        for (Index r = 0; r < count; ++r) {
          float* x = logits.data() + r * width;
          const auto code = numbered[static_cast<std::size_t>(r * shape.columns + q)] - shape.prefix[q];
          float largest = x[0];
          for (Index j = 1; j < width; ++j)
            largest = largest < x[j] ? x[j] : largest;
          const float inverse = 1 / temperature_;
          const float own_logit = (x[code] - largest) * inverse;
          simd::transform(x, x, width, [=](const simd::Vector<float>& v) {
            return simd::exp(simd::Vector<float>((v - largest) * inverse));
          });
          float sum = 0;
          for (Index j = 0; j < width; ++j)
            sum += x[j];
          out[(static_cast<std::size_t>(r) * samples_ + k) * parts() + static_cast<std::size_t>(q)] =
              static_cast<double>(own_logit) - std::log(static_cast<double>(sum));
        }
      }
    }
  }

  /// A conditional model gives the label it is asked for, and is asked as often as the training rows had it.
  void force_labels(const std::int32_t* labels, Index count, double* out) const {
    const auto& layout = model_->encoder.layout();
    for (std::size_t p = 0; p < parts(); ++p) {
      bool has_label = false;
      if (!model_->joint.empty())
        for (const auto h : model_->joint.groups[p].columns)
          has_label = has_label || model_->encoder.is_label(layout[static_cast<std::size_t>(h)]);
      else
        has_label = model_->encoder.is_label(
            layout[model_->heads.empty() ? p : static_cast<std::size_t>(model_->heads.order.order()[p])]);
      if (!has_label)
        continue;
      for (Index r = 0; r < count; ++r)
        for (std::size_t k = 0; k < samples_; ++k) {
          double& log_p = out[(static_cast<std::size_t>(r) * samples_ + k) * parts() + p];
          // Joint heads were held to combinations with the label; others are not asked about it at all.
          log_p = (model_->joint.empty() ? 0 : log_p) +
                  std::log(model_->label_shares[static_cast<std::size_t>(labels[r])]);
        }
    }
  }

  const TableModel* model_;
  std::size_t samples_;
  float temperature_;
  std::vector<std::string> names_;
  AlignedBuffer<float> latents_; ///< labels × samples × latent width
  AlignedBuffer<float> tables_;  ///< independent heads: labels × samples × outputs, log-probabilities
};

} // namespace detail

/// Log-probabilities of the rows of `table` under the whole model, generator included: p(row) is the mean of
/// p(row | z) over latent codes z that the generator makes. A model without a generator's density can be
/// judged so because its heads have one. \throws SchemaError if the table does not fit the model's schema, or
/// has a label that a conditional model does not know \throws OptionError for a model whose heads are no
/// distribution: numbers with a squared error, or argmax
inline LogLikelihood log_likelihood(const TableModel& model, const Table& table,
                                    const LikelihoodOptions& options = {}) {
  options.check();
  if (model.encoder.number_columns() > 0 || model.decoding == Decoding::argmax)
    throw OptionError(
        "log_likelihood: the model's heads are no distribution (squared errors or argmax); train "
        "one with encoding.numerical = NumericalEncoding::codes and Decoding::sample");
  const EncodedTable encoded = model.encoder.encode(table);
  const std::size_t stretches = encoded.code_columns();
  const detail::LikelihoodParts parts(model, options);
  std::size_t label_stretch = 0;
  for (std::size_t h = 0; h < stretches; ++h)
    if (model.encoder.is_label(model.encoder.layout()[h]))
      label_stretch = h;

  LogLikelihood result;
  result.samples = options.samples;
  result.rows.resize(table.rows());
  constexpr std::size_t block = 32;
  const std::size_t blocks = (table.rows() + block - 1) / block;
  std::vector<double> sums(blocks * parts.parts());
  std::vector<double> divergence(table.rows());
  parallel_for(blocks, resolve_threads(options.threads), [&](std::size_t b) {
    InferenceScratch scratch;
    const std::size_t first = b * block;
    const std::size_t count = std::min(block, table.rows() - first);
    std::vector<std::int32_t> codes(count * stretches);
    std::vector<std::int32_t> labels;
    for (std::size_t r = 0; r < count; ++r) {
      for (std::size_t h = 0; h < stretches; ++h)
        codes[r * stretches + h] = encoded.code(first + r, h);
      if (model.conditional()) {
        labels.push_back(codes[r * stretches + label_stretch]);
        if (static_cast<std::size_t>(labels.back()) >= model.labels.size())
          throw SchemaError("log_likelihood: the label of row " + std::to_string(first + r + 1) +
                            " is none that the model was trained with");
      }
    }
    const std::size_t samples = options.samples;
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
        sums[b * parts.parts() + p] += std::isinf(before) ? 0 : now - before;
        before = now;
      }
      result.rows[first + r] = before;
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
  for (std::size_t r = 0; r < table.rows(); ++r) {
    result.mean += result.rows[r] / n;
    result.latent_nats += divergence[r] / n;
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
  return result;
}

inline std::string to_json(const LogLikelihood& result) {
  std::string text = "{\"mean\":";
  text.append(json_number(result.mean)).append(",\"rows\":").append(std::to_string(result.rows.size()));
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
             << result.samples << " latent codes each; a code says " << result.latent_nats
             << " nats about its row)\n";
}

ROWSMITH_END
