#!/usr/bin/env python3
"""Proves that a run directory belongs to one process, and is free again however that one ends."""

import os
import pathlib
import signal
import subprocess
import sys
import time
from dataclasses import replace

from harness import (
    PATIENCE,
    Bench,
    Ended,
    Proof,
    autograd,
    checkpoint_names,
    fused,
    kill,
    main,
    newest_windows,
    require,
)

BUSY = replace(fused("manual"), epochs=100_000)
WINDOWS_PER_EPOCH = BUSY.series_length // 30


def start_until_checkpoint(bench: Bench, flags: tuple[str, ...]) -> tuple[subprocess.Popen[str], pathlib.Path]:
    run = bench.folder("shared")
    process = bench.start(*flags, f"--out={run}")
    while not checkpoint_names(run):
        require(process.poll() is None, "a run ends before its first checkpoint")
        time.sleep(0.01)
    return process, run


def prove_told(bench: Bench) -> str:
    rounds = 20 if bench.is_full else 2
    for _ in range(rounds):
        process, run = start_until_checkpoint(bench, BUSY.flags)
        try:
            for arguments in ([f"--resume={run}"], [*BUSY.flags, f"--out={run}"]):
                ended = bench.train(*arguments)
                require(ended.is_told_error, f"a second process with {arguments[-1]}: {ended}")
            require(process.poll() is None, "a second process ends the first")
        finally:
            kill(process)
        epochs = newest_windows(run) // WINDOWS_PER_EPOCH + 1
        ended = bench.train(f"--resume={run}", f"--epochs={epochs}")
        require(ended.code == 0, f"after SIGKILL of the first process: {ended}")
        bench.require_whole(run, "after SIGKILL of the first process and a resume")
    return f"{2 * rounds} second processes told so in one line, exit code 1; free after each of {rounds} SIGKILLs"


def prove_at_once(bench: Bench) -> str:
    rounds = 10 if bench.is_full else 1
    flags = autograd("manual", "sgd").flags
    refused = 0
    for _ in range(rounds):
        process, run = start_until_checkpoint(bench, flags)
        kill(process)
        processes = [bench.start(f"--resume={run}") for _ in range(4)]
        ends = [Ended(process.wait(PATIENCE), *process.communicate()) for process in processes]
        for ended in ends:
            require(ended.code == 0 or ended.is_told_error, f"one of four at once: {ended}")
        refused += sum(ended.code == 1 for ended in ends)
        require(any(ended.code == 0 for ended in ends), "of four at once, none trained")
        bench.require_end(run, flags, "after four at once")
    return f"4 resumes at once, {rounds} times: {refused} refused, every end's bytes equal"


def prove_late(bench: Bench) -> str:
    """One that made the folder and was stopped before it took it must see that another has trained there since."""
    flags = autograd("manual", "sgd").flags
    run = bench.folder("late")
    trace = run.parent / "trace"
    stop = ["strace", "-f", "-o", str(trace), "-etrace=mkdir", "-einject=mkdir:signal=STOP:when=1"]
    command = bench.command(*flags, "--seed=1", f"--out={run}")
    late = subprocess.Popen([*stop, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (trace.exists() and "stopped by SIGSTOP" in trace.read_text()):
        require(late.poll() is None, "the late process ends")
        time.sleep(0.01)
    require(run.exists(), "the late process has not come to making its folder")
    try:
        early = bench.train(*flags, f"--out={run}")
        require(early.code == 0, f"the early process: {early}")
    finally:
        os.kill(int(trace.read_text().split()[0]), signal.SIGCONT)
    ended = Ended(late.wait(PATIENCE), *late.communicate())
    require(ended.is_told_error, f"the late process: {ended}")
    bench.require_end(run, flags, "after a late process was told")
    return "told so in one line, exit code 1; the run that is there stays as it is"


PROOFS = (
    Proof("a second process on the same run directory", prove_told),
    Proof("several processes at once", prove_at_once),
    Proof("a process that is late to take its folder", prove_late),
)

if __name__ == "__main__":
    sys.exit(main(PROOFS, __doc__))
