// SPDX-License-Identifier: MIT
/// \file
/// One row in microseconds: a trained model laid out for single rows, without allocations, locks or
/// exceptions.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/aligned_buffer.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/parallel.hpp>
#include <rowsmith/core/random.hpp>
#include <rowsmith/deploy/packed_network.hpp>
#include <rowsmith/deploy/row.hpp>
#include <rowsmith/models/table_model.hpp>

ROWSMITH_BEGIN

namespace detail {

/// −log softmax(logits)[target]; changes the logits. Never inlined, so that there is one such code and a row
/// alone has the bits it has in a batch.
[[gnu::noinline]] inline double cross_entropy(float* logits, Index width, Index target) noexcept {
  float largest = logits[0];
  for (Index j = 1; j < width; ++j)
    largest = largest < logits[j] ? logits[j] : largest;
  for (Index j = 0; j < width; ++j)
    logits[j] -= largest;
  const auto picked = static_cast<double>(logits[target]);
  simd::transform(logits, logits, width, [](const simd::Vector<float>& v) { return simd::exp(v); });
  float total = 0;
  for (Index j = 0; j < width; ++j)
    total += logits[j];
  return std::log(static_cast<double>(total)) - picked;
}

/// `AutoregressiveNetwork` for one row.
class PackedHeads {
public:
  PackedHeads() = default;
  PackedHeads(WeightStore& store, const AutoregressiveNetwork& heads)
      : width_(heads.width), columns_(heads.shape().columns) {
    const auto shape = heads.shape();
    const auto parts = heads.pointers();
    const auto copy = [&store](const float* from, Index count) {
      const std::size_t at = store.append(static_cast<std::size_t>(count));
      std::copy_n(from, count, store.at(at));
      return at;
    };
    bias_ = copy(parts.bias, columns_ * width_);
    // The latent code's part of all positions in one product; one matrix for each block of the sum.
    AlignedBuffer<float> side_by_side(static_cast<std::size_t>(shape.latent * columns_ * width_));
    for (Index q = 0; q < columns_; ++q)
      for (Index k = 0; k < shape.latent; ++k)
        std::copy_n(parts.latent_weight + (q * shape.latent + k) * width_, width_,
                    side_by_side.data() + (k * columns_ + q) * width_);
    for (Index k = 0; k < shape.latent; k += depth_block)
      latent_.emplace_back(store, std::min(depth_block, shape.latent - k), columns_ * width_,
                           as_is<float>(side_by_side.data() + k * columns_ * width_, columns_ * width_));
    for (Index q = 0; q < columns_; ++q) {
      Position position;
      position.codes = shape.prefix[q + 1] - shape.prefix[q];
      widest_ = std::max(widest_, padded(position.codes));
      position.gate = PackedMatrix(store, width_, width_,
                                   as_is<float>(parts.hidden_weight + q * width_ * width_, width_));
      position.gate_bias = copy(parts.hidden_bias + q * width_, width_);
      position.output =
          PackedMatrix(store, width_, position.codes,
                       transposed<float>(parts.output_weight + shape.prefix[q] * width_, width_));
      position.output_bias = copy(parts.output_bias + shape.prefix[q], position.codes);
      // What each code adds to all later positions, side by side.
      const Index later = columns_ - q - 1;
      position.table = store.append(static_cast<std::size_t>(position.codes * later * width_));
      for (Index code = 0; code < position.codes; ++code)
        for (Index p = q + 1; p < columns_; ++p)
          std::copy_n(parts.tables + (shape.table_rows[p] + shape.prefix[q] + code) * width_, width_,
                      store.at(position.table) + (code * later + p - q - 1) * width_);
      positions_.push_back(position);
    }
  }

  /// Room that `run` needs.
  Index room() const noexcept {
    return columns_ * width_ + padded(columns_ * width_) + 2 * padded(width_) + widest_ +
           4 * simd::lanes<float>;
  }

  /// Calls `choose(position, logits, codes)` -> code for each position in order. \param weights the store's
  /// values \param latent what the heads read \param room as many floats as `room()`
  template <class Choose>
  void run(const float* weights, const float* latent, float* room, const Choose& choose) const noexcept {
    const Index all = columns_ * width_;
    float* product = room; // all positions' part of the latent code
    float* gate = product + padded(all);
    float* logits = gate + padded(width_);
    float* sums = logits + padded(widest_); // all positions' h before the latent code's part
    std::copy_n(weights + bias_, all, sums);
    // A single block is the rule: then its product is made once, before the first position.
    if (latent_.size() == 1)
      packed_product(latent_.front(), weights, latent, product);
    for (Index q = 0; q < columns_; ++q) {
      const auto& position = positions_[static_cast<std::size_t>(q)];
      float* h = sums + q * width_;
      if (latent_.size() == 1)
        for (Index j = 0; j < width_; ++j)
          h[j] += product[q * width_ + j];
      else
        for (std::size_t block = 0; block < latent_.size(); ++block) {
          packed_product(latent_[block], weights, latent + static_cast<Index>(block) * depth_block, product);
          for (Index j = 0; j < width_; ++j)
            h[j] += product[q * width_ + j];
        }
      Rectify<float>{}(h, 0, 0, width_);
      packed_product(position.gate, weights, h, gate);
      const float* gate_bias = weights + position.gate_bias;
      for (Index j = 0; j < width_; ++j)
        gate[j] += gate_bias[j];
      activate({ActivationKind::relu}, gate, width_);
      for (Index j = 0; j < width_; ++j)
        h[j] += gate[j];
      packed_product(position.output, weights, h, logits);
      const float* output_bias = weights + position.output_bias;
      for (Index j = 0; j < position.codes; ++j)
        logits[j] += output_bias[j];
      const Index code = choose(q, logits, position.codes);
      const Index later = (columns_ - q - 1) * width_;
      const float* row = weights + position.table + static_cast<std::size_t>(code * later);
      float* to = h + width_;
      for (Index j = 0; j < later; ++j)
        to[j] += row[j];
    }
  }

private:
  struct Position {
    Index codes = 0;
    PackedMatrix gate;
    PackedMatrix output;
    std::size_t gate_bias = 0;
    std::size_t output_bias = 0;
    std::size_t table = 0;
  };
  Index width_ = 0;
  Index columns_ = 0;
  Index widest_ = 0;
  std::size_t bias_ = 0;
  std::vector<PackedMatrix> latent_;
  std::vector<Position> positions_;
};

/// What all samplers made from one model share.
struct SamplerParts {
  explicit SamplerParts(const TableModel& from)
      : model(from), columns(std::make_shared<RowColumns>(from.encoder)) {
    const auto require = [](bool fine, const char* what) {
      if (!fine)
        throw ShapeError(std::string("Sampler: the parts of the model do not fit together: ") + what);
    };
    const Index latent = model.latent_width();
    const auto size = static_cast<std::size_t>(latent);
    require(model.encoder.codecs().size() == model.encoder.schema().size(), "schema and codecs");
    require(!model.encoder_network.empty() && model.encoder_network.inputs() == model.encoder.width() &&
                model.encoder_network.outputs() == latent &&
                model.encoder_network.layers().front().kind == InferenceLayer::Kind::dense,
            "the encoder's network");
    require(model.generator_network.inputs() == model.noise_width + static_cast<Index>(model.labels.size()) &&
                model.generator_network.outputs() == latent,
            "the generator's network");
    require(model.latent_scale.size() == size && model.latent_offset.size() == size &&
                (model.latent_bound.empty() || model.latent_bound.size() == size),
            "the scaling of latent codes");
    require(model.labels.size() == model.label_shares.size(), "labels and their shares");
    const Index decoded = model.decoder_network.empty() ? latent : model.decoder_network.outputs();
    const Index read = !model.heads.empty()  ? model.heads.inputs
                       : model.joint.empty() ? Index{model.encoder.width()}
                                             : Index{model.joint.width()};
    require(decoded == read, "the decoder's network");
    require(!model.encoder_network.residual() && !model.decoder_network.residual(),
            "only a generator may be residual");
    require(model.joint.empty() || serves_all(model.joint, model.encoder), "the joint heads and the columns");
    const auto& mixture = model.mixture;
    const auto parts = static_cast<std::size_t>(mixture.components());
    require(mixture.empty() ||
                (mixture.width == model.noise_width &&
                 mixture.means.size() == parts * static_cast<std::size_t>(mixture.width) &&
                 mixture.factors.size() == mixture.means.size() * static_cast<std::size_t>(mixture.width) &&
                 mixture.shares.size() == parts * std::max<std::size_t>(model.labels.size(), 1)),
            "the mixture of the noise");

    WeightStore store;
    generator = PackedNetwork(store, model.generator_network);
    decoder = PackedNetwork(store, model.decoder_network);
    if (!model.heads.empty())
      heads = PackedHeads(store, model.heads);
    generation_weights = store.size();
    encoder = PackedNetwork(store, model.encoder_network, 1); // the first layer gathers rows of its weights
    weights = store.take();
    for (const auto& stretch : model.encoder.layout())
      if (!stretch.categorical)
        number_weights.push_back(stretch.offset);
    widest_head = model.widest_head();
    for (const auto& group : model.joint.groups)
      widest_group = std::max(widest_group, group.columns.size());
  }
  // Whether each column is in one group, with codes that it has.
  static bool serves_all(const JointCodes& joint, const TableEncoder& encoder) {
    const auto& layout = encoder.layout();
    std::vector<bool> seen(layout.size());
    for (const auto& group : joint.groups) {
      if (group.columns.empty() || group.combinations.empty() ||
          group.combinations.size() % group.columns.size() != 0)
        return false;
      for (std::size_t i = 0; i < group.columns.size(); ++i) {
        const auto h = static_cast<std::size_t>(group.columns[i]);
        if (group.columns[i] < 0 || h >= layout.size() || seen[h] || !layout[h].categorical)
          return false;
        seen[h] = true;
        for (std::int32_t k = 0; k < group.width(); ++k)
          if (group.combination(k)[i] < 0 || group.combination(k)[i] >= layout[h].width)
            return false;
      }
    }
    return std::find(seen.begin(), seen.end(), false) == seen.end();
  }

  TableModel model;
  std::shared_ptr<const RowColumns> columns;
  AlignedBuffer<float> weights;
  std::size_t generation_weights = 0; // the first of them, which a sampled row reads
  PackedNetwork generator;
  PackedNetwork decoder;
  PackedNetwork encoder;
  PackedHeads heads;
  std::vector<std::int32_t> number_weights;
  Index widest_head = 0;
  std::size_t widest_group = 0; // columns of one of the joint heads

  std::size_t word_blocks() const noexcept { return (model.encoder.layout().size() + 1) / 2; }
};

} // namespace detail

/// Makes rows one at a time, inside services that cannot wait: a call fills a whole decoded row in
/// microseconds, with the bits that `TableModel::sample` gives row `index`. Calls are noexcept and do not
/// allocate, lock or call the system. Immutable and cheap to copy: one sampler serves all threads, each of
/// which needs a scratch of its own.
///
/// \code
/// const rowsmith::Sampler sampler(rowsmith::load_model("people.model"));
/// auto scratch = sampler.scratch(); // one per thread
/// auto row = sampler.row();
/// sampler(seed, index, scratch, row);
/// \endcode
///
/// A scratch or row that another model's sampler made, or a label that is not there, ends the program.
class Sampler {
public:
  /// The buffers of one thread. Can be moved, not copied: make another.
  class Scratch {
  public:
    Scratch(Scratch&&) noexcept = default;
    Scratch& operator=(Scratch&&) noexcept = default;

  private:
    friend class Sampler;
    explicit Scratch(std::shared_ptr<const RowColumns> columns) : columns_(std::move(columns)) {}
    std::shared_ptr<const RowColumns> columns_; // says whose it is
    AlignedBuffer<float> values_;
    AlignedBuffer<std::uint32_t> words_;
    AlignedBuffer<std::int32_t> codes_;
    float* input_ = nullptr; // noise and label, or numbers of an encoded row
    float* buffers_[2] = {}; // of the networks
    float* latent_ = nullptr;
    float* room_ = nullptr; // of the heads
  };

  /// Copies and arranges the model. \throws ShapeError if its parts do not fit together
  explicit Sampler(const TableModel& model) : parts_(std::make_shared<detail::SamplerParts>(model)) {}

  const TableModel& model() const noexcept { return parts_->model; }
  const TableSchema& schema() const noexcept { return model().encoder.schema(); }
  /// What its rows have in common: schema, texts, decimals.
  const RowColumns& columns() const noexcept { return *parts_->columns; }
  /// The label values of a conditional model; empty for others.
  const std::vector<std::string>& labels() const noexcept { return model().labels; }
  /// The number of a label, to be asked for. \throws SchemaError naming the known ones
  std::size_t label_index(const std::string& label) const { return model().label_index(label); }

  /// How many floats of weights are laid out for a sampled row. It reads all of them, or with autoregressive
  /// heads all but the tables of codes that were not drawn.
  std::size_t generation_weights() const noexcept { return parts_->generation_weights; }

  /// Buffers for one thread.
  Scratch scratch() const {
    Scratch scratch(parts_->columns);
    const auto& p = *parts_;
    const Index numbers =
        std::max(p.model.generator_network.inputs(), static_cast<Index>(p.model.encoder.number_columns()));
    const Index network = std::max({p.generator.widest(), p.decoder.widest(), p.encoder.widest(),
                                    detail::padded(p.model.encoder_network.layers().front().outputs)});
    const Index latent = detail::padded(p.model.latent_width());
    const Index sizes[] = {detail::padded(numbers), network, network, latent,
                           p.model.heads.empty() ? detail::padded(p.widest_head) : p.heads.room()};
    Index total = 0;
    for (const Index size : sizes)
      total += size;
    scratch.values_.resize(static_cast<std::size_t>(total));
    float* at = scratch.values_.data();
    float** const places[] = {&scratch.input_, &scratch.buffers_[0], &scratch.buffers_[1], &scratch.latent_,
                              &scratch.room_};
    for (std::size_t i = 0; i < 5; ++i) {
      *places[i] = at;
      at += sizes[i];
    }
    scratch.words_.resize(4 * p.word_blocks());
    scratch.codes_.resize(p.model.encoder.layout().size() + p.widest_group);
    return scratch;
  }
  /// A row for results.
  DynamicRow row() const { return DynamicRow(parts_->columns); }

  /// Makes row `index` of the sample with `seed`. A conditional model draws the label by its share.
  void operator()(std::uint64_t seed, std::uint64_t index, Scratch& scratch, DynamicRow& row) const noexcept {
    const std::size_t label = labels().empty() ? 0 : drawn_label(seed, index);
    make(seed, index, label, scratch, row);
  }
  /// The same with a label asked for. \param label  of `label_index`
  void operator()(std::uint64_t seed, std::uint64_t index, std::size_t label, Scratch& scratch,
                  DynamicRow& row) const noexcept {
    require(label < labels().size());
    make(seed, index, label, scratch, row);
  }

  /// How badly the model describes a row: it is encoded and decoded again, and the errors of all columns are
  /// added up: −log of the probability of its category or code, and the square of a standardised number's
  /// difference. With autoregressive heads, the negative log-likelihood of the row given its latent code, in
  /// nats. A number outside the range of the training rows adds to that how far it is outside, in steps of
  /// which the range has one for each code (`ColumnCodec::excess`). Larger is more anomalous; infinite if
  /// joint heads serve columns that no training row combined so, or if a number is so far out that the
  /// networks overflow. NaN if a cell has no code: missing where no training row was, infinite, or a category
  /// that is not one of the column's.
  double score(const DynamicRow& row, Scratch& scratch) const noexcept {
    require(scratch.columns_ == parts_->columns && row.columns_ == parts_->columns);
    if (!encode(row, scratch))
      return std::numeric_limits<double>::quiet_NaN();
    const auto& p = *parts_;
    const auto& first = p.model.encoder_network.layers().front();
    gather_affine(mixed_rows(1, scratch.codes_.data(), scratch.input_), first.weight.data(),
                  first.bias.data(), first.outputs, first.activation, scratch.buffers_[0]);
    const float* latent = p.encoder.run(p.weights.data(), scratch.buffers_[0], scratch.buffers_);
    const float* outputs = p.decoder.run(p.weights.data(), latent, scratch.buffers_);
    const auto number = [&row](std::size_t column) { return row.numbers_[column]; };
    if (p.model.heads.empty())
      return row_error(outputs, scratch.input_, scratch.codes_.data(),
                       scratch.codes_.data() + p.model.encoder.layout().size(), scratch.room_) +
             outside(number);
    double error = 0;
    const auto shape = p.model.heads.shape();
    p.heads.run(p.weights.data(), outputs, scratch.room_, [&](Index q, float* logits, Index width) {
      const Index code = scratch.codes_[static_cast<std::size_t>(shape.order[q])] + shape.shift[q] -
                         static_cast<std::int32_t>(shape.prefix[q]);
      error += detail::cross_entropy(logits, width, code);
      return code;
    });
    return infinite_if_lost(error) + outside(number);
  }

  /// Makes many rows at full speed: `TableModel::sample`. \throws SchemaError for an unknown label,
  /// OptionError for a number of threads out of range
  Table sample_rows(std::size_t rows, const SampleOptions& options = {}) const {
    return model().sample(rows, options);
  }

  /// The score of each row of a table, as `score` gives it.
  /// \throws SchemaError for columns other than the model's, or a cell that has no code
  std::vector<double> score_rows(const Table& table, int threads = 0) const {
    const auto& p = *parts_;
    const EncodedTable encoded = p.model.encoder.encode(table);
    const auto code_columns = encoded.code_columns();
    const auto number_columns = encoded.number_columns();
    std::vector<double> scores(table.rows());
    each_block(table.rows(), threads, [&](Batch& batch, std::size_t begin, Index count) {
      batch.codes.resize(static_cast<std::size_t>(count) * code_columns);
      batch.numbers.resize(static_cast<std::size_t>(count) * number_columns);
      for (std::size_t r = 0; r < static_cast<std::size_t>(count); ++r) {
        for (std::size_t c = 0; c < code_columns; ++c)
          batch.codes[r * code_columns + c] = encoded.code(begin + r, c) + p.model.encoder.code_offsets()[c];
        for (std::size_t c = 0; c < number_columns; ++c)
          batch.numbers[r * number_columns + c] = encoded.number(begin + r, c);
      }
      const float* latent = p.model.encoder_network.run(
          mixed_rows(count, batch.codes.data(), batch.numbers.data()), batch.inference);
      const float* outputs = p.model.decoder_network.run(latent, count, batch.inference);
      if (p.model.heads.empty()) {
        batch.logits.resize(static_cast<std::size_t>(p.widest_head));
        batch.group.resize(p.widest_group);
        for (Index r = 0; r < count; ++r)
          scores[begin + static_cast<std::size_t>(r)] =
              row_error(outputs + r * p.model.decoder_network.outputs(),
                        batch.numbers.data() + r * static_cast<Index>(number_columns),
                        batch.codes.data() + r * static_cast<Index>(code_columns), batch.group.data(),
                        batch.logits.data());
      } else {
        score_in_order(outputs, count, batch, scores.data() + begin);
      }
      for (std::size_t r = begin; r < begin + static_cast<std::size_t>(count); ++r)
        scores[r] += outside([&](std::size_t column) { return table[column].values[r]; });
    });
    return scores;
  }

private:
  // The buffers of one thread for blocks of rows.
  struct Batch {
    InferenceScratch inference;
    AlignedBuffer<float> numbers;
    AlignedBuffer<float> hidden;
    AlignedBuffer<float> logits;
    AlignedBuffer<std::int32_t> codes;
    AlignedBuffer<std::int32_t> group;
  };

  static void require(bool fine) noexcept {
    if (!fine)
      std::terminate();
  }

  std::size_t drawn_label(std::uint64_t seed, std::uint64_t index) const noexcept {
    return static_cast<std::size_t>(model().draw_label(seed, index));
  }

  void make(std::uint64_t seed, std::uint64_t index, std::size_t label, Scratch& scratch,
            DynamicRow& row) const noexcept {
    require(scratch.columns_ == parts_->columns && row.columns_ == parts_->columns);
    generate(seed, index, label, scratch);
    decode(seed, index, label, scratch, row);
  }

  // As TableModel::generate.
  void generate(std::uint64_t seed, std::uint64_t index, std::size_t label, Scratch& scratch) const noexcept {
    const auto& p = *parts_;
    const auto& model = p.model;
    const auto number = static_cast<std::int32_t>(label);
    fill_noise(model.mixture, RandomStream(seed, Purpose::sample_noise),
               RandomStream(seed, Purpose::sample_component), index, 1, model.noise_width, &number,
               scratch.input_, model.noise_width);
    std::fill_n(scratch.input_ + model.noise_width, labels().size(), 0.0F);
    if (!labels().empty())
      scratch.input_[static_cast<std::size_t>(model.noise_width) + label] = 1;
    const float* made = p.generator.run(p.weights.data(), scratch.input_, scratch.buffers_);
    model.scale_latent(made, scratch.latent_);
  }

  // As TableModel::decode.
  void decode(std::uint64_t seed, std::uint64_t index, std::size_t label, Scratch& scratch,
              DynamicRow& row) const noexcept {
    const auto& p = *parts_;
    const auto& layout = p.model.encoder.layout();
    const auto blocks = static_cast<Index>(p.word_blocks());
    std::uint32_t* words = scratch.words_.data();
    std::int32_t* codes = scratch.codes_.data();
    const auto wanted = static_cast<std::int32_t>(label);
    fill_bits(RandomStream(seed, Purpose::sample_decode), index * static_cast<std::uint64_t>(blocks), blocks,
              words);
    const auto uniform_at = [words](std::size_t h) { return to_uniform_float(words[2 * h]); };
    const float* outputs = p.decoder.run(p.weights.data(), scratch.latent_, scratch.buffers_);
    if (p.model.heads.empty()) {
      p.model.draw_row(outputs, uniform_at, wanted, codes, scratch.room_);
    } else {
      const auto shape = p.model.heads.shape();
      p.heads.run(p.weights.data(), outputs, scratch.room_, [&](Index q, float* logits, Index width) {
        const auto h = static_cast<std::size_t>(shape.order[q]);
        if (!labels().empty() && p.model.encoder.is_label(layout[h]))
          codes[h] = wanted; // the row was asked for with it
        else
          codes[h] = choose_code(logits, static_cast<std::int32_t>(width), p.model.decoding,
                                 static_cast<float>(p.model.temperature), uniform_at(h));
        return Index{codes[h]};
      });
    }
    p.model.encoder.each_cell(
        codes, [&](std::size_t h) { return outputs[layout[h].offset]; },
        [&](std::size_t h) { return to_position(words[2 * h + 1]); },
        [&](std::size_t column, std::int32_t code, float number, double position) {
          const auto& codec = p.model.encoder.codecs()[column];
          if (codec.has_missing && code == codec.missing())
            row.set_missing(column);
          else if (codec.kind == ColumnCodec::Kind::categorical)
            row.codes_[column] = code;
          else if (codec.kind == ColumnCodec::Kind::standardised)
            row.numbers_[column] = codec.unstandardise(static_cast<double>(number));
          else
            row.numbers_[column] = codec.value_of(code, position);
        });
  }

  // As TableEncoder::encode: codes, numbered through, and numbers. False if a cell has no code.
  bool encode(const DynamicRow& row, Scratch& scratch) const noexcept {
    const auto& encoder = parts_->model.encoder;
    const auto& codecs = encoder.codecs();
    std::size_t codes = 0;
    std::size_t numbers = 0;
    for (std::size_t column = 0; column < codecs.size(); ++column) {
      const auto& codec = codecs[column];
      const bool categorical = codec.kind == ColumnCodec::Kind::categorical;
      const double number = row.numbers_[column];
      const std::int32_t category = row.codes_[column];
      const bool missing = categorical ? category == missing_code : std::isnan(number);
      if ((missing && !codec.has_missing) || (!categorical && std::isinf(number)))
        return false;
      if (categorical && !missing &&
          (category < 0 ||
           static_cast<std::size_t>(category) >= codec.plain_codes() + (codec.has_other ? 1U : 0U)))
        return false;
      if (codec.has_number())
        scratch.input_[numbers++] = static_cast<float>(codec.standardise(number));
      if (codec.codes() == 0)
        continue;
      std::int32_t code = 0;
      if (missing)
        code = codec.missing();
      else if (categorical)
        code = category;
      else if (!codec.has_number())
        code = codec.code_of(number);
      scratch.codes_[codes] = encoder.code_offsets()[codes] + code;
      ++codes;
      if (codec.fine > 0) {
        scratch.codes_[codes] = encoder.code_offsets()[codes] + (missing ? 0 : codec.fine_of(number, code));
        ++codes;
      }
    }
    return true;
  }

  MixedRows<float> mixed_rows(Index rows, const std::int32_t* codes, const float* numbers) const noexcept {
    const auto& encoder = parts_->model.encoder;
    return {rows,
            static_cast<Index>(encoder.code_columns()),
            static_cast<Index>(encoder.number_columns()),
            codes,
            numbers,
            parts_->number_weights.data()};
  }

  // The errors of heads that are independent of each other on one row. \param group room for the codes of one
  // of the joint heads \param room for the widest head's logits
  double row_error(const float* outputs, const float* numbers, const std::int32_t* codes, std::int32_t* group,
                   float* room) const noexcept {
    const auto& model = parts_->model;
    const auto& layout = model.encoder.layout();
    double error = 0;
    for (const auto& joint : model.joint.groups) {
      for (std::size_t i = 0; i < joint.columns.size(); ++i) // every column has codes
        group[i] = codes[joint.columns[i]] - layout[static_cast<std::size_t>(joint.columns[i])].offset;
      const std::int32_t number = joint.find(group);
      if (number < 0)
        return std::numeric_limits<double>::infinity();
      std::copy_n(outputs, joint.width(), room);
      error += detail::cross_entropy(room, joint.width(), number);
      outputs += joint.width();
    }
    if (!model.joint.empty())
      return infinite_if_lost(error);
    for (const auto& head : layout)
      if (head.categorical) {
        std::copy_n(outputs + head.offset, head.width, room);
        error += detail::cross_entropy(room, head.width, *codes++ - head.offset);
      } else {
        const auto number = static_cast<double>(*numbers++);
        const double difference = static_cast<double>(outputs[head.offset]) - number;
        error += std::isnan(number) ? 0.0 : difference * difference; // a missing number has no error
      }
    return infinite_if_lost(error);
  }

  // How far the numbers of a row are outside the training rows' ranges. \param number (column) -> value
  template <class Number>
  double outside(const Number& number) const noexcept {
    const auto& codecs = parts_->model.encoder.codecs();
    double sum = 0;
    for (std::size_t column = 0; column < codecs.size(); ++column)
      if (codecs[column].kind != ColumnCodec::Kind::categorical)
        sum += codecs[column].excess(number(column));
    return sum;
  }

  // A number so far out that the networks' own numbers overflow is as odd as can be; NaN is for rows that
  // have no code.
  static double infinite_if_lost(double error) noexcept {
    return std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
  }

  // Adds up the autoregressive heads' errors of `rows` encoded rows.
  void score_in_order(const float* hidden, Index rows, Batch& batch, double* scores) const {
    const auto& heads = parts_->model.heads;
    const auto shape = heads.shape();
    const auto size = static_cast<std::size_t>(rows * shape.width);
    batch.hidden.resize(2 * size);
    batch.logits.resize(static_cast<std::size_t>(rows * parts_->widest_head));
    float* h = batch.hidden.data();
    float* gate = h + size;
    std::vector<std::int32_t> codes(static_cast<std::size_t>(rows * shape.columns));
    for (Index r = 0; r < rows; ++r)
      for (Index q = 0; q < shape.columns; ++q)
        codes[static_cast<std::size_t>(r * shape.columns + q)] =
            batch.codes[static_cast<std::size_t>(r * shape.columns + shape.order[q])] + shape.shift[q];
    auto& workspace = batch.inference.workspace;
    for (Index q = 0; q < shape.columns; ++q) {
      detail::autoregressive_hidden(shape, heads.pointers(), q, rows, codes.data(), hidden, h, workspace);
      detail::autoregressive_gate(shape, heads.pointers(), q, rows, h, gate, workspace);
      for (std::size_t i = 0; i < size; ++i)
        h[i] += gate[i];
      detail::autoregressive_logits(shape, heads.pointers(), q, rows, h, batch.logits.data(), workspace);
      const Index width = shape.prefix[q + 1] - shape.prefix[q];
      for (Index r = 0; r < rows; ++r)
        scores[r] +=
            detail::cross_entropy(batch.logits.data() + r * width, width,
                                  codes[static_cast<std::size_t>(r * shape.columns + q)] - shape.prefix[q]);
    }
    for (Index r = 0; r < rows; ++r)
      scores[r] = infinite_if_lost(scores[r]);
  }

  // Cuts rows into blocks small enough for the second-level cache, large enough for the product's, and calls
  // `work(batch, first, count)` for each; a thread keeps its buffers from block to block.
  template <class Work>
  static void each_block(std::size_t rows, int threads, const Work& work) {
    constexpr std::size_t block = 256;
    const std::size_t blocks = (rows + block - 1) / block;
    const int team = resolve_threads(threads);
    const std::size_t shards = std::min(blocks, static_cast<std::size_t>(team) * 4);
    parallel_for(shards, team, [&](std::size_t shard) {
      Batch batch;
      for (std::size_t b = shard * blocks / shards; b < (shard + 1) * blocks / shards; ++b)
        work(batch, b * block, static_cast<Index>(std::min(block, rows - b * block)));
    });
  }

  std::shared_ptr<const detail::SamplerParts> parts_;
};

ROWSMITH_END
