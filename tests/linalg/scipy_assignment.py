#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Least total costs that linear_assignment.test.cpp expects, by SciPy's linear_sum_assignment.

Costs are whole numbers from a linear congruential generator (Numerical Recipes' constants), so that totals are exact.
"""
import numpy as np
from scipy.optimize import linear_sum_assignment


def costs(n, seed, below):
    state, values = seed, np.empty(n * n, dtype=np.int64)
    for i in range(n * n):
        state = (1664525 * state + 1013904223) % 2**32
        values[i] = (state >> 8) % below
    return values.reshape(n, n)


for n, seed, below in [(1, 1, 10), (2, 2, 10), (5, 3, 4), (16, 4, 100), (17, 5, 100), (100, 6, 1000), (512, 7, 10000),
                       (512, 8, 12)]:
    c = costs(n, seed, below)
    rows, columns = linear_sum_assignment(c)
    print("    {%d, %d, %d, %d}," % (n, seed, below, c[rows, columns].sum()))
