// SPDX-License-Identifier: MIT
/// \file
/// Stage 3 step by step: decoder and heads learn to read the generator's own latent codes.
///
/// Each training row is paired with a generated code by linear assignment between the codes of a batch's rows
/// and as many generated ones, and the likelihood of the rows given their partners is raised. Any such matching
/// keeps both marginals, so that the mean over the generator of p(row | code) goes to the distribution of the
/// rows, whatever error the generator makes; the assignment keeps a code's meaning close to what the encoder
/// gave it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include <rowsmith/core/parallel.hpp>
#include <rowsmith/linalg/linear_assignment.hpp>
#include <rowsmith/models/autoencoder.hpp>
#include <rowsmith/models/table_model_parts.hpp>
#include <rowsmith/nn/data_parallel.hpp>
#include <rowsmith/train/batches.hpp>
#include <rowsmith/train/checkpoint.hpp>
#include <rowsmith/train/latent_rows.hpp>
#include <rowsmith/train/options.hpp>

ROWSMITH_BEGIN

namespace detail {

/// Pairs rows of a table with generated latent codes. One a thread.
class LatentMatcher {
public:
  /// \param model  its generator and latent scaling are used \param posterior  of the encoder
  /// \param labels  one a row of the table, or empty. All must outlive the matcher
  LatentMatcher(const EncodedTable& rows, const InferenceNetwork& posterior, const TableModelParts& model,
                const std::vector<std::int32_t>& code_offsets, const std::vector<std::int32_t>& number_weights,
                std::span<const std::int32_t> labels, std::uint64_t seed)
      : posterior_(&posterior), model_(&model), labels_(labels), seed_(seed),
        buffer_(rows, code_offsets, number_weights) {}

  /// \param draw  number of the pairing: the generated codes depend on (seed, draw) only
  /// \param codes  out: rows × latent width, the generated code of each row
  void match(std::span<const std::uint32_t> rows, std::uint32_t draw, float* codes) {
    const Index width = model_->latent_width();
    const auto count = static_cast<Index>(rows.size());
    // Rows of one label are matched among themselves: a code is made for a label.
    order_.resize(rows.size());
    std::iota(order_.begin(), order_.end(), 0U);
    if (!labels_.empty())
      std::stable_sort(order_.begin(), order_.end(), [&](std::uint32_t a, std::uint32_t b) {
        return labels_[rows[a]] < labels_[rows[b]];
      });
    chosen_.clear();
    row_labels_.clear();
    for (const auto i : order_) {
      chosen_.push_back(rows[i]);
      if (!labels_.empty())
        row_labels_.push_back(labels_[rows[i]]);
    }
    encode(draw, count, width);
    made_.resize(std::max(made_.size(), static_cast<std::size_t>(count * width)));
    model_->generate(RandomStream(seed_, Purpose::refit_noise, draw),
                     RandomStream(seed_, Purpose::refit_noise, draw + (1U << 31U)), 0, count, row_labels_,
                     made_.data(), scratch_);
    for (Index first = 0; first < count;) {
      Index last = first + 1;
      while (last < count && (labels_.empty() || row_labels_[static_cast<std::size_t>(last)] ==
                                                     row_labels_[static_cast<std::size_t>(first)]))
        ++last;
      assign(first, last - first, width, codes);
      first = last;
    }
  }

private:
  void encode(std::uint32_t draw, Index count, Index width) {
    buffer_.load(chosen_);
    const float* outputs = posterior_->run(buffer_.rows(0, count), scratch_);
    real_.resize(std::max(real_.size(), static_cast<std::size_t>(count * width)));
    draw_codes(outputs, posterior_->outputs(), count, width, RandomStream(seed_, Purpose::refit_latent, draw), 0,
               real_.data());
  }

  void assign(Index first, Index count, Index width, float* codes) {
    const Index stride = LinearAssignment::stride(count);
    const auto grow = [](AlignedBuffer<float>& buffer, Index size) {
      if (buffer.size() < static_cast<std::size_t>(size))
        buffer.resize(static_cast<std::size_t>(size));
    };
    grow(left_, count * width);
    grow(right_, stride * width);
    grow(costs_, count * stride);
    grow(squares_, stride);
    std::fill_n(right_.data(), stride * width, 0.0F);
    for (Index i = 0; i < count; ++i) {
      float sum = 0;
      for (Index j = 0; j < width; ++j) {
        const float inverse = 1 / model_->latent_scale[static_cast<std::size_t>(j)];
        left_.data()[i * width + j] = -2 * inverse * real_.data()[(first + i) * width + j];
        const float x = inverse * made_.data()[(first + i) * width + j];
        right_.data()[i * width + j] = x;
        sum += x * x;
      }
      squares_.data()[i] = sum;
    }
    // |a − b|² without |a|², which every column of a row has alike.
    gemm(count, stride, width, as_is<float>(left_.data(), width), transposed<float>(right_.data(), width),
         costs_.data(), false, scratch_.workspace);
    for (Index i = 0; i < count; ++i)
      for (Index j = 0; j < count; ++j)
        costs_.data()[i * stride + j] += squares_.data()[j];
    columns_.resize(std::max(columns_.size(), static_cast<std::size_t>(count)));
    solver_.solve(costs_.data(), count, columns_.data());
    for (Index i = 0; i < count; ++i)
      std::copy_n(made_.data() + (first + columns_[static_cast<std::size_t>(i)]) * width, width,
                  codes + static_cast<Index>(order_[static_cast<std::size_t>(first + i)]) * width);
  }

  const InferenceNetwork* posterior_;
  const TableModelParts* model_;
  std::span<const std::int32_t> labels_;
  std::uint64_t seed_;
  BatchBuffer buffer_;
  InferenceScratch scratch_;
  LinearAssignment solver_;
  std::vector<std::uint32_t> order_;
  std::vector<std::uint32_t> chosen_;
  std::vector<std::int32_t> row_labels_;
  std::vector<std::int32_t> columns_;
  AlignedBuffer<float> real_;
  AlignedBuffer<float> made_;
  AlignedBuffer<float> left_;
  AlignedBuffer<float> right_;
  AlignedBuffer<float> squares_;
  AlignedBuffer<float> costs_;
};

} // namespace detail

/// Weights, moments and buffers of the refit. `Trainer` drives it; a loop of your own can too.
template <class AutoencoderType>
class RefitStage {
public:
  /// \param rows, labels, model  must outlive the stage \param values  where the autoencoder's weights begin
  RefitStage(const AutoencoderType& autoencoder, const EncodedTable& rows, std::span<const std::int32_t> labels,
             const TableModelParts& model, const RefitOptions& options, std::uint64_t seed, int threads,
             const AlignedBuffer<float>& values)
      : autoencoder_(autoencoder), options_(options), seed_(seed), values_(values),
        posterior_(autoencoder_.posterior_network(values.data())),
        optimiser_(options.optimiser, trained()), average_(options.average_decay, values_), parallel_(threads),
        batch_(rows, autoencoder_.code_offsets(), autoencoder_.number_weights()) {
    for (std::size_t i = 0; i < ahead; ++i)
      slots_.emplace_back(detail::LatentMatcher(rows, posterior_, model, autoencoder_.code_offsets(),
                                                autoencoder_.number_weights(), labels, seed));
  }
  RefitStage(const RefitStage&) = delete; // the batch buffer points into the autoencoder
  RefitStage& operator=(const RefitStage&) = delete;

  /// One step on batch number `number` of an epoch. \param epoch  the training rows in the epoch's order
  /// \param total_steps  of the whole refit, for the schedule \returns the mean loss a row before the step
  double step(std::span<const std::uint32_t> epoch, std::size_t number, std::uint64_t total_steps) {
    const std::size_t size = std::min(options_.batch, epoch.size());
    const auto batch = [&](std::size_t k) {
      return epoch.subspan(k * size, std::min(size, epoch.size() - k * size));
    };
    const auto draw = static_cast<std::uint32_t>(optimiser_.steps());
    if (draw < first_ready_ || draw >= first_ready_ + ready_) {
      // Pairs depend on nothing that is being trained: several batches at once, each on a thread.
      first_ready_ = draw;
      ready_ = std::min(ahead, (epoch.size() + size - 1) / size - number);
      parallel_for(ready_, parallel_.threads(), [&](std::size_t k) {
        auto& slot = slots_[k];
        const auto rows = batch(number + k);
        slot.codes.resize(rows.size() * static_cast<std::size_t>(AutoencoderType::latent_width));
        slot.matcher.match(rows, draw + static_cast<std::uint32_t>(k), slot.codes.data());
      });
    }
    const double loss = run(batch(number), slots_[draw - first_ready_].codes.data(), values_, draw, true);
    parallel_.apply(optimiser_, std::span(values_.data() + autoencoder_.decoder_offset(),
                                          static_cast<std::size_t>(trained())),
                    options_.schedule(optimiser_.steps(), total_steps), autoencoder_.decoder_offset());
    if (options_.average_decay > 0)
      average_.update(values_);
    return loss;
  }

  /// Mean loss a row of the weights to keep; the pairs are the same at each call.
  double evaluate(std::span<const std::uint32_t> rows) {
    const auto width = static_cast<std::size_t>(AutoencoderType::latent_width);
    const std::size_t size = std::min(options_.batch, rows.size());
    const std::size_t blocks = (rows.size() + size - 1) / size;
    if (validation_.size() != rows.size() * width) {
      validation_.resize(rows.size() * width);
      for (std::size_t begin = 0; begin < blocks; begin += ahead)
        parallel_for(std::min(ahead, blocks - begin), parallel_.threads(), [&](std::size_t k) {
          const std::size_t first = (begin + k) * size;
          // Numbers that no training step reaches.
          slots_[k].matcher.match(rows.subspan(first, std::min(size, rows.size() - first)),
                                  (1U << 30U) + static_cast<std::uint32_t>(begin + k),
                                  validation_.data() + first * width);
        });
    }
    double total = 0;
    for (std::size_t first = 0; first < rows.size(); first += size) {
      const auto part = rows.subspan(first, std::min(size, rows.size() - first));
      total += run(part, validation_.data() + first * width, kept_values(), 0, false) *
               static_cast<double>(part.size());
    }
    return total / static_cast<double>(rows.size());
  }

  std::uint64_t steps() const noexcept { return optimiser_.steps(); }
  /// The weights to keep: their moving average if there is one.
  const AlignedBuffer<float>& kept_values() const noexcept {
    return options_.average_decay > 0 ? average_.values() : values_;
  }

  /// Adds all that `load` needs to go on with the same bits.
  void save(detail::StateFile& state) const {
    state.put("refit.values", values_);
    state.put("refit", optimiser_);
    state.put("refit.average", average_.values());
    state.put("refit.average.steps", average_.steps());
  }
  /// \throws ModelFileError if the state is not one of such a stage
  void load(const detail::StateFile& state) {
    values_ = state.buffer("refit.values", values_.size());
    state.restore("refit", optimiser_);
    average_.restore(state.count("refit.average.steps"), state.buffer("refit.average", values_.size()));
  }

private:
  static constexpr std::size_t ahead = 8;
  struct Slot {
    explicit Slot(detail::LatentMatcher m) : matcher(std::move(m)) {}
    detail::LatentMatcher matcher;
    AlignedBuffer<float> codes;
  };

  Index trained() const noexcept { return autoencoder_.layout().size() - autoencoder_.decoder_offset(); }
  double run(std::span<const std::uint32_t> rows, const float* codes, const AlignedBuffer<float>& values,
             std::uint32_t step, bool training) {
    constexpr Index width = AutoencoderType::latent_width;
    batch_.load(rows);
    const auto count = static_cast<Index>(rows.size());
    return parallel_.run(count, autoencoder_.layout().size(), training,
                         [&](Tape<float>& tape, float* gradients, Index first, Index part) {
                           const BoundParameters<float> parameters(tape, values.data(), gradients);
                           const Pass pass{.training = training,
                                           .seed = seed_ + 2,
                                           .step = step,
                                           .first_row = static_cast<std::uint64_t>(first)};
                           return autoencoder_.reconstruction_loss(
                               parameters, tape.constant(codes + first * width, part, width),
                               batch_.rows(first, part), pass, 1 / static_cast<double>(count));
                         });
  }

  AutoencoderType autoencoder_;
  RefitOptions options_;
  std::uint64_t seed_;
  AlignedBuffer<float> values_;
  InferenceNetwork posterior_;
  Optimiser<float> optimiser_;
  WeightAverage<float> average_;
  DataParallel<float> parallel_;
  BatchBuffer batch_;
  std::vector<Slot> slots_;
  std::uint32_t first_ready_ = 0; ///< the slots hold the pairs of steps [first_ready_, first_ready_ + ready_)
  std::size_t ready_ = 0;
  AlignedBuffer<float> validation_;
};

ROWSMITH_END
