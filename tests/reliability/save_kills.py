#!/usr/bin/env python3
"""Proves that SIGKILL between any two system calls of a save leaves the old checkpoint or the new one.

The calls of a run on its run directory are taken down once. Then the run is made again for each of them, and killed on
entering it, so before it takes effect.
"""

import sys

from harness import Bench, Proof, autograd, for_each, fused, main, newest_windows, require
from system_calls import Call, Scenario


def prove_call(bench: Bench, scenario: Scenario, call: Call) -> None:
    made = scenario.make(f"-einject={call.name}:signal=KILL:when={call.when}")
    when = f"killed at {call} ({scenario.name})"
    require(made.ended.code == -9, f"{when}, it is not killed: {made.ended}")
    require(made.calls[-1].is_same(call), f"{when}, it dies at {made.calls[-1]}")
    newest = newest_windows(made.run)
    require(newest >= scenario.newest_before(call), f"{when}, the newest checkpoint is of window {newest}")
    bench.require_whole(made.run, when)
    scenario.finish(made.run, when)


def prove(bench: Bench) -> str:
    if bench.is_full:
        variants = (autograd("manual", "sgd"), autograd("builtin", "adam"), fused("manual"))
        scenarios = [Scenario(bench, variant, is_resumed=is_resumed) for variant in variants for is_resumed in (0, 1)]
        cases = [(scenario, call) for scenario in scenarios for call in scenario.calls]
    else:
        scenario = Scenario(bench, autograd("manual", "sgd"), is_resumed=True)
        cases = [(scenario, call) for call in scenario.first_save()]
    for_each(cases, lambda case: prove_call(bench, *case))
    saves = "of 6 whole runs" if bench.is_full else "of a save"
    return f"killed at each of {len(cases)} calls {saves}: old or new checkpoint, always valid, every end's bytes equal"


PROOFS = (Proof("SIGKILL at every system call of a save", prove),)

if __name__ == "__main__":
    sys.exit(main(PROOFS, __doc__))
