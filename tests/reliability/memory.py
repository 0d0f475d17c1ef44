#!/usr/bin/env python3
"""Proves that memory does not grow with the windows trained.

A run's windows are cut into 12 spans. The slope is that of the line, by least squares, through the most resident memory
seen in each, as it is less for a moment between two series. The first span is left out, which warms up, and so is the
last epoch, which has no next series to prepare.
"""

import pathlib
import subprocess
import sys
import time

from harness import Bench, Proof, main, require

SPANS = 12
SLOPE = 1.0  # KB per 10,000 windows
WARM_UP_SLOPE = 5.0  # likewise, of seconds, in which 0.5 was measured and which soon flatten
SHORT_SLOPE = 50.0  # likewise, of a run too short for the pages that come and go: 5 bytes a window


def resident_kilobytes(process: subprocess.Popen[str]) -> int:
    """0 if the process has ended."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")), 0)


def last_row(metrics: pathlib.Path) -> tuple[int, int]:
    """The epoch and the window that the run has come to."""
    lines = metrics.read_text().splitlines() if metrics.exists() else []
    if len(lines) < 2:
        return 0, 0
    epoch, window = lines[-1].split(",")[:2]
    return int(epoch), int(window)


def slope(points: list[tuple[int, int]]) -> float:
    """Of the line through these points, by least squares."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)


def measured(bench: Bench, engine: str, epochs: int, windows_per_epoch: int) -> float:
    """Kilobytes per 10,000 windows."""
    run = bench.folder("memory")
    process = bench.start(
        f"--engine={engine}",
        f"--epochs={epochs}",
        f"--series-length={30 * windows_per_epoch}",
        f"--log-every={windows_per_epoch // 10}",
        f"--checkpoint-every={windows_per_epoch // 5}",
        f"--out={run}",
    )
    most: dict[int, int] = {}  # of each span
    while process.poll() is None:
        epoch, window = last_row(run / "metrics.csv")
        span = ((epoch - 1) * windows_per_epoch + window) * SPANS // (epochs * windows_per_epoch)
        if span > 0 and epoch < epochs:
            most[span] = max(most.get(span, 0), resident_kilobytes(process))
        time.sleep(0.01)
    require(process.returncode == 0, f"the {engine} run fails: {process.communicate()[1]!r}")
    require(len(most) >= SPANS - 2, f"the {engine} run's memory was seen in {len(most)} spans only")
    windows_per_span = epochs * windows_per_epoch // SPANS
    return 10_000 * slope([(span * windows_per_span, kilobytes) for span, kilobytes in most.items()])


def prove(bench: Bench, engine: str, epochs: int, windows_per_epoch: int, limit: float) -> str:
    found = measured(bench, engine, epochs, windows_per_epoch)
    figure = f"{found:+.2f} KB per 10,000 windows, over {epochs * windows_per_epoch:,}"
    require(found < limit, f"{figure}; the limit is {limit:g}")
    return f"{figure} (limit {limit:g})"


def prove_fused(bench: Bench) -> str:
    return prove(bench, "fused", *((360, 33_333, SLOPE) if bench.is_full else (120, 33_333, WARM_UP_SLOPE)))


def prove_autograd(bench: Bench) -> str:
    return prove(bench, "autograd", 24, *((50_000, SLOPE) if bench.is_full else (1_000, SHORT_SLOPE)))


PROOFS = (
    Proof("resident memory, fused engine", prove_fused),
    Proof("resident memory, autograd engine", prove_autograd),
)

if __name__ == "__main__":
    sys.exit(main(PROOFS, __doc__))
