#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws measured figures as an SVG: a panel for each question, a row for each way, a dot and its interval.

usage: draw_figures.py FIGURES.json OUT.svg

FIGURES.json: {"columns": 3, "panels": [{"title": "recall at 1 % false alarms", "mark": 0.5,
                           "rows": [{"name": "SMOTE-NC", "value": 0.31, "low": 0.28, "high": 0.34, "ours": false}]}]}
`columns` (panels side by side; all), `mark` (a value that would be ideal, or chance), `low`, `high` and `ours` may be left out.
"""
import html
import json
import sys

WIDTH, NAMES, LINE, TOP, BOTTOM, GAP = 330, 150, 22, 34, 26, 18
OURS, OTHERS = "#c8553d", "#3b6fb6"


def panel(figure, x0, y0):
    rows = figure["rows"]
    values = [row[key] for row in rows for key in ("value", "low", "high") if key in row]
    values += [figure["mark"]] if "mark" in figure else []
    low, high = min(values), max(values)
    margin = 0.08 * (high - low) or 0.1
    low, high = low - margin, high + margin
    left, right, bottom = x0 + NAMES, x0 + WIDTH - 44, y0 + TOP + LINE * len(rows)

    def place(value):
        return left + (value - low) / (high - low) * (right - left)

    out = [f'<text x="{x0}" y="{y0 + 18}" class="title">{html.escape(figure["title"])}</text>']
    for k in range(4):
        value = low + margin + (high - low - 2 * margin) * k / 3
        out.append(f'<line x1="{place(value):.1f}" x2="{place(value):.1f}" y1="{y0 + TOP - 6}" y2="{bottom}" class="grid"/>')
        out.append(f'<text x="{place(value):.1f}" y="{bottom + 16}" text-anchor="middle">{value:.2f}</text>')
    if "mark" in figure:
        x = place(figure["mark"])
        out.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y0 + TOP - 6}" y2="{bottom}" class="mark"/>')
    for i, row in enumerate(rows):
        y, colour = y0 + TOP + LINE * (i + 0.5), OURS if row.get("ours") else OTHERS
        out.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{html.escape(row["name"])}</text>')
        if "low" in row:
            out.append(f'<line x1="{place(row["low"]):.1f}" x2="{place(row["high"]):.1f}" y1="{y:.1f}" y2="{y:.1f}" '
                       f'stroke="{colour}" stroke-width="2"/>')
        out.append(f'<circle cx="{place(row["value"]):.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>')
        out.append(f'<text x="{right + 8}" y="{y + 4:.1f}" style="fill:{colour}">{row["value"]:.3f}</text>')
    return out, bottom + BOTTOM


def draw(told, path):
    """Draws what a file of figures holds."""
    panels = told["panels"]
    columns = told.get("columns", len(panels))
    parts, height = [], 0
    for first in range(0, len(panels), columns):
        top = height
        for i, figure in enumerate(panels[first:first + columns]):
            drawn, bottom = panel(figure, i * (WIDTH + GAP) + 8, top)
            parts += drawn
            height = max(height, bottom)
    width = columns * (WIDTH + GAP) + 8
    style = ("text{font:12px sans-serif;fill:#333}.title{font-weight:bold}.grid{stroke:#ddd}"
             ".mark{stroke:#999;stroke-dasharray:4 3}")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
                   f'viewBox="0 0 {width} {height}"><style>{style}</style><rect width="{width}" height="{height}" '
                   f'fill="#fff"/>{"".join(parts)}</svg>\n')


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        draw(json.load(file), sys.argv[2])


if __name__ == "__main__":
    main()
