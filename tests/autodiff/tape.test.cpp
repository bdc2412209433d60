// SPDX-License-Identifier: MIT
#include <rowsmith/autodiff/tape.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <rowsmith/autodiff.hpp>

#include "../support/count_allocations.hpp"
#include "check_op.hpp"

namespace rs = rowsmith;
using Catch::Matchers::Contains;
using rs::Index;
using test::Doubles;

namespace {
// An operation of one's own: y = x³. Values forward; in the backward function dx += dy · dy/dx.
template <class Scalar>
rs::Variable<Scalar> cube(const rs::Variable<Scalar>& x) {
  auto y = x.tape().make(x.rows(), x.columns(), x.needs_gradient());
  y.mutable_value() = x.value().array().cube().matrix();
  x.tape().on_backward(
      y, [x, y] { x.adjoint().array() += 3 * x.value().array().square() * y.adjoint().array(); });
  return y;
}
} // namespace

TEST_CASE("an operation of one's own takes a few lines", "[autodiff]") {
  const auto op = [](test::DoubleTape&, const auto& v) { return cube(v[0]); };
  test::check_op({test::random_matrix(3, 4, 1)}, op);
  test::check_op({test::random_matrix(0, 4, 1)}, op);
}

TEST_CASE("an element-wise operation of one's own takes one expression", "[autodiff]") {
  const auto sine = [](test::DoubleTape&, const auto& v) {
    return rs::map_elements(
        v[0], [](double x) { return std::sin(x); }, [](double x, double) { return std::cos(x); });
  };
  test::check_op({test::random_matrix(3, 4, 1)}, sine);
}

TEST_CASE("a value used twice accumulates its adjoint", "[autodiff]") {
  Doubles x = Doubles::Constant(1, 1, 3.0);
  Doubles dx(1, 1);
  rs::Tape<double> tape;
  const auto v = tape.parameter(x.data(), dx.data(), 1, 1);
  const auto y = rs::square(v);                              // 9
  tape.backward(rs::add(rs::multiply(y, v), rs::add(y, y))); // x³ + 2x²
  CHECK(dx(0, 0) == 3 * 9.0 + 4 * 3.0);
}

TEST_CASE("a long chain of shared values takes linear time and no recursion", "[autodiff]") {
  Doubles x = Doubles::Constant(1, 1, 1.0);
  Doubles dx(1, 1);
  rs::Tape<double> tape;
  auto v = tape.parameter(x.data(), dx.data(), 1, 1);
  for (int i = 0; i < 1000; ++i)
    v = rs::add(v, v);
  for (int i = 0; i < 1000; ++i)
    v = rs::affine(v, 0.5);
  for (int i = 0; i < 20000; ++i)
    v = rs::affine(v, 1.0, 1.0);
  tape.backward(v);
  CHECK(dx(0, 0) == 1.0);
}

TEST_CASE("constants get no adjoint and record nothing", "[autodiff]") {
  const Doubles x = test::random_matrix(4, 3, 1);
  Doubles w = test::random_matrix(3, 2, 2);
  Doubles dw(3, 2);
  rs::Tape<double> tape;
  const auto c = tape.constant(x.data(), 4, 3);
  CHECK(rs::square(c).needs_gradient() == false);
  CHECK(tape.entries() == 0);
  const auto v = tape.parameter(w.data(), dw.data(), 3, 2);
  tape.backward(rs::sum(rs::matmul(c, v)));
  CHECK_FALSE(c.has_adjoint());
  CHECK(dw.isApprox(x.transpose() * Doubles::Ones(4, 2)));
}

TEST_CASE("constants are viewed or copied, as asked", "[autodiff]") {
  Doubles x = test::random_matrix(2, 2, 1);
  rs::Tape<double> tape;
  CHECK(tape.constant(x.data(), 2, 2).data() == x.data());
  const auto copy = tape.constant(x);
  const Doubles before = x;
  x.setZero();
  CHECK(copy.value() == before);
}

TEST_CASE("a parameter the loss does not depend on gets gradient zero, others are written, not added to",
          "[autodiff]") {
  Doubles used = Doubles::Ones(2, 2);
  Doubles unused = Doubles::Ones(3, 1);
  Doubles d_used = Doubles::Constant(2, 2, 100.0);
  Doubles d_unused = Doubles::Constant(3, 1, 100.0);
  rs::Tape<double> tape;
  for (int step = 0; step < 3; ++step) {
    tape.rewind();
    const auto v = tape.parameter(used.data(), d_used.data(), 2, 2);
    tape.parameter(unused.data(), d_unused.data(), 3, 1);
    tape.backward(rs::sum(v));
    CHECK(d_used == Doubles::Ones(2, 2));
    CHECK(d_unused == Doubles::Zero(3, 1));
  }
  tape.rewind(); // the loss may be a parameter, or depend on none
  Doubles one(1, 1);
  Doubles d_one = Doubles::Constant(1, 1, 5.0);
  one(0, 0) = 2;
  tape.backward(tape.parameter(one.data(), d_one.data(), 1, 1));
  CHECK(d_one(0, 0) == 1);
  tape.rewind();
  tape.parameter(used.data(), d_used.data(), 2, 2);
  tape.backward(tape.constant(one));
  CHECK(d_used == Doubles::Zero(2, 2));
}

TEST_CASE("a parameter registered twice is one; with another shape or gradient it is refused", "[autodiff]") {
  Doubles x = Doubles::Constant(2, 3, 2.0);
  Doubles dx(2, 3);
  rs::Tape<double> tape;
  const auto a = tape.parameter(x.data(), dx.data(), 2, 3);
  const auto b = tape.parameter(x.data(), dx.data(), 2, 3);
  tape.backward(rs::sum(rs::multiply(a, b)));
  CHECK(dx == Doubles::Constant(2, 3, 4.0));
  tape.rewind();
  tape.parameter(x.data(), dx.data(), 2, 3);
  CHECK_THROWS_MATCHES(tape.parameter(x.data(), dx.data(), 3, 2), rs::ShapeError,
                       Catch::Matchers::Predicate<rs::ShapeError>([](const rs::ShapeError& error) {
                         const std::string text = error.what();
                         return text.find("2 x 3") != std::string::npos &&
                                text.find("3 x 2") != std::string::npos;
                       }));
  Doubles other(2, 3);
  CHECK_THROWS_WITH(tape.parameter(x.data(), other.data(), 2, 3), Contains("gradient"));
  CHECK_THROWS_WITH(tape.parameter(other.data(), nullptr, 2, 3), Contains("gradient"));
}

TEST_CASE("empty parameters are told apart although they have no address", "[autodiff]") {
  rs::Tape<double> tape;
  const auto a = tape.parameter(nullptr, nullptr, 0, 3);
  const auto b = tape.parameter(nullptr, nullptr, 2, 0);
  CHECK(a.columns() == 3);
  CHECK(b.rows() == 2);
  tape.backward(rs::add(rs::sum(a), rs::sum(b)));
}

TEST_CASE("use after rewind throws from every accessor", "[autodiff]") {
  Doubles x = Doubles::Ones(1, 1);
  Doubles dx(1, 1);
  rs::Tape<double> tape;
  const auto stale = tape.parameter(x.data(), dx.data(), 1, 1);
  tape.rewind();
  const auto fresh = tape.parameter(x.data(), dx.data(), 1, 1);
  CHECK_THROWS_WITH(stale.rows(), Contains("rewound"));
  CHECK_THROWS_AS(stale.columns(), rs::Error);
  CHECK_THROWS_AS(stale.size(), rs::Error);
  CHECK_THROWS_AS(stale.needs_gradient(), rs::Error);
  CHECK_THROWS_AS(stale.value(), rs::Error);
  CHECK_THROWS_AS(stale.data(), rs::Error);
  CHECK_THROWS_AS(stale.item(), rs::Error);
  CHECK_THROWS_AS(stale.adjoint(), rs::Error);
  CHECK_THROWS_AS(stale.has_adjoint(), rs::Error);
  CHECK_THROWS_AS(rs::square(stale), rs::Error);
  CHECK_THROWS_AS(rs::add(fresh, stale), rs::Error);
  CHECK_THROWS_AS(tape.backward(stale), rs::Error);
}

TEST_CASE("backward wants a scalar of its own tape, once", "[autodiff]") {
  Doubles x = Doubles::Ones(2, 3);
  Doubles dx(2, 3);
  rs::Tape<double> tape;
  const auto v = tape.parameter(x.data(), dx.data(), 2, 3);
  CHECK_THROWS_AS(tape.backward(v), rs::ShapeError);
  CHECK_THROWS_WITH(tape.backward(v), Contains("2 x 3") && Contains("1 x 1"));
  CHECK_THROWS_WITH(v.item(), Contains("2 x 3") && Contains("1 x 1"));
  rs::Tape<double> other;
  CHECK_THROWS_WITH(other.backward(rs::sum(v)), Contains("another tape"));
  tape.backward(rs::sum(v));
  CHECK_THROWS_WITH(tape.backward(rs::sum(v)), Contains("twice"));
  CHECK_THROWS_AS(tape.make(-1, 2, false), rs::ShapeError);
}

TEST_CASE("operands on two tapes are refused by every operation that takes several", "[autodiff]") {
  // The gradient of the one on the other tape would be lost.
  rs::Tape<double> here;
  rs::Tape<double> there;
  const auto square = test::random_matrix(2, 2, 1);
  const auto row = test::random_matrix(1, 2, 2);
  Doubles gradient(2, 2);
  const auto a = here.constant(square);
  const auto b = there.parameter(square.data(), gradient.data(), 2, 2);
  const auto bias = here.constant(row);
  const auto far_bias = there.constant(row);
  const std::vector<std::int32_t> codes{0, 1};
  const rs::MixedRows<double> rows{.rows = 2, .code_columns = 1, .codes = codes.data()};
  const auto refused = [](const char* operation, const auto& call) {
    INFO(operation);
    CHECK_THROWS_WITH(call(), Contains(std::string(operation) + ": ") && Contains("tape"));
  };
  refused("add", [&] { rs::add(a, b); });
  refused("subtract", [&] { rs::subtract(a, b); });
  refused("multiply", [&] { rs::multiply(a, b); });
  refused("matmul", [&] { rs::matmul(a, b); });
  refused("matmul_transposed", [&] { rs::matmul_transposed(a, b); });
  refused("dense", [&] { rs::dense(a, b, bias); });
  refused("dense", [&] { rs::dense(a, a, far_bias); });
  refused("gate", [&] { rs::gate(a, b, {}); });
  refused("gather_dense", [&] { rs::gather_dense(rows, b, bias); });
  refused("layer_norm", [&] { rs::layer_norm(a, far_bias, bias); });
  refused("layer_norm", [&] { rs::layer_norm(a, bias, far_bias); });
  refused("concatenate_columns", [&] { rs::concatenate_columns(a, b); });
  const std::vector<Index> prefix{0, 2};
  const std::vector<std::int32_t> zero{0};
  const std::vector<double> weights{1};
  const std::vector<rs::AutoregressivePosition> positions(1);
  const rs::AutoregressiveShape shape{.columns = 1,
                                      .width = 2,
                                      .latent = 2,
                                      .prefix = prefix.data(),
                                      .order = zero.data(),
                                      .shift = zero.data(),
                                      .weights = weights.data(),
                                      .positions = positions.data()};
  const auto none = here.constant(Doubles(0, 2));
  const auto no_pairs = here.constant(Doubles(1, 0));
  const rs::AutoregressiveWeights<test::DoubleVariable> parts{a,    none, bias, a,        bias, a,
                                                              bias, a,    bias, no_pairs, none, no_pairs};
  CHECK_NOTHROW(rs::autoregressive_loss(a, parts, shape, rows, 1));
  for (auto part : {&decltype(parts)::embedding, &decltype(parts)::latent_weight,
                    &decltype(parts)::hidden_weight, &decltype(parts)::output_weight})
    refused("autoregressive_loss", [&] {
      auto mixed = parts;
      mixed.*part = b;
      rs::autoregressive_loss(a, mixed, shape, rows, 1);
    });
  refused("autoregressive_loss", [&] { rs::autoregressive_loss(b, parts, shape, rows, 1); });
  CHECK_NOTHROW(rs::add(a, a));
}

TEST_CASE("the adjoint of a value nothing flows to is zero", "[autodiff]") {
  rs::Tape<double> tape;
  test::poison(tape);
  Doubles x = Doubles::Ones(2, 2);
  Doubles dx(2, 2);
  const auto v = tape.parameter(x.data(), dx.data(), 2, 2);
  const auto unused = rs::square(v);
  tape.backward(rs::sum(v));
  CHECK_FALSE(unused.has_adjoint());
  CHECK(unused.adjoint() == Doubles::Zero(2, 2));
}

TEST_CASE("training steps allocate nothing after the first", "[autodiff]") {
  // One step that goes through every kind of operation, at the sizes of a small model.
  constexpr Index rows = 70;
  using Floats = rs::Matrix<float>;
  std::vector<float> weights(20000);
  std::vector<float> gradients(weights.size());
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  for (float& w : weights)
    w = 0.2F * random.uniform_float() - 0.1F;
  std::vector<std::int32_t> codes(2 * rows);
  std::vector<float> numbers(rows);
  for (std::size_t r = 0; r < rows; ++r) {
    codes[2 * r] = static_cast<std::int32_t>(r % 5);
    codes[2 * r + 1] = static_cast<std::int32_t>(5 + r % 3);
    numbers[r] = random.uniform_float();
  }
  const std::int32_t number_weights[] = {8};
  const rs::Head heads[] = {{true, 0, 5}, {true, 5, 3}, {false, 8, 1}};
  const rs::MixedRows<float> mixed{rows, 2, 1, codes.data(), numbers.data(), number_weights};
  const Floats fixed = Floats::Random(rows, 300);

  rs::Tape<float> tape;
  float last = 0;
  const auto step = [&](std::uint32_t number) {
    tape.rewind();
    std::size_t used = 0;
    const auto parameter = [&](Index r, Index c) {
      const auto v = tape.parameter(weights.data() + used, gradients.data() + used, r, c);
      used += static_cast<std::size_t>(r * c);
      return v;
    };
    const rs::RandomStream stream(1, rs::Purpose::dropout, number);
    auto h = rs::gather_dense(mixed, parameter(9, 32), parameter(1, 32), {rs::ActivationKind::relu});
    h = rs::layer_norm(h, parameter(1, 32), parameter(1, 32));
    h = rs::dropout(h, 0.2, stream);
    const auto code = rs::dense(h, parameter(32, 12), parameter(1, 12));
    auto z = rs::reparameterise(code, stream);
    z = rs::concatenate_columns(z, rs::matmul(tape.constant(fixed.data(), rows, 300), parameter(300, 4)));
    h = rs::dense(z, parameter(10, 32), parameter(1, 32), {rs::ActivationKind::tanh});
    const auto out = rs::dense(h, parameter(32, 9), parameter(1, 9));
    auto loss = rs::heads_loss(out, heads, 3, mixed, 1.0 / rows);
    loss = rs::add(loss, rs::gaussian_kl(code, 0.1 / rows));
    loss = rs::add(loss, rs::mean(rs::softplus(rs::slice_columns(rs::detach(h), 2, 5))));
    loss = rs::add(loss, rs::bce_with_logits(rs::row_sum(h), 1, 1.0 / rows));
    tape.backward(loss);
    last = loss.item();
  };
  step(0);
  const std::size_t capacity = tape.capacity();
  const long before = allocation::count;
  for (std::uint32_t number = 1; number < 5; ++number)
    step(number);
  const long allocated = allocation::count - before;
  CHECK(allocated == 0);
  CHECK(tape.capacity() == capacity);
  CHECK(std::isfinite(last));
  { // the counter counts
    const long start = allocation::count;
    rs::Tape<float> another;
    another.make(1, 1, false);
    CHECK(allocation::count > start);
  }
}

TEST_CASE("a backward pass tells which gradients are final while it goes on", "[autodiff]") {
  rs::Tape<double> tape;
  // Four weights in a row: one used twice, one never, one used first, one used last.
  std::vector<double> weights{0.5, 2, 3, 5};
  std::vector<double> gradients(4, 99);
  // An empty one where the third is says nothing of that.
  tape.declare_parameter(weights.data() + 2, gradients.data() + 2, 1, 0);
  for (std::size_t i = 0; i < 4; ++i)
    tape.declare_parameter(weights.data() + i, gradients.data() + i, 1, 1);
  const auto weight = [&](std::size_t i) {
    return tape.parameter(weights.data() + i, gradients.data() + i, 1, 1);
  };
  auto x = rs::multiply(weight(0), weight(2));
  x = cube(x);
  x = rs::multiply(x, weight(0));
  x = rs::multiply(x, weight(3));
  // x = 0.5⁴ · 3³ · 5; what is told must be so already.
  std::vector<std::size_t> told;
  tape.backward(x, [&](const double* from) {
    const auto first = static_cast<std::size_t>(from - gradients.data());
    told.push_back(first);
    const std::vector<double> expected{4 * 0.125 * 27 * 5, 0, 0.0625 * 27 * 5, 0.0625 * 27};
    for (std::size_t i = first; i < 4; ++i)
      CHECK(gradients[i] == Approx(expected[i]));
  });
  CHECK(told == std::vector<std::size_t>{3, 0}); // the third ends with the first, in the first operation
}
