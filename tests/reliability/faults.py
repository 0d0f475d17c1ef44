#!/usr/bin/env python3
"""Proves that a disk that fails ends a run in one line and exit code 1, with the last good checkpoint as it was.

Injected faults hit one system call each, as strace does it. Full, small and read-only disks are real ones, in memory,
which needs root; limits of the file size are real too. A short write is a real one as well: the process is stopped on
entering write(), and goes on with half as many bytes (short_writes.py).
"""

import contextlib
import pathlib
import subprocess
import sys
import time
from collections.abc import Iterator

from harness import (
    VARIANTS,
    Bench,
    Ended,
    Proof,
    autograd,
    checkpoint_names,
    for_each,
    kill,
    main,
    newest_windows,
    require,
    temporaries,
)
from short_writes import run_with_short_writes
from system_calls import Call, Scenario

# Unlike others, a file that cannot be opened to be read need not end a run: an older checkpoint will do.
FAILING = {"openat", "write", "fsync", "rename", "unlink", "ftruncate", "mkdir", "getdents64"}


def require_told(bench: Bench, run: pathlib.Path, ended: Ended, when: str) -> None:
    require(ended.is_told_error, f"{when}, not one line and exit code 1 but {ended}")
    require(not temporaries(run), f"{when}, {temporaries(run)} stay")
    bench.require_whole(run, when)


def prove_injected(bench: Bench, scenario: Scenario, call: Call, error: str) -> None:
    made = scenario.make(f"-einject={call.name}:error={error}:when={call.when}")
    when = f"{error} at {call} ({scenario.name})"
    injected = [c for c in made.calls if c.line.endswith("(INJECTED)")]
    require(len(injected) == 1 and injected[0].is_same(call), f"{when}, it hits {injected}")
    if made.ended.code != 0 or not call.is_reading:
        require_told(bench, made.run, made.ended, when)
        newest = newest_windows(made.run)
        require(newest >= scenario.newest_before(call), f"{when}, the newest checkpoint is of window {newest}")
    scenario.finish(made.run, when)


def prove_every_injected(bench: Bench) -> str:
    errors = ("ENOSPC", "EIO")
    resumed = Scenario(bench, autograd("manual", "sgd"), is_resumed=True)
    if bench.is_full:
        scenarios = (resumed, Scenario(bench, autograd("manual", "sgd"), is_resumed=False))
        cases = [(s, call, e) for s in scenarios for call in s.calls if call.name in FAILING for e in errors]
    else:
        save = [call for call in resumed.few(resumed.first_save()) if call.name in FAILING]
        cases = [(resumed, call, errors[i % 2]) for i, call in enumerate(save)]
    for_each(cases, lambda case: prove_injected(bench, *case))
    return f"{len(cases)} faults: told in one line, exit code 1, last checkpoint intact, every end's bytes equal"


@contextlib.contextmanager
def small_disk(path: pathlib.Path, options: str) -> Iterator[None]:
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "unroll-reliability", path], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", path], check=True)


def remount(path: pathlib.Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", path], check=True, capture_output=True)


def can_mount(bench: Bench) -> bool:
    try:
        with small_disk(bench.folder("mount"), "size=64k"):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


NOT_MOUNTED = "not tried: nothing can be mounted here, which needs root"
WAY_OUT = "size=16m,nr_inodes=1000"


def prove_full_disk(bench: Bench, options: str, flags: tuple[str, ...]) -> bool:
    """Whether the disk was too small."""
    disk = bench.folder("disk")
    when = f"on a disk with {options}"
    with small_disk(disk, options):
        run = disk / "run"
        ended = bench.train(*flags, f"--out={run}")
        if ended.code == 0:
            return False
        require_told(bench, run, ended, when)
        had = newest_windows(run)
        again = bench.train(*bench.next_arguments(run, flags))
        require_told(bench, run, again, f"{when}, tried again")
        require(newest_windows(run) >= had, f"{when}, tried again, the checkpoint of window {had} is lost")
        remount(disk, WAY_OUT)
        bench.finish(run, flags, f"{when}, then with more")
    return True


def prove_small_disks(bench: Bench) -> str:
    if not can_mount(bench):
        return NOT_MOUNTED
    flags = (*autograd("builtin", "adam").flags, "--hidden-size=32")
    pages = range(1, 36) if bench.is_full else (4, 15, 25)
    inodes = range(2, 14) if bench.is_full else (4, 7)
    cases = [f"size={4 * n}k" for n in pages] + [f"nr_inodes={n}" for n in inodes]
    full = sum(for_each(cases, lambda options: prove_full_disk(bench, options, flags)))
    require(full >= len(cases) // 2, f"only {full} of {len(cases)} disks were too small")
    return f"{full} disks too small: told, last checkpoint intact; with more room, every end's bytes equal"


def prove_read_only(bench: Bench) -> str:
    if not can_mount(bench):
        return NOT_MOUNTED
    flags = autograd("manual", "sgd").flags
    disk = bench.folder("disk")
    with small_disk(disk, WAY_OUT):
        run = disk / "run"
        process = bench.start(*flags, f"--out={run}")
        while not checkpoint_names(run):
            require(process.poll() is None, "a run ends without a checkpoint")
            time.sleep(0.01)
        kill(process)
        before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
        remount(disk, "ro")
        for arguments in ([f"--resume={run}"], [*flags, f"--out={disk / 'other'}"]):
            ended = bench.train(*arguments)
            require(ended.is_told_error, f"on a read-only disk, not one line and exit code 1 but {ended}")
        after = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
        require(before == after, "a read-only disk has changed")
        remount(disk, "rw")
        bench.finish(run, flags, "on a disk that was read-only")
    return "a resume and a new run are told so; writable again, the end's bytes are equal"


def prove_file_size(bench: Bench, limit: int, flags: tuple[str, ...]) -> bool:
    """Whether a file was larger than the limit."""
    run = bench.folder("limit")
    when = f"with files of at most {limit} bytes"
    ended = bench.train(*flags, f"--out={run}", under=["prlimit", f"--fsize={limit}"])
    if ended.code == 0:
        return False
    require_told(bench, run, ended, when)
    bench.finish(run, flags, f"{when}, then without limit")
    return True


def prove_file_sizes(bench: Bench) -> str:
    flags = autograd("manual", "adagrad").flags
    limits = range(50, 3_000, 50) if bench.is_full else (500, 1_500, 2_500)
    too_large = sum(for_each(limits, lambda limit: prove_file_size(bench, limit, flags)))
    require(too_large >= len(limits) // 2, f"only {too_large} of {len(limits)} limits were reached")
    return f"{too_large} limits reached: told, last checkpoint intact; without limit, every end's bytes equal"


def prove_short_writes(bench: Bench) -> str:
    def short(flags: tuple[str, ...]) -> int:
        run = bench.folder("short")
        code, count = run_with_short_writes(bench.command(*flags, f"--out={run}"))
        require(code == 0, f"with short writes, exit code {code}")
        bench.require_end(run, flags, "with short writes")
        return count

    variants = VARIANTS if bench.is_full else VARIANTS[:1]
    counts = for_each(variants, lambda variant: short(variant.flags))
    require(min(counts) > 100, f"only {counts} writes were short")
    return f"{sum(counts):,} writes took half of their bytes: every end's bytes equal"


PROOFS = (
    Proof("ENOSPC and EIO at every write, fsync, rename, open, ...", prove_every_injected),
    Proof("short writes", prove_short_writes),
    Proof("a full disk, a quota of bytes or files", prove_small_disks),
    Proof("a read-only disk", prove_read_only),
    Proof("a limit of the file size", prove_file_sizes),
)

if __name__ == "__main__":
    sys.exit(main(PROOFS, __doc__))
