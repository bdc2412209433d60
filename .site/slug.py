# SPDX-License-Identifier: MIT
"""Anchors of headings as code hosts make them, so that a link works on both."""
import re


def slugify(text, separator="-"):
    return re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", separator)
