// expect: a layer of a Generator or an Autoencoder needs an inference form
// SPDX-License-Identifier: MIT
#include <cstdint>
#include <string>

#include <rowsmith/autodiff/ops/elementwise.hpp>
#include <rowsmith/models/gan.hpp>

namespace rs = rowsmith;

struct SquareLayer {
  rs::Index configure(rs::Index inputs, rs::ParameterLayout&, const std::string&) { return inputs; }
  template <class Scalar>
  rs::Variable<Scalar> forward(const rs::BoundParameters<Scalar>&, const rs::Variable<Scalar>& x,
                               const rs::Pass&, std::uint32_t) const {
    return rs::square(x);
  }
};

#if ROWSMITH_MUST_FAIL
using Layer = SquareLayer;
#else
using Layer = rs::LayerNorm;
#endif

const rs::Generator<rs::Noise<8>, rs::Dense<16>, Layer, rs::Dense<4>, rs::Tanh> generator;
// A discriminator is never saved: there it may stand.
const rs::Discriminator<rs::Dense<16>, SquareLayer, rs::Dense<1>> discriminator(4);
