// SPDX-License-Identifier: MIT
/// \file
/// The training rows as the GAN sees them: latent codes in (−1, 1), stored compactly.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include <rowsmith/core/aligned_buffer.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/parallel.hpp>
#include <rowsmith/core/team.hpp>
#include <rowsmith/kernel/random_fill.hpp>
#include <rowsmith/models/autoencoder.hpp>
#include <rowsmith/models/table_model_parts.hpp>
#include <rowsmith/train/batches.hpp>

ROWSMITH_BEGIN

/// Scaled latent codes of the training rows, and their labels for a conditional model. A code in
/// [−range, range] takes 16 bits, in steps of range / 32767: far finer than what a decoder can tell apart,
/// and half the memory of floats.
class LatentRows {
public:
  LatentRows() = default;
  /// \param range  > 0: the largest code there will be
  LatentRows(std::size_t rows, Index width, float range = 1)
      : width_(width), step_(range / steps), codes_(rows * static_cast<std::size_t>(width)) {}

  std::size_t rows() const noexcept {
    return width_ == 0 ? 0 : codes_.size() / static_cast<std::size_t>(width_);
  }
  Index width() const noexcept { return width_; }

  /// \param codes `width()` codes in [−range, range]
  void set(std::size_t row, const float* codes) noexcept {
    std::int16_t* to = codes_.data() + row * static_cast<std::size_t>(width_);
    for (Index j = 0; j < width_; ++j)
      to[j] = static_cast<std::int16_t>(std::lround(codes[j] / step_));
  }
  void get(std::size_t row, float* codes) const noexcept {
    const std::int16_t* from = codes_.data() + row * static_cast<std::size_t>(width_);
    for (Index j = 0; j < width_; ++j)
      codes[j] = static_cast<float>(from[j]) * step_;
  }
  /// The rows that each member of a team has set, to everybody. \param block  as of `Workers::part_of`
  void share(const Workers& workers, std::size_t block) {
    workers.share_parts(codes_.data(), rows(), static_cast<std::size_t>(width_), block);
  }
  /// Asks the processor for a row that will be read soon.
  void prefetch(std::size_t row) const noexcept {
    __builtin_prefetch(codes_.data() + row * static_cast<std::size_t>(width_));
  }

  std::vector<std::int32_t> labels; ///< one a row, or empty
  Index label_count = 0;

private:
  static constexpr float steps = 32767;
  Index width_ = 0;
  float step_ = 1 / steps;
  AlignedBuffer<std::int16_t> codes_;
};

namespace detail {

/// Mean, spread and extremes of one latent dimension, merged block by block (Chan et al. 1979).
struct LatentMoments {
  double count = 0;
  double mean = 0;
  double squares = 0; ///< sum of squared distances from the mean
  double least = 0;
  double most = 0;
  void add(double x) {
    least = count == 0 ? x : std::min(least, x);
    most = count == 0 ? x : std::max(most, x);
    ++count;
    const double before = x - mean;
    mean += before / count;
    squares += before * (x - mean);
  }
  void merge(const LatentMoments& other) {
    if (other.count == 0)
      return;
    least = count == 0 ? other.least : std::min(least, other.least);
    most = count == 0 ? other.most : std::max(most, other.most);
    const double total = count + other.count;
    const double apart = other.mean - mean;
    mean += apart * other.count / total;
    squares += other.squares + apart * apart * count * other.count / total;
    count = total;
  }
};

/// Latent codes from what a posterior network gives: the codes themselves, or means then log-variances (twice
/// as wide) that codes are drawn from. \param first  number of the first row in the stream
inline void draw_codes(const float* outputs, Index output_width, Index rows, Index width,
                       const RandomStream& noise, std::uint64_t first, float* codes) {
  const auto blocks = static_cast<std::uint64_t>(blocks_per_row(width));
  for (Index r = 0; r < rows; ++r) {
    const float* from = outputs + r * output_width;
    float* to = codes + r * width;
    if (output_width == width) {
      std::copy_n(from, width, to);
      continue;
    }
    fill_normal(noise, (first + static_cast<std::uint64_t>(r)) * blocks, to, width);
    for (Index j = 0; j < width; ++j)
      to[j] = from[j] + std::exp(limit_log_variance(from[width + j]) / 2) * to[j];
  }
}

/// Runs an encoder over all rows of a table, block by block; of a team, each member over a part of them.
class Embedding {
public:
  /// \param posterior  gives codes, or means then log variances (twice as wide) that codes are drawn from
  Embedding(const EncodedTable& rows, const InferenceNetwork& posterior, Index width,
            const std::vector<std::int32_t>& code_offsets, const std::vector<std::int32_t>& number_weights,
            std::uint64_t seed, Workers workers)
      : rows_(&rows), posterior_(&posterior), width_(width), code_offsets_(&code_offsets),
        number_weights_(&number_weights), noise_(seed, Purpose::encode_position), workers_(workers) {}

  static constexpr std::size_t block = 1024;
  std::size_t blocks() const noexcept { return (rows_->rows() + block - 1) / block; }
  const Workers& workers() const noexcept { return workers_; }

  /// Calls `take(block_number, first_row, codes, rows)` for each of this member's blocks, on several threads
  /// at once. A second pass gives the same codes.
  template <class Take>
  void each_block(const Take& take) const {
    const auto own = workers_.own_part(blocks());
    parallel_for(own.size(), workers_.threads, [&](std::size_t number) {
      const std::size_t part = own.begin + number;
      InferenceScratch scratch;
      BatchBuffer buffer(*rows_, *code_offsets_, *number_weights_);
      const std::size_t begin = part * block;
      std::vector<std::uint32_t> chosen(std::min(block, rows_->rows() - begin));
      std::iota(chosen.begin(), chosen.end(), static_cast<std::uint32_t>(begin));
      buffer.load(chosen);
      const auto count = static_cast<Index>(chosen.size());
      std::vector<float> codes(chosen.size() * static_cast<std::size_t>(width_));
      const float* outputs = posterior_->run(buffer.rows(0, count), scratch);
      // The decoder was trained on codes drawn from the posterior: the generator must learn those, not means.
      draw_codes(outputs, posterior_->outputs(), count, width_, noise_, begin, codes.data());
      take(part, begin, codes.data(), chosen.size());
    });
  }

private:
  const EncodedTable* rows_;
  const InferenceNetwork* posterior_;
  Index width_;
  const std::vector<std::int32_t>* code_offsets_;
  const std::vector<std::int32_t>* number_weights_;
  RandomStream noise_;
  Workers workers_;
};

/// Notes in the model how each latent dimension is scaled for the generator and back.
/// \param bounded  into (−1, 1), as a generator that ends in Tanh makes it; otherwise standardised
/// \param squash   if bounded, as `GanOptions::latent_squash`
/// \returns the largest scaled code
inline float fit_latent_range(const Embedding& embedding, Index width, bool bounded, double squash,
                              TableModelParts& model) {
  const auto dimensions = static_cast<std::size_t>(width);
  std::vector<LatentMoments> parts(embedding.blocks() * dimensions);
  embedding.each_block([&](std::size_t part, std::size_t, const float* codes, std::size_t rows) {
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t j = 0; j < dimensions; ++j)
        parts[part * dimensions + j].add(static_cast<double>(codes[r * dimensions + j]));
  });
  embedding.workers().share_parts(parts.data(), embedding.blocks(), dimensions);
  double range = 1;
  for (std::size_t j = 0; j < dimensions; ++j) {
    LatentMoments all;
    for (std::size_t part = 0; part < embedding.blocks(); ++part)
      all.merge(parts[part * dimensions + j]);
    if (!std::isfinite(all.mean) || !std::isfinite(all.squares))
      throw TrainingError("autoencoder", 0, 0, "latent codes that are not finite");
    // A margin, because Tanh reaches ±1 only at infinity; a dimension that never changes needs any scale.
    const double largest = std::max(1e-6, 1.05 * std::max(all.most - all.mean, all.mean - all.least));
    const double sd = std::max(1e-6, std::sqrt(all.squares / all.count));
    const double scale = !bounded ? sd : (squash > 0 ? sd / squash : largest);
    model.latent_offset.push_back(static_cast<float>(all.mean));
    model.latent_scale.push_back(static_cast<float>(scale));
    if (!bounded)
      range = std::max(range, largest / scale);
    else if (squash > 0)
      model.latent_bound.push_back(
          static_cast<float>(std::clamp(std::tanh(largest / scale), 1e-6, 1 - 1e-6)));
  }
  return static_cast<float>(range);
}

/// All rows' codes, scaled by what `fit_latent_range` noted. Labels are left empty.
inline LatentRows scaled_latent_rows(const Embedding& embedding, std::size_t rows, Index width, float range,
                                     const TableModelParts& model) {
  LatentRows latent(rows, width, range);
  const auto dimensions = static_cast<std::size_t>(width);
  embedding.each_block([&](std::size_t, std::size_t first, float* codes, std::size_t count) {
    for (std::size_t r = 0; r < count; ++r) {
      float* row = codes + r * dimensions;
      for (std::size_t j = 0; j < dimensions; ++j) {
        row[j] = (row[j] - model.latent_offset[j]) / model.latent_scale[j];
        if (!model.latent_bound.empty())
          row[j] = std::tanh(row[j]) / model.latent_bound[j];
      }
      latent.set(first + r, row);
    }
  });
  latent.share(embedding.workers(), Embedding::block);
  return latent;
}

} // namespace detail

ROWSMITH_END
