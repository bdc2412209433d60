#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Loads the example service on the loopback at a fixed rate for a bounded time, and prints a table.

  cmake --preset release && cmake --build --preset release --target service
  benchmarks/load_service.py --model MODEL

It starts the service on a free port, sends GET requests over connections that stay open, and stops it. A request's
time counts from the moment it was due, so that waiting behind a slow one counts, too. Standard library only; the
client itself takes a good part of a millisecond's tenth, which is in every figure.
"""
import argparse
import asyncio
import json
import pathlib
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


async def connection(port, target, first, step, end, latencies, failures):
    """Sends a request at `first`, `first` + `step`, ... until `end`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    due = first
    while due < end:
        wait = due - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        sent = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        await reader.readexactly(length)
        now = time.perf_counter()
        if not head.startswith(b"HTTP/1.1 200"):
            failures.append(head.split(b"\r\n")[0].decode())
        # The event loop's own lateness in waking up is the client's, not the service's.
        latencies.append((now - (sent if wait > 0 else due)) * 1e3)
        due += step
    writer.close()


async def load(port, options):
    latencies, failures = [], []
    begin = time.perf_counter() + 0.2
    step = options.connections / options.rate
    await asyncio.gather(*(
        connection(port, options.target, begin + i / options.rate, step, begin + options.seconds, latencies, failures)
        for i in range(options.connections)))
    return sorted(latencies), failures, time.perf_counter() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a model file")
    parser.add_argument("--service", default=str(ROOT / "build/release/bin/service"), help="the program")
    parser.add_argument("--target", default="/sample?n=1")
    parser.add_argument("--rate", type=float, default=2000, help="requests a second, at most 20000")
    parser.add_argument("--seconds", type=float, default=10, help="at most 60")
    parser.add_argument("--connections", type=int, default=8, help="at most 16")
    parser.add_argument("--json", help="also write the figures to this file")
    options = parser.parse_args()
    if not (0 < options.rate <= 20000 and 0 < options.seconds <= 60 and 0 < options.connections <= 16):
        parser.error("--rate, --seconds or --connections out of range")

    server = subprocess.Popen([options.service, options.model, "--port", "0", "--threads", "17"],
                              stdout=subprocess.PIPE, text=True)
    try:
        line = server.stdout.readline()
        if not line.startswith("listening"):
            sys.exit("load_service: the service did not start")
        port = int(line.rsplit(":", 1)[1])
        latencies, failures, seconds = asyncio.run(load(port, options))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=40)

    def at(share):
        return latencies[min(len(latencies) - 1, int(share * len(latencies)))]

    figures = {"target": options.target, "requests": len(latencies), "rate": len(latencies) / seconds,
               "failures": len(failures), "p50_ms": at(0.5), "p90_ms": at(0.9), "p99_ms": at(0.99),
               "p99.9_ms": at(0.999), "max_ms": latencies[-1]}
    mark = "stretch" if at(0.99) <= 0.5 else "pass" if at(0.99) <= 2 else "short"
    print("| figure | measured | target | stretch | |")
    print("|---|---|---|---|---|")
    print(f"| GET {options.target} at {figures['rate']:.0f} requests/s, p99, ms | {at(0.99):.3f} | ≤ 2 | ≤ 0.5 | {mark} |")
    print(f"| the same, p50 / p99.9 / max, ms | {at(0.5):.3f} / {at(0.999):.3f} / {latencies[-1]:.3f} | | | |")
    print(f"| failed requests of {len(latencies)} | {len(failures)} | 0 | 0 | {'stretch' if not failures else 'short'} |")
    for failure in sorted(set(failures)):
        print(failure, file=sys.stderr)
    if options.json:
        with open(options.json, "w") as out:
            out.write(json.dumps(figures) + "\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
