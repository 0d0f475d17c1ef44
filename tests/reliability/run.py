#!/usr/bin/env python3
"""Makes every proof that unroll-train's runs are durable, and closes with a table.

    tests/reliability/run.py [--full] [--bin DIR]

The short form takes a minute or two, the full one an hour or so. What is proved and what is not: docs/reliability.md.
"""

import sys

import faults
import harness
import memory
import power_loss
import random_kills
import save_kills
import second_process
import signals

PROOFS = (
    *save_kills.PROOFS,
    *random_kills.PROOFS,
    *power_loss.PROOFS,
    *faults.PROOFS,
    *signals.PROOFS,
    *second_process.PROOFS,
    *memory.PROOFS,
)

if __name__ == "__main__":
    sys.exit(harness.main(PROOFS, __doc__, with_table=True))
