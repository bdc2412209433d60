#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs a PyTorch script on a good BLAS, and tells how fast its matrix products are. Used by compare_torch.py and
compare_latency.py; alone, it prints that rate.

Debian's default BLAS makes PyTorch's products run at a twentieth of the machine's speed, which makes any ratio against it
worthless. The package libopenblas0-pthread holds a fast one, which is chosen here for the child process alone, by
LD_LIBRARY_PATH.
"""
import glob
import json
import os
import subprocess
import sys

# A PyTorch whose products are slower than this share of ours is no reference.
HEALTHY = 0.5

# 1024 x 1024 x 1024, float, one thread; the best of several, so that a busy machine does not slow the reference only.
PRODUCT = """
import json, time, torch
torch.set_num_threads(1)
a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
c = a @ b
best = 1e9
for _ in range(20):
    start = time.perf_counter(); torch.mm(a, b, out=c); best = min(best, time.perf_counter() - start)
print(json.dumps({"gflops": 2 * 1024 ** 3 / best / 1e9, "torch": torch.__version__}))
"""


def add_options(parser, required=True):
    parser.add_argument("--baseline", required=required, help="the PyTorch script")
    parser.add_argument("--python", default="/usr/bin/python3", help="the Python that has PyTorch")
    parser.add_argument("--blas", help="folder of the BLAS that PyTorch is to use; default: Debian's openblas-pthread if it is "
                        "installed, otherwise the system's")


def environment(blas=None):
    """Of the PyTorch process: the BLAS of folder `blas` first, no kernel imposed on it, and one thread: OpenBLAS has
    threads of its own, which torch.set_num_threads does not count and which slow small products down."""
    folders = [blas] if blas else sorted(glob.glob("/usr/lib/*/openblas-pthread"))
    result = dict(os.environ)
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        result.pop(name, None)
    result["OPENBLAS_NUM_THREADS"] = "1"
    result["LD_LIBRARY_PATH"] = ":".join(folders + [p for p in [os.environ.get("LD_LIBRARY_PATH")] if p])
    return result


def lines_of(command, env=None):
    """What a program prints as lines of JSON."""
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=env)
    return [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]


def product_rate(python, blas=None):
    """GFLOP/s of PyTorch's products on one thread, and its version."""
    line = lines_of([python, "-c", PRODUCT], environment(blas))[-1]
    return line["gflops"], line["torch"]


def require_healthy(program, theirs, ours):
    """Prints both sides' product rate; ends the program where PyTorch's makes a comparison worthless."""
    print(f"matrix products on one thread: ours {ours:.1f} GFLOP/s, PyTorch {theirs:.1f} GFLOP/s\n")
    if theirs < HEALTHY * ours:
        sys.exit(f"{program}: no ratios: PyTorch's products run at {theirs:.1f} GFLOP/s, below half of ours ({ours:.1f}). "
                 "Give it a good BLAS: apt install libopenblas0-pthread, or --blas FOLDER")


if __name__ == "__main__":
    print(json.dumps(dict(zip(("gflops", "torch"), product_rate("/usr/bin/python3", *sys.argv[1:2])))))
