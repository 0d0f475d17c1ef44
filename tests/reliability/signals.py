#!/usr/bin/env python3
"""Proves that SIGINT and SIGTERM stop a run so that it can go on, by the very command that it prints."""

import re
import signal
import subprocess
import sys
import time

from harness import PATIENCE, VARIANTS, Bench, Ended, Failure, Proof, for_each, kill, main, require

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def prove_moment(bench: Bench, case: int, cases: int) -> float | None:
    """Stops a run once and goes on. Gives the seconds it took to stop, or none if it had not begun or had finished."""
    number = SIGNALS[case % 2]
    flags = VARIANTS[case // 2 % len(VARIANTS)].flags
    seconds = bench.reference(flags)[1]
    run = bench.folder("stopped").with_name("a run's folder; $HOME")
    moment = seconds * case / cases
    when = f"after {number.name} at {moment:.2f} s, with {' '.join(flags)}"
    process = bench.start(*flags, f"--out={run}")
    time.sleep(moment)
    begin = time.monotonic()
    ended = kill(process, number)
    latency = time.monotonic() - begin
    bench.require_whole(run, when)
    if ended.code == 128 + number:
        require_resumes_as_told(bench, ended, when)
    elif ended.code == -number:  # before it has begun, and so before it catches signals
        require(not run.exists(), f"{when}, it dies of it")
        return None
    else:
        require(ended.code == 0, f"{when}: {ended}")
    bench.require_end(run, flags, when)
    return latency if ended.code else None


def require_resumes_as_told(bench: Bench, ended: Ended, when: str) -> None:
    told = re.fullmatch(r"stopped by SIG\w+ after [^\n]+, and saved; go on with\n  ([^\n]+)\n", ended.stderr)
    if told is None or ended.stdout != "":
        raise Failure(f"{when}, it does not tell how to go on: {ended}")
    command = told[1] + " --no-report"  # as the run was started
    pasted = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=PATIENCE)
    require(pasted.returncode == 0, f"{when}, {told[1]} does not go on: {pasted.stderr!r}")


def prove_moments(bench: Bench) -> str:
    cases = 100 if bench.is_full else 10
    latencies = for_each(range(cases), lambda case: prove_moment(bench, case, cases))
    stopped = [latency for latency in latencies if latency is not None]
    require(len(stopped) > cases / 3, f"only {len(stopped)} of {cases} signals met a run in training")
    return (
        f"{cases} signals, {len(stopped)} in training: exit codes right, the printed command goes on, "
        f"every end's bytes equal; stopped within {max(stopped):.2f} s"
    )


def prove_second(bench: Bench) -> str:
    """A window of this network takes so long that the first signal is not answered before the second."""
    slow = ("--engine=autograd", "--hidden-size=512", "--num-steps=2000", "--batch-size=64", "--epochs=1")
    run = bench.folder("slow")
    process = bench.start(*slow, f"--out={run}")
    while not (run / "metrics.csv").exists():
        require(process.poll() is None, f"the slow run ends: {process.poll()}")
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    require(process.poll() is None, "the slow run is not slow enough to be met by a second SIGINT")
    begin = time.monotonic()
    ended = kill(process, signal.SIGINT)
    seconds = time.monotonic() - begin
    require(ended.code == -signal.SIGINT, f"after a second SIGINT: {ended}")  # 128 + 2 had it ended its window
    return f"gone after {seconds:.2f} s"


PROOFS = (
    Proof("SIGINT and SIGTERM at many moments, then the command that is printed", prove_moments),
    Proof("a second SIGINT", prove_second),
)

if __name__ == "__main__":
    sys.exit(main(PROOFS, __doc__))
