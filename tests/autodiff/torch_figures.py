#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes torch_figures.hpp: inputs, losses and gradients as PyTorch computes them, in double precision.

Run by hand where PyTorch is installed (Debian: python3-torch); the header is committed, so that the tests need
neither. Every input is a float, so that float and double can be tested with the same figures.

usage: torch_figures.py > torch_figures.hpp
"""
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.manual_seed(7)
lines = []


def leaf(*shape, scale=1.0):
    x = (scale * torch.randn(*shape)).float().double()
    return x.requires_grad_()


def array(name, values):
    flat = values.detach().reshape(-1).tolist()
    lines.append(f"inline constexpr double {name}[] = {{{', '.join(repr(v) for v in flat)}}};")


def section(name):
    lines.append(f"\nnamespace {name} {{")


def end(name):
    lines.append(f"}} // namespace {name}")


def step(loss, **leaves):
    """Writes the leaves, the loss and the gradient of each leaf."""
    for x in leaves.values():
        x.grad = None
    loss.backward()
    for name, x in leaves.items():
        array(name, x)
    array("loss", loss)
    for name, x in leaves.items():
        array("d_" + name, x.grad)


activations = {
    "identity": lambda x: x,
    "relu": torch.relu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
}

# Two dense layers (5 x 4 -> 3 -> 2) and the mean of squared errors.
target = leaf(5, 2).detach()
for name, f in activations.items():
    section("dense_" + name)
    x, w1, b1, w2, b2 = leaf(5, 4), leaf(4, 3), leaf(1, 3), leaf(3, 2), leaf(1, 2)
    y = f(f(x @ w1 + b1) @ w2 + b2)
    array("target", target)
    step(F.mse_loss(y, target), x=x, w1=w1, b1=b1, w2=w2, b2=b2)
    end("dense_" + name)

section("bce")  # 6 logits, target 0.9
logits = leaf(6, 1, scale=4)
step(F.binary_cross_entropy_with_logits(logits, torch.full((6, 1), 0.9)), logits=logits)
end("bce")

section("cross_entropy")  # 5 x 4, codes 3 0 2 2 1
logits = leaf(5, 4, scale=3)
step(F.cross_entropy(logits, torch.tensor([3, 0, 2, 2, 1])), logits=logits)
end("cross_entropy")


def heads(output, first, second, number):
    """Columns [3 logits | number | 4 logits], summed over the rows; NaN numbers are missing."""
    known = ~torch.isnan(number)
    return (
        F.cross_entropy(output[:, 0:3], first, reduction="sum")
        + F.cross_entropy(output[:, 4:8], second, reduction="sum")
        + ((output[:, 3] - number)[known] ** 2).sum()
    )


nan = float("nan")
first = torch.tensor([0, 2, 1, 1, 0, 2])
second = torch.tensor([3, 3, 0, 1, 2, 0])
number = torch.tensor([0.5, nan, -1.25, 2.0, 0.0, nan])

section("mixed_heads")  # 6 x 8
output = leaf(6, 8, scale=2)
step(heads(output, first, second, number) / 6, output=output)
end("mixed_heads")

section("layer_norm")  # 4 x 6
x, gain, bias = leaf(4, 6, scale=3), leaf(1, 6), leaf(1, 6)
coefficients = leaf(4, 6).detach()
array("coefficients", coefficients)
y = F.layer_norm(x, (6,), gain[0], bias[0], 1e-5)
step((coefficients * y).sum(), x=x, gain=gain, bias=bias)
end("layer_norm")


def gaussian_kl(p):
    n = p.shape[1] // 2
    q = torch.distributions.Normal(p[:, :n], torch.exp(p[:, n:] / 2))
    return torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum()


section("kl")  # 3 x 4
parameters = leaf(3, 4)
step(0.7 * gaussian_kl(parameters), parameters=parameters)
end("kl")

# A variational autoencoder of the mixed rows: one-hot rows 8 -> 6 relu, layer norm, latent 2, 6 tanh -> 8.
section("autoencoder")
one_hot = torch.cat(
    [F.one_hot(first, 3).double(), torch.nan_to_num(number)[:, None], F.one_hot(second, 4).double()], 1
)
noise = leaf(6, 2).detach()
array("noise", noise)
w1, b1, gain, bias = leaf(8, 6), leaf(1, 6), leaf(1, 6), leaf(1, 6)
w2, b2 = leaf(6, 4, scale=0.5), leaf(1, 4, scale=0.5)
w3, b3, w4, b4 = leaf(2, 6), leaf(1, 6), leaf(6, 8), leaf(1, 8)
hidden = F.layer_norm(torch.relu(one_hot @ w1 + b1), (6,), gain[0], bias[0], 1e-5)
code = hidden @ w2 + b2
z = code[:, :2] + torch.exp(code[:, 2:] / 2) * noise
output = torch.tanh(z @ w3 + b3) @ w4 + b4
loss = heads(output, first, second, number) / 6 + 0.1 * gaussian_kl(code) / 6
step(loss, w1=w1, b1=b1, gain=gain, bias=bias, w2=w2, b2=b2, w3=w3, b3=b3, w4=w4, b4=b4)
end("autoencoder")

# A discriminator 3 -> 5 leaky relu -> 1 on five real rows and five that a generator 2 -> 3 tanh made.
section("discriminator")
real, latent = leaf(5, 3).detach(), leaf(5, 2).detach()
array("real", real)
array("latent", latent)
g, h = leaf(2, 3), leaf(1, 3)
w1, b1, w2, b2 = leaf(3, 5), leaf(1, 5), leaf(5, 1), leaf(1, 1)
fake = torch.tanh(latent @ g + h)


def discriminate(x):
    return F.leaky_relu(x @ w1 + b1, 0.2) @ w2 + b2


loss = F.binary_cross_entropy_with_logits(
    discriminate(real), torch.ones(5, 1)
) + F.binary_cross_entropy_with_logits(discriminate(fake.detach()), torch.zeros(5, 1))
step(loss, w1=w1, b1=b1, w2=w2, b2=b2)
# The generator's step against the same discriminator.
loss = F.binary_cross_entropy_with_logits(discriminate(fake), torch.ones(5, 1))
g.grad = h.grad = None
loss.backward()
array("g", g)
array("h", h)
array("generator_loss", loss)
array("d_g", g.grad)
array("d_h", h.grad)
end("discriminator")

# x after each of 20 steps (20 x 5) on the sum of cosh(x_i - i / 2).
section("optimisers")
start = leaf(5, scale=2).detach()
array("start", start)
for name, kind, options in [
    ("adam", torch.optim.Adam, {}),
    ("adamw", torch.optim.AdamW, {"weight_decay": 0.1}),
]:
    x = start.clone().requires_grad_()
    optimiser = kind([x], lr=0.05, betas=(0.9, 0.999), eps=1e-8, **options)
    path = []
    for _ in range(20):
        optimiser.zero_grad()
        torch.cosh(x - torch.arange(5) / 2).sum().backward()
        optimiser.step()
        path.append(x.detach().clone())
    array(name, torch.stack(path))
end("optimisers")

print("// SPDX-License-Identifier: MIT")
print("// Written by torch_figures.py with PyTorch; matrices are row-major. Do not edit.")
print("#pragma once\n")
print("// clang-format off")
print("namespace torch_figures {")
print("\n".join(lines))
print("\n} // namespace torch_figures")
