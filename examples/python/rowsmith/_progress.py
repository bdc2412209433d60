# SPDX-License-Identifier: MIT
"""What a long-running call tells while it works."""
import dataclasses
import math
import sys
import time
from typing import Dict


@dataclasses.dataclass(frozen=True)
class Progress:
    """One report of a fit or an evaluation."""
    stage: str
    stage_number: int
    stages: int
    epoch: int
    epochs: int
    values: Dict[str, float]  # losses and other figures
    rows_per_second: float  # 0: not known
    seconds: float  # since the stage began
    seconds_left: float  # NaN: not known
    stage_done: bool


def in_notebook():
    kernel = sys.modules.get("IPython")
    shell = kernel.get_ipython() if kernel is not None else None
    return shell is not None and type(shell).__name__ == "ZMQInteractiveShell"


class ProgressLine:
    """A line for each stage on the standard error: redrawn in place in a terminal and in a notebook, elsewhere written
    when the stage is done."""

    def __init__(self, out=None):
        self.out = sys.stderr if out is None else out
        self.live = in_notebook() or bool(getattr(self.out, "isatty", lambda: False)())
        self.width = 0
        self.drawn = 0.0

    def __call__(self, told):
        now = time.monotonic()
        if not told.stage_done and (not self.live or now - self.drawn < 0.1):
            return
        self.drawn = now
        text = f"[{told.stage_number}/{told.stages}] {told.stage} {told.epoch}/{told.epochs}"
        for name, value in told.values.items():
            text += f"  {name} {value:.4g}"
        if told.stage_done:
            text += f"  done in {told.seconds:.1f} s"
        elif not math.isnan(told.seconds_left):
            text += f"  {told.seconds_left:.0f} s left"
        if self.live:
            self.out.write("\r" + text.ljust(self.width) + ("\n" if told.stage_done else ""))
            self.width = 0 if told.stage_done else len(text)
        else:
            self.out.write(text + "\n")
        self.out.flush()

    def close(self):
        """Ends a line that is still open, as after Ctrl-C."""
        if self.width:
            self.out.write("\n")
            self.width = 0


class Listening:
    """`progress` of a call as the native side takes it. None: a line where somebody looks, a terminal or a notebook."""

    def __init__(self, progress):
        self.line = None
        if progress is None:
            line = ProgressLine()
            progress = line if line.live else False
        elif progress is True:
            progress = ProgressLine()
        if progress is not False and not callable(progress):
            raise ValueError(f"progress: {progress!r}, expected None, True, False or a function of a Progress")
        if isinstance(progress, ProgressLine):
            self.line = progress
        self.listener = None if progress is False else lambda told: progress(Progress(**told))

    def __enter__(self):
        return self.listener

    def __exit__(self, *_):
        if self.line is not None:
            self.line.close()
