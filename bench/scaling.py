#!/usr/bin/env python3
"""Measures what training in several ranks costs and gains, fits a small model to it, and writes docs/scaling.md's tables.

    cmake --preset release && cmake --build --preset release --target unroll-train all_reduce
    bench/scaling.py [--rounds N] [--update-docs]

Measured are all-reduces between two ranks over loopback and over links between two network namespaces (root needed;
without it, loopback alone), some of them made slow by tc; and unroll-train's windows, in turns: in one rank, in two,
and in two processes that exchange nothing, which is as much as two ranks could gain. Two ranks need two idle cores.
Everything beyond two ranks is what the model says.
"""

import argparse
import contextlib
import datetime
import json
import pathlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "distributed"))
import hosts  # noqa: E402

DOCS = ROOT / "docs" / "scaling.md"
BIN = ROOT / "build" / "release" / "bin"


@dataclass(frozen=True)
class Size:
    """Axes: B batch, T steps of a window, H hidden units; two classes. `windows` take some seconds in one rank."""

    B: int
    H: int
    T: int
    windows: int

    @property
    def title(self) -> str:
        return f"B{self.B} H{self.H} T{self.T}"

    @property
    def elements(self) -> int:
        """Of the gradient and the loss."""
        return self.H * self.H + 5 * self.H + 3


@dataclass(frozen=True)
class Link:
    """Seconds for a step of the ring, and for an element of four bytes."""

    name: str
    step: float
    element: float

    def all_reduce(self, elements: int, ranks: int) -> float:
        """A ring's: 2 (R - 1) steps, in each of which a rank sends the R-th part (Patarasuk and Yuan 2009)."""
        return 2 * (ranks - 1) * (self.step + elements / ranks * self.element)


SIZES = [Size(3, 4, 10, 5_000), Size(64, 64, 32, 1_000), Size(64, 256, 64, 60), Size(64, 1024, 32, 10)]
SHAPES = {
    "loopback": None,
    "two namespaces": [],
    "10 Gbit/s": ["tbf", "rate", "10gbit", "burst", "128kb", "latency", "100ms"],
    "1 Gbit/s": ["tbf", "rate", "1gbit", "burst", "32kb", "latency", "100ms"],
}
NOMINAL = {"10 Gbit/s": 1.25e9, "1 Gbit/s": 0.125e9}  # bytes a second, of the links on paper
WIRE = 20e-6  # seconds that a switch and network cards add to a step, which two namespaces have not: an assumption


@contextlib.contextmanager
def two_ends(shape: list[str] | None) -> Iterator[list[hosts.Host]]:
    if shape is None:
        yield [hosts.LOOPBACK] * 2
    else:
        with hosts.two_hosts(shape) as two:
            yield two


def run_ranks(words: list[str], where: list[hosts.Host], folder: pathlib.Path) -> dict:
    """What rank 0 prints."""
    ranks = hosts.start_ranks(words, where, folder)
    outputs = [rank.communicate()[0] for rank in ranks]
    if any(rank.returncode for rank in ranks):
        sys.exit(f"scaling.py: {words[0]} failed")
    return json.loads(outputs[0])


def measure_link(shape: list[str] | None, rounds: int) -> dict[int, float]:
    """Seconds of an all-reduce between two ranks, by elements."""
    with tempfile.TemporaryDirectory() as folder, two_ends(shape) as where:
        measured = [run_ranks([str(BIN / "all_reduce")], where, pathlib.Path(folder)) for _ in range(rounds)]
    return {int(size): median(one[size] for one in measured) for size in measured[0]}


def fit(name: str, seconds: dict[int, float]) -> Link:
    """Least squares of the relative errors of 2 step + n element."""
    rows = [(2 / time, elements / time) for elements, time in seconds.items()]
    aa, ab, bb = (sum(x * y for x, y in pairs) for pairs in
                  ([(a, a) for a, _ in rows], rows, [(b, b) for _, b in rows]))
    a, b = sum(a for a, _ in rows), sum(b for _, b in rows)
    determinant = aa * bb - ab * ab
    return Link(name, (a * bb - b * ab) / determinant, (b * aa - a * ab) / determinant)


def speed_up(size: Size, one: float, link: Link, ranks: int) -> float:
    """How many times as fast as one process, whose window takes `one` seconds, the model says that ranks are."""
    rows = -(-size.B // ranks)
    return one / (one * rows / size.B + link.all_reduce(size.elements, ranks))


def on_paper(name: str, rate: float, loopback: Link) -> Link:
    """A link of this rate between hosts whose kernels are as fast as this one's over loopback."""
    return Link(name, loopback.step + WIRE, max(loopback.element, 4 / rate))


def train_words(size: Size, engine: str, rows: int) -> list[str]:
    return [str(BIN / "unroll-train"), "--json", "--quiet", "--no-report", "--eval-length", "0", "--epochs", "1",
            "--engine", engine, "--learning-rate", "0.01", "--checkpoint-every", "1000000000", "--log-every", "1000000",
            "--batch-size", str(rows), "--hidden-size", str(size.H), "--num-steps", str(size.T),
            "--series-length", str(rows * size.T * size.windows)]


def seconds_side_by_side(words: list[str], count: int, folder: pathlib.Path) -> float:
    """Of a window, in the slowest of so many processes that know nothing of each other."""
    processes = [subprocess.Popen([*words, "--out", f"{count}-{i}"], cwd=folder, text=True, stdout=subprocess.PIPE)
                 for i in range(count)]
    outputs = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        sys.exit(f"scaling.py: {words[0]} failed")
    return max(json.loads(output)["microseconds_per_window"] * 1e-6 for output in outputs)


@dataclass(frozen=True)
class WindowTimes:
    """Seconds of a window: in one process; in two ranks; and in two processes that have half of the rows each and
    exchange nothing, or none where the rows are odd."""

    one: float
    two: float
    apart: float | None


def time_windows(size: Size, engine: str) -> WindowTimes:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        whole = train_words(size, engine, size.B)
        one = seconds_side_by_side(whole, 1, folder)
        two = run_ranks(whole, [hosts.LOOPBACK] * 2, folder)["microseconds_per_window"] * 1e-6
        apart = None if size.B % 2 else seconds_side_by_side(train_words(size, engine, size.B // 2), 2, folder)
    return WindowTimes(one, two, apart)


def time_of(seconds: float) -> str:
    if seconds < 1e-3:
        return f"{seconds * 1e6:.3g} us"
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def link_table(links: dict[str, dict[int, float]], fits: list[Link]) -> list[str]:
    sizes = list(next(iter(links.values())))
    lines = ["| link | " + " | ".join(f"{4 * size:,} B" for size in sizes) + " | a step | bandwidth |",
             "| --- |" + " ---: |" * (len(sizes) + 2)]
    for link in fits:
        cells = [time_of(links[link.name][size]) for size in sizes]
        lines.append(f"| {link.name} | " + " | ".join(cells) +
                     f" | {time_of(link.step)} | {4e-9 / link.element:.2f} GB/s |")
    return lines


def window_table(measured: dict[tuple[Size, str], list[WindowTimes]], link: Link) -> list[str]:
    lines = ["| size | engine | one rank | two ranks | times one | exchanging nothing | the model says |",
             "| --- | --- | ---: | ---: | ---: | ---: | ---: |"]
    for (size, engine), rounds in measured.items():
        one, two = median(times.one for times in rounds), median(times.two for times in rounds)
        gain = median(times.one / times.two for times in rounds)
        apart = [times.one / times.apart for times in rounds if times.apart]
        most = f"{median(apart):.2f}" if apart else "-"
        model = speed_up(size, one, link, 2)
        lines.append(f"| {size.title} | {engine} | {time_of(one)} | {time_of(two)} | **{gain:.2f}** | {most} | "
                     f"{model:.2f} |")
    return lines


def paper_table(seconds: dict[Size, float], links: list[Link]) -> list[str]:
    counts = (2, 4, 8, 16, 64, 256, 1000)
    lines = ["| size | link | " + " | ".join(f"R = {count:,}" for count in counts) + " | best R |",
             "| --- | --- |" + " ---: |" * (len(counts) + 1)]
    for size, one in seconds.items():
        for link in links:
            gains = {ranks: speed_up(size, one, link, ranks) for ranks in range(1, size.B + 1)}
            cells = [f"{gains[count]:.2f}" if count <= size.B else "-" for count in counts]
            best = max(gains, key=gains.__getitem__)
            lines.append(f"| {size.title} | {link.name} | " + " | ".join(cells) + f" | {best} |")
    return lines


def processor() -> str:
    names = re.findall(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return f"{names[0]}, {len(names)} cores"


def replace(text: str, name: str, lines: list[str]) -> str:
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    return pattern.sub(lambda _: "\n".join([begin, *lines, end]), text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--update-docs", action="store_true", help="write the tables into docs/scaling.md")
    options = parser.parse_args()

    shapes = SHAPES if hosts.why_not() is None else {"loopback": None}
    links = {name: measure_link(shape, options.rounds) for name, shape in shapes.items()}
    fits = [fit(name, seconds) for name, seconds in links.items()]
    measured = {(size, engine): [time_windows(size, engine) for _ in range(options.rounds)]
                for size in SIZES for engine in ("fused", "autograd") if engine == "fused" or size.H > 4}
    one_rank = {size: median(times.one for times in rounds)
                for (size, engine), rounds in measured.items() if engine == "fused"}
    wide = {Size(1024, size.H, size.T, 1): 1024 / size.B * seconds
            for size, seconds in one_rank.items() if size.B == 64}
    tables = {
        "links": link_table(links, fits),
        "windows": window_table(measured, fits[0]),
        "paper": paper_table({**one_rank, **wide},
                             [on_paper(name, rate, fits[0]) for name, rate in NOMINAL.items()]),
        "date": [f"{datetime.date.today()}, {processor()}; medians of {options.rounds} rounds."],
    }
    for lines in tables.values():
        print("\n".join(lines) + "\n")
    if options.update_docs:
        text = DOCS.read_text()
        for name, lines in tables.items():
            text = replace(text, name, lines)
        DOCS.write_text(text)


if __name__ == "__main__":
    main()
