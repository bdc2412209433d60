// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <ratio>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/train/autoencoder_stage.hpp>
#include <rowsmith/train/gan_stage.hpp>
#include <rowsmith/train/gaussian_mixture_fit.hpp>
#include <rowsmith/train/refit_stage.hpp>
#include <rowsmith/train/trainer.hpp>

#include "../support/count_allocations.hpp"

namespace rs = rowsmith;

TEST_CASE("training steps allocate nothing after the first", "[train]") {
  auto kind = rs::Column::categorical("kind");
  auto size = rs::Column::numerical("size");
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  for (int i = 0; i < 1000; ++i) {
    kind.codes.push_back(kind.dictionary.insert(std::to_string(random.below(20)).append("k")));
    size.values.push_back(random.normal());
  }
  const rs::Table table({kind, size});
  const auto encoder = rs::TableEncoder::fit(table, {.numerical = rs::NumericalEncoding::standardised});
  const auto encoded = encoder.encode(table);
  std::vector<std::uint32_t> rows(512);
  std::iota(rows.begin(), rows.end(), 0U);

  using Autoencoder = rs::Autoencoder<rs::Dense<300>, rs::ReLU, rs::LayerNorm, rs::Latent<32>>;
  for (const bool variational : {false, true}) {
    rs::AutoencoderOptions options;
    options.kl_weight = variational ? 0.5 : 0;
    rs::AutoencoderStage<Autoencoder> stage(Autoencoder(encoder, variational), encoded, options, 1, 1);
    stage.step(rows, 0, 100);
    const long before = allocation::count;
    for (int i = 0; i < 5; ++i)
      stage.step(rows, 0, 100);
    CHECK(allocation::count == before);
  }

  {
    // The refit on its own: pairs by linear assignment, then the decoder's step.
    const auto codes = rs::TableEncoder::fit(table);
    const auto coded = codes.encode(table);
    using Heads = rs::Autoencoder<rs::Dense<64>, rs::ReLU, rs::Latent<8>,
                                  rs::AutoregressiveHeads<16, std::ratio<1, 10>>>;
    const Heads autoencoder(codes, true);
    const auto weights = autoencoder.initialise<float>(1);
    rs::TableModelParts model;
    model.encoder = codes;
    model.heads = autoencoder.heads_network(weights.data());
    const rs::Generator<rs::Noise<8>, rs::Dense<8>, rs::Tanh> generator;
    model.generator_network = generator.network(generator.initialise<float>(1).data());
    model.noise_width = 8;
    model.latent_scale.assign(8, 1);
    model.latent_offset.assign(8, 0);
    rs::RefitStage<Heads> refit(autoencoder, coded, {}, model, {.batch = 256}, 1, 1, weights);
    std::vector<std::uint32_t> epoch(1000);
    std::iota(epoch.begin(), epoch.end(), 0U);
    const double start = refit.evaluate(epoch);
    for (std::size_t step = 0; step < 40; ++step)
      refit.step(epoch, step % 4, 400);
    const long before = allocation::count;
    for (std::size_t step = 0; step < 20; ++step)
      refit.step(epoch, step % 4, 400);
    CHECK(allocation::count == before);
    CHECK(refit.evaluate(epoch) < start);
    // The encoder stays as it was.
    const auto& kept = refit.kept_values();
    CHECK(std::equal(weights.begin(), weights.begin() + autoencoder.decoder_offset(), kept.begin()));
    CHECK_FALSE(std::equal(weights.begin(), weights.end(), kept.begin()));
  }

  {
    // A private step, of which batches are of many sizes: none allocates that is not the largest so far.
    const auto codes = rs::TableEncoder::fit(table);
    const auto coded = codes.encode(table);
    using Heads = rs::Autoencoder<rs::Dense<8>, rs::ReLU, rs::Latent<2>, rs::AutoregressiveHeads<16>>;
    const Heads autoencoder(codes, true);
    rs::Learner learner("private", autoencoder.layout(), autoencoder.initialise<float>(1), 1, {}, 0.9);
    const rs::NoiseSource source({1, 2, 3, 4, 5, 6, 7, 8});
    rs::PrivateGradient gradient(source, 1, 1, 300);
    rs::PoissonBatches batches(source, 1000, 0.3);
    rs::DataParallel<float> parallel(1);
    rs::BatchBuffer buffer(coded, autoencoder.code_offsets(), autoencoder.number_weights());
    const auto step = [&](std::span<const std::uint32_t> chosen) {
      buffer.load(chosen);
      learner.learn_privately(
          parallel, static_cast<rs::Index>(chosen.size()), 1,
          [&](const rs::BoundParameters<float>& parameters, rs::Index first, rs::Index part) {
            return autoencoder.loss(parameters, buffer.rows(first, part),
                                    {.training = true, .first_row = static_cast<std::uint64_t>(first)}, 1, 1);
          },
          gradient);
    };
    // The largest that one shard, two and four can have: more than any batch will.
    for (const std::size_t count : {std::size_t{255}, std::size_t{383}, std::size_t{512}})
      step(std::span<const std::uint32_t>(rows).first(count));
    batches(0);
    const long before = allocation::count;
    for (std::uint64_t i = 1; i < 8; ++i)
      step(batches(i));
    CHECK(allocation::count == before);
  }

  rs::LatentRows latent(1000, 32);
  latent.label_count = 3;
  for (int i = 0; i < 1000; ++i)
    latent.labels.push_back(i % 3);
  using Generator = rs::Generator<rs::Noise<64>, rs::Dense<128>, rs::ReLU, rs::Dense<32>, rs::Tanh>;
  using Discriminator = rs::Discriminator<rs::Dense<300>, rs::LeakyReLU, rs::Dropout, rs::Dense<1>>;
  rs::GanStage<Generator, Discriminator> gan(latent, {}, 1, 1);
  gan.step(rows, 0, 100);
  const long before = allocation::count;
  for (int i = 0; i < 5; ++i)
    gan.step(rows, 0, 100);
  CHECK(allocation::count == before);
}

TEST_CASE("what is not trained is moved by no gradient, its own network's or another's", "[train]") {
  // The generator has more weights than the discriminator, so that what its gradients leave behind would
  // show.
  rs::LatentRows latent(64, 5);
  std::vector<float> codes(5);
  for (std::size_t i = 0; i < 64; ++i) {
    rs::fill_uniform(rs::RandomStream(1, rs::Purpose::user), 2 * i, codes.data(), 5);
    latent.set(i, codes.data());
  }
  using Generator = rs::Generator<rs::Noise<7>, rs::Dense<40>, rs::LeakyReLU, rs::Dense<5>, rs::Tanh>;
  using Discriminator = rs::Discriminator<rs::SpectralDense<9>, rs::LeakyReLU, rs::SpectralDense<1>>;
  rs::GanStage<Generator, Discriminator, rs::HingeLoss> gan(latent, {.batch = 64}, 1, 1);
  std::vector<std::uint32_t> rows(64);
  std::iota(rows.begin(), rows.end(), 0U);
  for (int i = 0; i < 4; ++i)
    gan.step(rows, 0, 4);
  rs::detail::StateFile state;
  gan.save(state);
  // Power iteration leaves unit vectors: 5 and 9, then 9 and 1 numbers, each at a multiple of 16.
  const auto vectors = state.buffer("discriminator.state", 64);
  for (const auto& [offset, count] :
       {std::pair(0, 5), std::pair(16, 9), std::pair(32, 9), std::pair(48, 1)}) {
    double square = 0;
    for (int i = offset; i < offset + count; ++i)
      square += static_cast<double>(vectors[static_cast<std::size_t>(i)]) *
                static_cast<double>(vectors[static_cast<std::size_t>(i)]);
    CHECK(square == Approx(1).epsilon(1e-5));
  }
  // And the padding between the blocks of weights stays zero, in every buffer.
  const auto check_padding = [&](const std::string& name, const rs::ParameterLayout& layout) {
    for (const char* part : {".values", ".first_moment", ".second_moment"}) {
      auto values = state.buffer(name + part, static_cast<std::size_t>(layout.size()));
      for (const auto& entry : layout.entries())
        std::fill_n(values.data() + entry.block.offset, entry.block.rows * entry.block.columns, 0.0F);
      INFO(name << part);
      CHECK(std::count(values.begin(), values.end(), 0.0F) == static_cast<long>(values.size()));
    }
  };
  check_padding("generator", Generator().layout());
  check_padding("discriminator", Discriminator(5).layout());
}

namespace {
// Remembers which of its kind are alive.
struct LivingDecoder {
  static std::set<const LivingDecoder*>& living() {
    static std::set<const LivingDecoder*> all;
    return all;
  }
  LivingDecoder() { living().insert(this); }
  LivingDecoder(const LivingDecoder&) : LivingDecoder() {}
  LivingDecoder& operator=(const LivingDecoder&) = default;
  ~LivingDecoder() { living().erase(this); }
  rs::Index width() const {
    if (!living().contains(this))
      throw std::logic_error("a decoder was used that is gone");
    return 3;
  }
  void real(std::span<const std::uint32_t> rows, float* to, rs::Index stride) const {
    std::fill_n(to, static_cast<rs::Index>(rows.size()) * stride, 1.0F);
  }
  rs::Variable<float> generated(const rs::Variable<float>& code, const rs::Pass&) const {
    return rs::slice_columns(code, 0, width());
  }
};
} // namespace

TEST_CASE("a GAN stage may be given a decoder that lives no longer than the call", "[train]") {
  const rs::LatentRows latent(16, 4);
  using Generator = rs::Generator<rs::Noise<4>, rs::Dense<4>, rs::Tanh>;
  using Discriminator = rs::Discriminator<rs::OnRows, rs::Dense<4>, rs::LeakyReLU, rs::Dense<1>>;
  const rs::GaussianMixture none;
  rs::GanStage<Generator, Discriminator, rs::BceLoss, rs::NoPenalty, LivingDecoder> stage(
      latent, {.batch = 16}, 1, 1, none, LivingDecoder{});
  std::vector<std::uint32_t> rows(16);
  std::iota(rows.begin(), rows.end(), 0U);
  CHECK_NOTHROW(stage.step(rows, 0, 1));
  CHECK(stage.steps() == 1);
}

TEST_CASE("batches cover their rows, or whole ones as many as there are", "[train]") {
  const std::vector<std::uint32_t> rows{7, 1, 5, 3, 9};
  const rs::Batches all(5, 2);
  CHECK(all.count() == 3);
  CHECK(all.rows() == 5);
  CHECK(all.of(rows, 1)[0] == 5);
  CHECK(all.of(rows, 2).size() == 1);
  const rs::Batches whole(5, 2, true);
  CHECK(whole.count() == 2);
  CHECK(whole.rows() == 4);
  CHECK(whole.of(rows, 1).size() == 2);
  CHECK(rs::Batches(5, 100).count() == 1);
  CHECK_THROWS_AS(rs::Batches(0, 2), rs::OptionError);
  CHECK_THROWS_AS(rs::Batches(5, 0), rs::OptionError);
}

TEST_CASE("a training needs little memory beyond its table", "[train]") {
  // Columns as Adult's. Most of it goes to the encoded rows and the latent codes.
  constexpr std::size_t rows = 200'000;
  std::vector<rs::Column> columns;
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  for (const std::uint32_t values : {73U, 20000U, 16U, 119U, 92U, 94U}) {
    columns.push_back(rs::Column::numerical(std::to_string(columns.size()), {}, 0));
    for (std::size_t r = 0; r < rows; ++r)
      columns.back().values.push_back(random.below(values));
  }
  for (const std::uint32_t values : {9U, 16U, 7U, 15U, 6U, 5U, 2U, 42U, 2U}) {
    columns.push_back(rs::Column::categorical(std::to_string(columns.size())));
    for (std::size_t r = 0; r < rows; ++r)
      columns.back().codes.push_back(columns.back().dictionary.insert(std::to_string(random.below(values))));
  }
  const rs::Table table(std::move(columns), "14");
  using Autoencoder = rs::Autoencoder<rs::Dense<32>, rs::ReLU, rs::Latent<16>>;
  using Generator = rs::Generator<rs::Noise<16>, rs::Dense<16>, rs::Tanh>;
  using Discriminator = rs::Discriminator<rs::Dense<16>, rs::LeakyReLU, rs::Dense<1>>;
  auto options = rs::TrainerOptions{};
  options.conditional = true;
  options.autoencoder.steps = options.gan.steps = options.refit.steps = 1;
  const long before = allocation::live;
  allocation::peak = before;
  std::size_t told = 0;
  rs::Trainer<Autoencoder, Generator, Discriminator>(options).fit(table, [&](const rs::Progress&) {
    ++told;
    return rs::ProgressAction::go_on;
  });
  CHECK(told == 3);
  // Tapes and weights do not grow with the table. A million rows take less than 100 MB in all.
  CHECK(allocation::peak - before < 10'000'000 + 90 * static_cast<long>(rows));
}

TEST_CASE("a mixture of Gaussians finds the clusters it was drawn from", "[train]") {
  // Three clusters with shares 1/2, 1/3, 1/6, the second stretched along a diagonal; labels tell the third.
  rs::LatentRows rows(6000, 2, 12);
  rows.label_count = 2;
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  for (std::size_t i = 0; i < 6000; ++i) {
    const auto kind = i % 6 < 3 ? 0 : (i % 6 < 5 ? 1 : 2);
    const double a = random.normal();
    const double b = random.normal();
    const float code[2] = {static_cast<float>(kind == 0   ? -5 + a
                                              : kind == 1 ? 4 + a
                                                          : 0.3 * a),
                           static_cast<float>(kind == 0   ? b
                                              : kind == 1 ? 3 + 0.9 * a + 0.3 * b
                                                          : -6 + 0.3 * b)};
    rows.set(i, code);
    rows.labels.push_back(kind == 2 ? 1 : 0);
  }
  const auto mixture = rs::fit_gaussian_mixture(rows, 3, 4, 1);
  REQUIRE(mixture.components() == 3);
  REQUIRE(mixture.shares.size() == 6);
  for (std::size_t k = 0; k < 3; ++k) {
    const float* mean = mixture.means.data() + 2 * k;
    const float* factor = mixture.factors.data() + 4 * k;
    const double covariance = static_cast<double>(factor[0]) * static_cast<double>(factor[2]);
    const bool first = mean[0] < -3;
    const bool third = mean[1] < -3;
    CHECK(static_cast<double>(mean[0]) == Approx(first ? -5 : (third ? 0 : 4)).margin(0.1));
    CHECK(static_cast<double>(mean[1]) == Approx(first ? 0 : (third ? -6 : 3)).margin(0.1));
    CHECK(covariance == Approx(!first && !third ? 0.9 : 0).margin(0.08));
    CHECK(mixture.shares[k] == Approx(first ? 0.6 : (third ? 0 : 0.4)).margin(0.02)); // of label 0
    CHECK(mixture.shares[3 + k] == Approx(third ? 1 : 0).margin(0.02));               // of label 1
  }
  // What is drawn has the moments of the rows.
  std::vector<float> drawn(2 * 20000);
  rs::fill_noise(mixture, rs::RandomStream(1, rs::Purpose::user, 1),
                 rs::RandomStream(1, rs::Purpose::user, 2), {}, 20000, 2, nullptr, drawn.data(), 2);
  double mean = 0;
  for (std::size_t i = 0; i < 20000; ++i)
    mean += static_cast<double>(drawn[2 * i]) / 20000;
  CHECK(mean == Approx(0.6 * -5 + 0.4 * 4).margin(0.15));
}

TEST_CASE("a discriminator of decoded rows teaches the generator, with penalties on its gradient",
          "[train]") {
  // One column; the autoencoder's code says which of two values. Real rows have "b" nine times of ten.
  auto kind = rs::Column::categorical("kind");
  for (int i = 0; i < 1000; ++i)
    kind.codes.push_back(kind.dictionary.insert(i % 10 == 0 ? "a" : "b"));
  const rs::Table table({kind});
  using Autoencoder = rs::Autoencoder<rs::Dense<8>, rs::ReLU, rs::Latent<2>, rs::JointHeads<>>;
  using Generator = rs::Generator<rs::Noise<2>, rs::Dense<16>, rs::LeakyReLU, rs::Dense<2>, rs::Residual>;
  using Discriminator =
      rs::Discriminator<rs::OnRows, rs::Packing<2>, rs::Dense<16>, rs::LeakyReLU, rs::Dense<1>>;
  using Latents =
      rs::Discriminator<rs::Packing<2>, rs::SpectralDense<16>, rs::LeakyReLU, rs::SpectralDense<1>>;
  rs::TrainerOptions options;
  options.autoencoder.steps = 200;
  options.autoencoder.batch = 512;
  options.autoencoder.optimiser = rs::decaying_adam(3e-3);
  options.gan.steps = 400;
  options.gan.batch = 200;
  options.refit.steps = 0;
  const auto share_of_b = [&](const rs::TableModel& model) {
    const auto made = model.sample(4000, {.seed = 3});
    const auto b = made[0].dictionary.find("b");
    return static_cast<double>(std::count(made[0].codes.begin(), made[0].codes.end(), b)) / 4000;
  };
  rs::Trainer<Autoencoder, Generator, rs::Discriminators<Discriminator, Latents>, rs::RelativisticLoss,
              rs::R1R2Penalty>
      both(options);
  CHECK(share_of_b(both.fit(table)) == Approx(0.9).margin(0.06));
  rs::Trainer<Autoencoder, Generator, Discriminator, rs::HingeLoss, rs::R1Penalty> one(options);
  const auto first = one.fit(table);
  CHECK(share_of_b(first) == Approx(0.9).margin(0.06));
  options.threads = 3;
  rs::Trainer<Autoencoder, Generator, Discriminator, rs::HingeLoss, rs::R1Penalty> three(options);
  CHECK(share_of_b(three.fit(table)) == share_of_b(first));
  options.gan.batch = 3; // one pair, and a row left over
  rs::Trainer<Autoencoder, Generator, Discriminator> odd(options);
  CHECK_NOTHROW(odd.fit(table));
}
