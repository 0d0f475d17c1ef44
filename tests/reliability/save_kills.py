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
    resumed = Scenario(bench, autograd("manual", "sgd"), is_resumed=True)
    cases = [(resumed, call) for call in resumed.few(resumed.first_save())]
    if bench.is_full:
        new = Scenario(bench, autograd("manual", "sgd"), is_resumed=False)
        cases = [(scenario, call) for scenario in (new, resumed) for call in scenario.calls]
        for variant in (autograd("builtin", "adam"), fused("manual")):
            other = Scenario(bench, variant, is_resumed=True)
            cases += [(other, call) for call in other.few(other.calls)]
    for_each(cases, lambda case: prove_call(bench, *case))
    where = "all of two runs, most of two more" if bench.is_full else "most of a save"
    return f"killed at {len(cases)} calls, {where}: old or new checkpoint, always valid, every end's bytes equal"


PROOFS = (Proof("SIGKILL at every system call of a save", prove),)

if __name__ == "__main__":
    sys.exit(main(PROOFS, __doc__))
