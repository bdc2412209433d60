#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws the learning curves of a run of `adult --json FILE` as an SVG: losses of training and validation rows by epoch.

usage: draw_curves.py FILE.json OUT.svg
"""
import json
import sys

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 340, 230, 46, 34, 34
COLOURS = {"loss": "#3b6fb6", "validation": "#c8553d", "discriminator": "#6b6b6b", "generator": "#2f8f5b"}
TITLES = {"autoencoder": "1. Autoencoder: nats a row", "gan": "2. GAN: hinge losses", "refit": "3. Refit: nats a row"}


def panel(stage, points, x0):
    names = [name for name in points[0] if name not in ("stage", "epoch")]
    values = [point[name] for point in points for name in names]
    low, high = min(values), sorted(values)[int(0.97 * (len(values) - 1))]
    high = high if high > low else low + 1
    last = max(point["epoch"] for point in points)

    def place(epoch, value):
        x = x0 + LEFT + (epoch - 1) / max(last - 1, 1) * (WIDTH - LEFT - 14)
        y = TOP + (1 - (min(value, high) - low) / (high - low)) * (HEIGHT - TOP - BOTTOM)
        return f"{x:.1f},{y:.1f}"

    out = [f'<text x="{x0 + LEFT}" y="18" class="title">{TITLES.get(stage, stage)}</text>']
    for k in range(4):
        value = low + (high - low) * k / 3
        y = TOP + (1 - k / 3) * (HEIGHT - TOP - BOTTOM)
        out.append(f'<line x1="{x0 + LEFT}" x2="{x0 + WIDTH - 14}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>')
        out.append(f'<text x="{x0 + LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{round(value, 2) + 0:.2f}</text>')
    for i, name in enumerate(names):
        line = " ".join(place(point["epoch"], point[name]) for point in points)
        out.append(f'<polyline points="{line}" fill="none" stroke="{COLOURS.get(name, "#888")}" stroke-width="2"/>')
        out.append(f'<text x="{x0 + LEFT + 8 + 92 * i}" y="{HEIGHT - 2}" style="fill:{COLOURS.get(name, "#888")}">'
                   f'{name}</text>')
    out.append(f'<text x="{x0 + WIDTH - 14}" y="{HEIGHT - BOTTOM + 14}" text-anchor="end">epoch {last}</text>')
    return out


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        points = json.load(file)["runs"][0]["curves"]
    points = [point for point in points if len(point) > 2]  # trees have no losses
    stages = list(dict.fromkeys(point["stage"] for point in points))
    body = []
    for i, stage in enumerate(stages):
        body += panel(stage, [point for point in points if point["stage"] == stage], i * WIDTH)
    width = WIDTH * len(stages)
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT + 6}" width="{width}" '
                   f'height="{HEIGHT + 6}" font-family="sans-serif" font-size="11">\n'
                   "<style>text{fill:#555}.title{font-size:13px;font-weight:bold}.grid{stroke:#8884;stroke-width:1}"
                   "</style>\n" + "\n".join(body) + "\n</svg>\n")


main()
