// SPDX-License-Identifier: MIT
#include <rowsmith/nn/data_parallel.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

#include <catch2/catch.hpp>

#include <rowsmith/autodiff/ops/loss.hpp>
#include <rowsmith/nn/optimiser.hpp>
#include <rowsmith/nn/sequential.hpp>

#include "../support/thread_team.hpp"

namespace rs = rowsmith;

namespace {

struct Steps {
  std::vector<float> values;
  std::vector<double> losses;
  bool operator==(const Steps&) const = default;
};
// The same value. \param gathers  noted when its backward function is called: how many have begun
rs::Variable<float> noted(const rs::Variable<float>& x, const std::size_t* begun, std::size_t* gathers) {
  auto y = x.tape().make(x.rows(), x.columns(), x.needs_gradient());
  y.mutable_value() = x.value();
  x.tape().on_backward(y, [x, y, begun, gathers] {
    x.adjoint() += y.adjoint();
    if (begun != nullptr)
      *gathers = *begun;
  });
  return y;
}
// Four steps of a network whose gradient is sent in three pieces; all weights but the first layer's learn.
// \param early  gathers that have begun when the backward pass of the last shard in the first step is at the
// first layer
Steps steps_of(rs::Workers workers, rs::Index rows, const std::size_t* begun = nullptr,
               std::size_t* early = nullptr) {
  rs::Sequential<rs::Dense<256>, rs::ReLU> below;
  rs::Sequential<rs::Dense<512>, rs::ReLU, rs::Dense<1>> net;
  rs::ParameterLayout layout;
  below.configure(6, layout, "below");
  net.configure(256, layout, "net");
  const auto first = static_cast<std::size_t>(layout.entries()[2].block.offset);
  auto values = layout.initialise<float>(1);
  std::vector<float> x(static_cast<std::size_t>(rows * 6));
  std::vector<float> y(static_cast<std::size_t>(rows));
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<float>(i * 37 % 101) / 101;
  for (std::size_t i = 0; i < y.size(); ++i)
    y[i] = x[6 * i] * x[6 * i + 1];
  rs::Optimiser<float> optimiser({.learning_rate = 1e-5}, layout.size() - static_cast<rs::Index>(first));
  rs::DataParallel<float> parallel(workers);
  rs::ShardGradients<float> of_shards(layout.size());
  Steps result;
  for (int step = 0; step < 4; ++step) {
    const auto [loss, gradient] = parallel.differentiate(
        rows, of_shards, first,
        [&](rs::Tape<float>& tape, float* gradients, rs::Index begin, rs::Index part) {
          const rs::BoundParameters<float> parameters(tape, values.data(), gradients);
          for (const auto& entry : layout.entries())
            parameters.declare(entry.block);
          const auto hidden = below.forward(parameters, tape.constant(x.data() + begin * 6, part, 6), {});
          return rs::squared_error(
              net.forward(parameters, noted(hidden, step == 0 ? begun : nullptr, early), {}),
              y.data() + begin, 1.0 / static_cast<double>(rows));
        });
    if (gradient.size() != values.size() - first)
      throw rs::Error("a gradient of another size"); // ends the program: Catch is for one thread
    optimiser.step(std::span<float>(values).subspan(first), gradient, 1, workers.threads);
    result.losses.push_back(loss);
  }
  result.values.assign(values.begin(), values.end());
  return result;
}

} // namespace

TEST_CASE("a team of any size takes the steps of one process, bit by bit", "[nn][threads]") {
  for (const rs::Index rows : {200, 700}) { // one shard, five
    CAPTURE(rows);
    const auto alone = steps_of(1, rows);
    CHECK(alone.losses.back() < alone.losses.front());
    for (const int members : {2, 3, 4}) {
      CAPTURE(members);
      std::vector<Steps> steps(static_cast<std::size_t>(members));
      std::vector<std::size_t> begun(steps.size());
      std::vector<std::size_t> early(steps.size());
      test::ThreadTeam::run(members, [&](const test::ThreadTeam& team) {
        const auto rank = static_cast<std::size_t>(team.rank());
        steps[rank] = steps_of(rs::Workers(team.rank() + 1, &team), rows, &team.begun, &early[rank]);
        begun[rank] = team.begun;
      });
      for (std::size_t m = 0; m < steps.size(); ++m) {
        CHECK(steps[m] == alone);
        CHECK(begun[m] == 4 * (3 + 1)); // the pieces, and the losses
      }
      CHECK(early[0] == 3); // all that learns is above the first layer
    }
  }
}

TEST_CASE("members of a team have parts that make up the whole", "[nn]") {
  for (const int members : {1, 2, 3, 7})
    for (const std::size_t things : {0U, 1U, 5U, 1000U, 1024U, 5000U})
      test::ThreadTeam::run(members, [&](const test::ThreadTeam& team) {
        const rs::Workers workers(1, &team);
        std::vector<std::uint32_t> numbers(2 * things);
        const auto own = workers.own_part(things, 256);
        for (std::size_t i = 2 * own.begin; i < 2 * own.end; ++i)
          numbers[i] = static_cast<std::uint32_t>(i + 1);
        workers.share_parts(numbers.data(), things, 2, 256);
        bool all = own.begin % 256 == 0 &&
                   own.size() <= (things / 256 / static_cast<std::size_t>(members) + 2) * 256;
        for (std::size_t i = 0; i < numbers.size(); ++i)
          all = all && numbers[i] == i + 1;
        if (!all)
          throw rs::Error("a part is missing"); // ends the program: Catch is for one thread
      });
  SUCCEED();
}
