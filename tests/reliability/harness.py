"""What the proofs of this folder share: runs of unroll-train, what their ends must be, and how a proof is told."""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOT_SHARED = {"seconds", "data_seconds", "train_seconds", "microseconds_per_window", "run_directory"}
PATIENCE = 600  # seconds after which a process hangs
WORKERS = 2

Case = TypeVar("Case")
Found = TypeVar("Found")


class Failure(Exception):
    """A requirement that does not hold, in one line."""


def require(holds: object, problem: str) -> None:
    if not holds:
        raise Failure(problem)


@dataclass(frozen=True)
class Variant:
    """What is trained: a second or so of it, with checkpoints that fall mid-row, mid-epoch and at its end."""

    model: str
    engine: str
    optimizer: str
    series_length: int
    epochs: int
    log_every: int
    checkpoint_every: int
    learning_rate: float

    @property
    def flags(self) -> tuple[str, ...]:
        return tuple(f"--{name.replace('_', '-')}={value}" for name, value in vars(self).items())

    def __str__(self) -> str:
        return f"{self.model}/{self.engine}/{self.optimizer}"


def autograd(model: str, optimizer: str) -> Variant:
    """1,800 windows."""
    rate = {"sgd": 0.2, "adam": 0.01, "adagrad": 0.1}[optimizer]
    return Variant(model, "autograd", optimizer, 18_000, 3, 17, 91, rate)


def fused(model: str) -> Variant:
    """1,333,320 windows."""
    return Variant(model, "fused", "sgd", 10_000_000, 4, 1_001, 40_007, 0.2)


VARIANTS = (
    autograd("manual", "sgd"),
    fused("manual"),
    autograd("builtin", "adam"),
    autograd("manual", "adagrad"),
    fused("builtin"),
    autograd("builtin", "adagrad"),
    autograd("manual", "adam"),
    autograd("builtin", "sgd"),
)


@dataclass(frozen=True)
class Ended:
    """A process that has ended."""

    code: int  # negative: the signal that killed it
    stdout: str
    stderr: str

    def __str__(self) -> str:
        return f"exit code {self.code}, stderr {self.stderr!r}"

    @property
    def is_told_error(self) -> bool:
        """Whether it failed as it should: exit code 1, no result, and one line after those of warnings."""
        lines = r"(warning: [^\n]+\n)*unroll-train: [^\n]+\n"
        return self.code == 1 and self.stdout == "" and re.fullmatch(lines, self.stderr) is not None


class Bench:
    """Where proofs are made: the program, a scratch folder, and the ends of runs that nothing interrupted."""

    def __init__(self, binaries: pathlib.Path, scratch: pathlib.Path, is_full: bool):
        self.program = binaries / "unroll-train"
        self.scratch = scratch
        self.is_full = is_full
        self._lock = threading.Lock()
        self._references: dict[tuple[str, ...], tuple[pathlib.Path, float]] = {}

    def folder(self, name: str) -> pathlib.Path:
        """A new path of this scratch folder, where nothing is."""
        return pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.scratch)) / "run"

    def command(self, *arguments: object) -> list[str]:
        """Training without its report, which takes longer than a short run and proves nothing here."""
        return [str(self.program), "--quiet", "--no-report", *map(str, arguments)]

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        return subprocess.Popen(self.command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def train(self, *arguments: object, under: Sequence[str] = ()) -> Ended:
        """Runs the program to its end, under another one such as strace if that is given."""
        command = [*under, *self.command(*arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        return Ended(done.returncode, done.stdout, done.stderr)

    def reference(self, flags: Sequence[str]) -> tuple[pathlib.Path, float]:
        """A run with these flags that nothing interrupted, and how many seconds it took."""
        key = tuple(flags)
        with self._lock:
            if key not in self._references:
                run = self.folder("reference")
                begin = time.monotonic()
                ended = self.train(*flags, f"--out={run}")
                require(ended.code == 0, f"a run that nothing interrupts fails: {ended}")
                self._references[key] = run, time.monotonic() - begin
            return self._references[key]

    def next_arguments(self, run: pathlib.Path, flags: Sequence[str], *to_resume: str) -> list[str]:
        """How to go on with a run that was killed. Without a config.json it has not begun, and begins."""
        return [f"--resume={run}", *to_resume] if (run / "config.json").exists() else [*flags, f"--out={run}"]

    def require_whole(self, run: pathlib.Path, when: str) -> None:
        """Whatever happened to it, a run that has a checkpoint has nothing but good files."""
        if checkpoint_names(run):
            ended = subprocess.run([self.program, f"--verify={run}"], capture_output=True, text=True, timeout=PATIENCE)
            bad = [line for line in (ended.stdout + ended.stderr).splitlines() if not line.startswith("good")]
            require(ended.returncode == 0, f"{when}, --verify says {bad}")

    def require_end(self, run: pathlib.Path, flags: Sequence[str], when: str) -> None:
        """The run has the same end as one that nothing interrupted."""
        require_same_end(run, self.reference(flags)[0], when)
        self.require_whole(run, when)

    def finish(self, run: pathlib.Path, flags: Sequence[str], when: str, *to_resume: str) -> None:
        """Goes on with the run to its end, which must be that of one that nothing interrupted."""
        ended = self.train(*self.next_arguments(run, flags, *to_resume))
        require(ended.code == 0, f"{when}, it does not go on: {ended}")
        self.require_end(run, flags, when)


def checkpoint_names(run: pathlib.Path) -> list[str]:
    folder = run / "checkpoints"
    return sorted(name for name in os.listdir(folder) if name.endswith(".safetensors")) if folder.exists() else []


def temporaries(run: pathlib.Path) -> list[str]:
    return sorted(str(path.relative_to(run)) for path in run.rglob("*.tmp"))


def metrics_without_times(path: pathlib.Path) -> list[str]:
    return [line.rpartition(",")[0] for line in path.read_text().splitlines()]


def require_same_end(run: pathlib.Path, reference: pathlib.Path, when: str) -> None:
    """Both have the same files, and these the same content but for times and what follows from them."""

    def files(folder: pathlib.Path) -> dict[str, pathlib.Path]:
        return {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}

    found, expected = files(run), files(reference)
    more, fewer = sorted(found.keys() - expected.keys()), sorted(expected.keys() - found.keys())
    require(not more and not fewer, f"{when}, the run has {more} too many and {fewer} too few")
    for name in found:
        require(timeless(found[name]) == timeless(expected[name]), f"{when}, {found[name]} is not as {expected[name]}")


def timeless(path: pathlib.Path) -> object:
    """A file's content without times, and what two runs that do the same may not share."""
    if path.name == "metrics.csv":
        return [line.rpartition(",")[0] for line in path.read_text().splitlines()]
    if path.name == "summary.json":
        return {key: value for key, value in json.loads(path.read_text()).items() if key not in NOT_SHARED}
    if path.name == "SHA256SUMS":  # of the two above; --verify holds them against it
        return None
    return path.read_bytes()


def newest_windows(run: pathlib.Path) -> int:
    """How many windows the newest checkpoint has trained; 0 if there is none."""

    def windows(path: pathlib.Path) -> int:
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        return int(json.loads(header["__metadata__"]["progress"])["windows"])

    names = [name for name in checkpoint_names(run) if name != "best.safetensors"]
    return max((windows(run / "checkpoints" / name) for name in names), default=0)


def kill(process: subprocess.Popen[str], number: signal.Signals = signal.SIGKILL) -> Ended:
    """Sends a signal, and waits for what comes of it."""
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=PATIENCE)
    return Ended(process.returncode, stdout, stderr)


def for_each(cases: Sequence[Case], prove: Callable[[Case], Found]) -> list[Found]:
    """Proves every case, two at a time."""
    with ThreadPoolExecutor(WORKERS) as pool:
        futures = [pool.submit(prove, case) for case in cases]
    failures = [failure for future in futures if (failure := future.exception())]
    if failures:
        raise Failure(f"{len(failures)} of {len(cases)} cases fail; the first: {failures[0]}") from failures[0]
    return [future.result() for future in futures]


@dataclass(frozen=True)
class Proof:
    what: str
    prove: Callable[[Bench], str]  # gives the figure that was reached, or raises Failure


@dataclass(frozen=True)
class Result:
    what: str
    figure: str
    seconds: float
    holds: bool

    def __str__(self) -> str:
        return f"{'holds' if self.holds else 'FAILS'}  {self.what}: {self.figure} ({self.seconds:.0f} s)"


def tried(proof: Proof, bench: Bench) -> Result:
    begin = time.monotonic()
    try:
        figure, holds = proof.prove(bench), True
    except (Failure, OSError, subprocess.SubprocessError) as problem:
        figure, holds = " ".join(str(problem).split()), False
    return Result(proof.what, figure, time.monotonic() - begin, holds)


def markdown(results: Iterable[Result]) -> str:
    rows = [f"| {result.what} | {result.figure} | {result.seconds:.0f} |" for result in results]
    return "\n".join(["| what | figure | seconds |", "| --- | --- | ---: |", *rows])


def main(proofs: Sequence[Proof], description: str, *, with_table: bool = False) -> int:
    """Makes the proofs, and gives the exit code."""
    parser = argparse.ArgumentParser(description=description.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="as many cases as docs/reliability.md says")
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/release/bin", help="where unroll-train is")
    arguments = parser.parse_args()
    missing = [tool for tool in ("strace", "prlimit") if not shutil.which(tool)]
    if missing:
        print(f"{parser.prog}: there is no {missing[0]} here; scripts/setup.sh installs it", file=sys.stderr)
        return 1
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="unroll-reliability-"))
    bench = Bench(arguments.bin.resolve(), scratch, arguments.full)
    results = []
    for proof in proofs:
        results.append(tried(proof, bench))
        print(results[-1], flush=True)
    if with_table:
        print(f"\n{markdown(results)}")
    if not all(result.holds for result in results):
        print(f"{parser.prog}: not all proofs hold; their runs are in {scratch}", file=sys.stderr)
        return 1
    shutil.rmtree(scratch)
    return 0
