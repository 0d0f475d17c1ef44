"""The system calls that a run makes on its run directory, and what strace does to them."""

import pathlib
import re
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness import Bench, Ended, Variant

TRACED = ("openat", "write", "fsync", "rename", "unlink", "ftruncate", "mkdir", "close", "lseek", "getdents64", "flock")
WINDOWS = 120
EPOCHS = "--epochs=2"


@dataclass(frozen=True)
class Call:
    """A call of the program's main thread."""

    name: str
    when: int  # the how manieth of its name, as strace counts
    target: str  # its file, within the run directory, with PID for the process's id
    line: str  # as strace tells it

    def __str__(self) -> str:
        return f"{self.name} {self.when}, of {self.target}"

    def is_same(self, other: "Call") -> bool:
        return (self.name, self.when, self.target) == (other.name, other.when, other.target)

    @property
    def is_reading(self) -> bool:
        """Whether it opens a file, not a folder, to read it."""
        return self.name == "openat" and not re.search("O_DIRECTORY|O_CREAT|O_WRONLY", self.line)

    @property
    def saved_windows(self) -> int:
        """How many windows the checkpoint has trained that is there after it, and was not before; 0 for others."""
        saved = re.search(r'"[^"]*/(?:window-(\d+)|last)\.safetensors"\) = 0', self.line)
        return (int(saved[1]) if saved[1] else WINDOWS) if self.name == "rename" and saved else 0


def read_trace(trace: pathlib.Path, run: pathlib.Path, around: pathlib.Path) -> list[Call]:
    """The calls on the run directory, what is in it and the folders that it is in, up to `around`, in their order."""

    def name_of(path: str, process: str) -> str:
        if run.is_relative_to(path):
            return "the run directory" if path == str(run) else "a folder around it"
        return str(pathlib.PurePath(path).relative_to(run)).replace(f".{process}.", ".PID.")

    calls: list[Call] = []
    counts: Counter[str] = Counter()
    lines = trace.read_text(errors="replace").splitlines()
    process = lines[0].split()[0]
    on = rf'(?:\d+<|AT_FDCWD<[^>]*>, "|")({re.escape(str(around))}[^">]*)'  # its first argument is such a file
    for line in lines:
        if found := re.match(rf"{process} +(\w+)\((?:{on})?", line):
            name, path = found[1], found[2]
            counts[name] += 1
            if path is not None:
                calls.append(Call(name, counts[name], name_of(path, process), line))
    return calls


@dataclass(frozen=True)
class Made:
    """A run that strace has watched or disturbed."""

    run: pathlib.Path
    around: pathlib.Path  # the folder that was there before
    calls: list[Call]
    ended: Ended


class Scenario:
    """A run that can be made again and again: a whole one, or the second epoch of one whose first is finished.

    The run directory is `inside` folders that are not there, if any are given.
    """

    def __init__(self, bench: Bench, variant: Variant, *, is_resumed: bool, inside: str = ""):
        # 60 windows an epoch, which end in the middle of a row and of a checkpoint's span.
        whole = replace(variant, series_length=1_800, epochs=2, log_every=7, checkpoint_every=17)
        self.flags = whole.flags
        self._bench = bench
        self.inside = inside
        self.first_epoch = bench.reference(replace(whole, epochs=1).flags)[0] if is_resumed else None
        self.name = f"{variant}, {'resumed' if is_resumed else 'new'}{', in new folders' if inside else ''}"
        self.calls = self.make().calls

    def make(self, *injection: str) -> Made:
        """Trains in a new run directory under strace, with these of its options."""
        around = self._bench.folder("scenario").parent
        run = around / self.inside / "run"
        arguments = [*self.flags, f"--out={run}"]
        if self.first_epoch:
            shutil.copytree(self.first_epoch, run)
            arguments = [f"--resume={run}", EPOCHS]
        trace = around / "trace"
        strace = ["strace", "-f", "-y", "-o", str(trace), f"-etrace={','.join(TRACED)}", *injection]
        ended = self._bench.train(*arguments, under=strace)
        return Made(run, around, read_trace(trace, run, around), ended)

    def first_save(self) -> Sequence[Call]:
        """The calls of the first save: from syncing metrics.csv to the next row."""
        begin = next(i for i, call in enumerate(self.calls) if call.name == "fsync" and call.target == "metrics.csv")
        end = next(i for i in range(begin + 1, len(self.calls)) if self.calls[i].target == "metrics.csv")
        return self.calls[begin : end + 1]

    @staticmethod
    def few(calls: Sequence[Call]) -> list[Call]:
        """These without the writes that follow a write of the same file, which only make it longer."""
        return [
            call
            for i, call in enumerate(calls)
            if i == 0 or (call.name, call.target) != (calls[i - 1].name, calls[i - 1].target) or call.name != "write"
        ]

    def newest_before(self, call: Call) -> int:
        """How many windows the newest checkpoint of this process has trained when it comes to a call."""
        return max((earlier.saved_windows for earlier in self.calls[: self.calls.index(call)]), default=0)

    def finish(self, run: pathlib.Path, when: str) -> None:
        """Goes on with a run of this scenario to the right end."""
        self._bench.finish(run, self.flags, when, EPOCHS)
