// SPDX-License-Identifier: MIT
// Times a bare forward pass of one row's networks in RTNeural: noise 64-128-128-32 and decoder 32-128-256-108
// as one model of compile-time layers, random weights, nothing drawn and nothing decoded. Prints a line of
// JSON. compare_latency.py --rtneural compiles it with RTNeural's headers; the build of the benchmarks leaves
// it out, which has none.
//
// usage: rtneural_side CALLS
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include <RTNeural/RTNeural.h>

namespace {

template <int inputs, int outputs>
using Layer = RTNeural::DenseT<float, inputs, outputs>;
template <int size>
using ReLU = RTNeural::ReLuActivationT<float, size>;

using Model = RTNeural::ModelT<float, 64, 108,                                        //
                               Layer<64, 128>, ReLU<128>, Layer<128, 128>, ReLU<128>, //
                               Layer<128, 32>, RTNeural::TanhActivationT<float, 32>,  //
                               Layer<32, 128>, ReLU<128>, Layer<128, 256>, ReLU<256>, Layer<256, 108>>;

// Weights of the size that training begins with, so that no number on the way is subnormal or infinite.
template <int inputs, int outputs>
void draw_weights(Layer<inputs, outputs>& layer, std::mt19937& random) {
  std::normal_distribution<float> normal(0, std::sqrt(2.0F / static_cast<float>(inputs)));
  std::vector<std::vector<float>> weights(outputs, std::vector<float>(inputs));
  for (auto& row : weights)
    for (auto& weight : row)
      weight = normal(random);
  std::vector<float> bias(outputs);
  for (auto& value : bias)
    value = 0.1F * normal(random);
  layer.setWeights(weights);
  layer.setBias(bias.data());
}

// Too large for the stack.
Model model;
// Keeps what is computed from being left out.
volatile float sink = 0;

} // namespace

int main(int argc, char** argv) {
  const long calls = argc == 2 ? std::atol(argv[1]) : 0;
  if (calls < 1000) {
    std::cerr << "usage: rtneural_side CALLS (1000 or more)\n";
    return 2;
  }
  std::mt19937 random(1);
  draw_weights(model.get<0>(), random);
  draw_weights(model.get<2>(), random);
  draw_weights(model.get<4>(), random);
  draw_weights(model.get<6>(), random);
  draw_weights(model.get<8>(), random);
  draw_weights(model.get<10>(), random);
  model.reset();
  alignas(64) float noise[64];
  std::normal_distribution<float> normal;
  for (auto& value : noise)
    value = normal(random);

  using Clock = std::chrono::steady_clock;
  std::vector<float> microseconds(static_cast<std::size_t>(calls));
  for (int i = 0; i < 1000; ++i)
    sink = model.forward(noise);
  for (auto& time : microseconds) {
    noise[0] = -noise[0]; // the passes differ
    const auto start = Clock::now();
    sink = model.forward(noise);
    time = std::chrono::duration<float, std::micro>(Clock::now() - start).count();
  }
  for (int i = 0; i < 108; ++i)
    if (!std::isfinite(model.getOutputs()[i])) {
      std::cerr << "rtneural_side: output " << i << " is not finite\n";
      return 1;
    }
  std::sort(microseconds.begin(), microseconds.end());
  const auto at = [&](double share) {
    return microseconds[static_cast<std::size_t>(share * static_cast<double>(calls - 1))];
  };
  std::cout << "{\"what\":\"rtneural\",\"calls\":" << calls << ",\"p50_us\":" << at(0.5)
            << ",\"p99_us\":" << at(0.99) << ",\"p99.9_us\":" << at(0.999) << "}\n";
}
