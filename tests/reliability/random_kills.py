#!/usr/bin/env python3
"""Proves that a run survives SIGKILL at any moment: it always goes on, and ends as if nothing had happened."""

import random
import subprocess
import sys

from harness import PATIENCE, VARIANTS, Bench, Ended, Proof, for_each, kill, main, require

LONGEST = 0.6  # seconds until a kill; loading LibTorch alone takes some 0.15


def killed_after(process: subprocess.Popen[str], seconds: float) -> Ended:
    """Kills the process, unless it ends before."""
    try:
        stdout, stderr = process.communicate(timeout=seconds)
        return Ended(process.returncode, stdout, stderr)
    except subprocess.TimeoutExpired:
        return kill(process)


def train_killed(bench: Bench, case: int, kills: int) -> int:
    """Trains runs to their ends and kills them on the way, so many times in all. Gives how many runs that took."""
    flags = VARIANTS[case % len(VARIANTS)].flags
    moments = random.Random(case)
    made = runs = 0
    while made < kills:
        runs += 1
        run = bench.folder("killed")
        when = f"killed at random (case {case}), with {' '.join(flags)}"
        while True:
            process = bench.start(*bench.next_arguments(run, flags))
            ended = killed_after(process, moments.uniform(0, LONGEST) if made < kills else PATIENCE)
            bench.require_whole(run, when)
            if ended.code == 0:
                break
            require(ended.code == -9, f"{when}, it does not go on: {ended}")
            made += 1
        bench.require_end(run, flags, when)
    return runs


def prove(bench: Bench) -> str:
    cases, kills = (40, 25) if bench.is_full else (4, 6)
    runs = sum(for_each(range(cases), lambda case: train_killed(bench, case, kills)))
    return f"{cases * kills:,} kills in {runs} runs: each went on, and every end's bytes are equal"


PROOFS = (Proof("random SIGKILL during training, then resume", prove),)

if __name__ == "__main__":
    sys.exit(main(PROOFS, __doc__))
