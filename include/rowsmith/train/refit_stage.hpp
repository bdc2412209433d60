// SPDX-License-Identifier: MIT
/// \file
/// Stage 3 step by step: decoder and heads learn to read the generator's own latent codes.
///
/// Each training row is paired with a generated code by linear assignment between the codes of a batch's rows
/// and as many generated ones, and the likelihood of the rows given their partners is raised. Any such
/// matching keeps both marginals, so that the mean over the generator of p(row | code) goes to the
/// distribution of the rows, whatever error the generator makes; the assignment keeps a code's meaning close
/// to what the encoder gave it.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/core/parallel.hpp>
#include <rowsmith/linalg/linear_assignment.hpp>
#include <rowsmith/models/autoencoder.hpp>
#include <rowsmith/models/table_model_parts.hpp>
#include <rowsmith/train/batches.hpp>
#include <rowsmith/train/latent_rows.hpp>
#include <rowsmith/train/learner.hpp>
#include <rowsmith/train/options.hpp>

ROWSMITH_BEGIN

namespace detail {

/// Pairs rows of a table with generated latent codes. One a thread.
class LatentMatcher {
public:
  /// \param model  its generator and latent scaling are used \param posterior  of the encoder
  /// \param labels  one a row of the table, or empty. All must outlive the matcher
  LatentMatcher(const EncodedTable& rows, const InferenceNetwork& posterior, const TableModelParts& model,
                const std::vector<std::int32_t>& code_offsets,
                const std::vector<std::int32_t>& number_weights, std::span<const std::int32_t> labels,
                std::uint64_t seed)
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
      std::stable_sort(order_.begin(), order_.end(),
                       [&](std::uint32_t a, std::uint32_t b) { return labels_[rows[a]] < labels_[rows[b]]; });
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
                     RandomStream(seed_, Purpose::refit_noise, draw + (1U << 31U)), {}, count, row_labels_,
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
    draw_codes(outputs, posterior_->outputs(), count, width, RandomStream(seed_, Purpose::refit_latent, draw),
               0, real_.data());
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

/// The refit: an `EvaluatedStage`. `Trainer` drives it; a loop of your own can too.
template <class AutoencoderType>
class RefitStage {
public:
  static constexpr std::array<std::string_view, 1> figures{"loss"};

  /// \param rows, labels, model  must outlive the stage \param values  where the autoencoder's weights begin
  RefitStage(const AutoencoderType& autoencoder, const EncodedTable& rows,
             std::span<const std::int32_t> labels, const TableModelParts& model, const RefitOptions& options,
             std::uint64_t seed, Workers workers, const AlignedBuffer<float>& values)
      : autoencoder_(autoencoder), options_(options.for_rows(rows.rows())), seed_(seed),
        posterior_(autoencoder_.posterior_network(values.data())),
        learner_("refit", autoencoder_.layout(), values, seed, options.optimiser, options.average_decay,
                 autoencoder_.decoder_offset()),
        parallel_(workers), batch_(rows, autoencoder_.code_offsets(), autoencoder_.number_weights()) {
    for (std::size_t i = 0; i < ahead; ++i)
      slots_.emplace_back(detail::LatentMatcher(rows, posterior_, model, autoencoder_.code_offsets(),
                                                autoencoder_.number_weights(), labels, seed));
  }
  RefitStage(const RefitStage&) = delete; // the batch buffer points into the autoencoder
  RefitStage& operator=(const RefitStage&) = delete;

  Batches batches(std::size_t rows) const { return {rows, options_.batch}; }
  /// One step on batch number `number` of an epoch. \param epoch  the training rows in the epoch's order
  /// \param total_steps  of the whole refit, for the schedule \returns the mean loss a row before the step
  std::array<double, 1> step(std::span<const std::uint32_t> epoch, std::size_t number,
                             std::uint64_t total_steps) {
    const auto cut = batches(epoch.size());
    const auto draw = static_cast<std::uint32_t>(steps());
    if (draw < first_ready_ || draw >= first_ready_ + ready_) {
      // Pairs depend on nothing that is being trained: several batches at once, each on a thread.
      first_ready_ = draw;
      ready_ = std::min(ahead, cut.count() - number);
      parallel_for(ready_, parallel_.threads(), [&](std::size_t k) {
        auto& slot = slots_[k];
        const auto rows = cut.of(epoch, number + k);
        slot.codes.resize(rows.size() * static_cast<std::size_t>(AutoencoderType::latent_width));
        if (is_own(k))
          slot.matcher.match(rows, draw + static_cast<std::uint32_t>(k), slot.codes.data());
      });
      for (std::size_t k = 0; k < ready_; ++k)
        share(k, slots_[k].codes.data(), slots_[k].codes.size());
    }
    const auto rows = cut.of(epoch, number);
    batch_.load(rows);
    const auto count = static_cast<Index>(rows.size());
    const Pass pass{.training = true, .seed = seed_ + 2, .step = draw};
    return {learner_.learn(parallel_, count, options_.schedule(steps(), total_steps),
                           loss_of(pass, count, slots_[draw - first_ready_].codes.data()))};
  }

  /// Mean loss a row of the weights to keep; the pairs are the same at each call.
  double evaluate(std::span<const std::uint32_t> rows) {
    const auto width = static_cast<std::size_t>(AutoencoderType::latent_width);
    const auto cut = batches(rows.size());
    if (validation_.size() != rows.size() * width) {
      validation_.resize(rows.size() * width);
      float* to = validation_.data();
      for (std::size_t begin = 0; begin < cut.count(); begin += ahead)
        parallel_for(std::min(ahead, cut.count() - begin), parallel_.threads(), [&](std::size_t k) {
          const auto part = cut.of(rows, begin + k);
          // Numbers that no training step reaches.
          if (is_own(k))
            slots_[k].matcher.match(part, (1U << 30U) + static_cast<std::uint32_t>(begin + k),
                                    to + static_cast<std::size_t>(part.data() - rows.data()) * width);
        });
      for (std::size_t number = 0; number < cut.count(); ++number) {
        const auto part = cut.of(rows, number);
        share(number % ahead, to + static_cast<std::size_t>(part.data() - rows.data()) * width,
              part.size() * width);
      }
    }
    double total = 0;
    for (std::size_t number = 0; number < cut.count(); ++number) {
      const auto part = cut.of(rows, number);
      batch_.load(part);
      const auto count = static_cast<Index>(part.size());
      const float* codes = validation_.data() + static_cast<std::size_t>(part.data() - rows.data()) * width;
      total += learner_.evaluate(parallel_, count, loss_of({.seed = seed_ + 2}, count, codes)) *
               static_cast<double>(count);
    }
    return total / static_cast<double>(rows.size());
  }

  std::uint64_t steps() const noexcept { return learner_.steps(); }
  const AlignedBuffer<float>& kept_values() const noexcept { return learner_.kept_values(); }
  void save(detail::StateFile& state) const { learner_.save(state); }
  void load(const detail::StateFile& state) { learner_.load(state); }

private:
  static constexpr std::size_t ahead = 8;
  /// Members of a team make pairs of a batch each, and share them.
  bool is_own(std::size_t slot) const { return parallel_.workers().owns(slot); }
  void share(std::size_t slot, float* codes, std::size_t count) const {
    if (const Team* team = parallel_.workers().team; team != nullptr)
      team->share(codes, count * sizeof(float), parallel_.workers().owner(slot));
  }
  struct Slot {
    explicit Slot(detail::LatentMatcher m) : matcher(std::move(m)) {}
    detail::LatentMatcher matcher;
    AlignedBuffer<float> codes;
  };

  auto loss_of(Pass pass, Index batch, const float* codes) const {
    return [=, this](const BoundParameters<float>& parameters, Index first, Index part) {
      constexpr Index width = AutoencoderType::latent_width;
      Pass own = pass;
      own.first_row = static_cast<std::uint64_t>(first);
      return autoencoder_.reconstruction_loss(parameters,
                                              parameters.tape().constant(codes + first * width, part, width),
                                              batch_.rows(first, part), own, 1 / static_cast<double>(batch));
    };
  }

  AutoencoderType autoencoder_;
  RefitOptions options_;
  std::uint64_t seed_;
  InferenceNetwork posterior_;
  Learner learner_;
  DataParallel<float> parallel_;
  BatchBuffer batch_;
  std::vector<Slot> slots_;
  std::uint32_t first_ready_ = 0; ///< the slots hold the pairs of steps [first_ready_, first_ready_ + ready_)
  std::size_t ready_ = 0;
  AlignedBuffer<float> validation_;
};

ROWSMITH_END
