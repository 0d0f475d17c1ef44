#!/usr/bin/env python3
"""Trains in two ranks on two hosts, which are network namespaces of this machine, and cuts the link between them.

    tests/distributed/two_hosts.py BIN

Needs root, and exits with 77 where namespaces cannot be made.
"""

import csv
import pathlib
import subprocess
import sys
import tempfile
import time

import hosts

RUN = ["--dtype", "float64", "--batch-size", "6", "--series-length", "120000", "--epochs", "1", "--log-every", "1",
       "--eval-length", "0", "--quiet", "--no-report"]
LONG_RUN = ["--batch-size", "6", "--series-length", "120000", "--epochs", "1000000", "--eval-length", "0", "--quiet",
            "--checkpoint-every", "50", "--rank-timeout", "5"]
LAST_DIGIT = 1.1e-9  # of the nine of a loss in metrics.csv, which another rounding may change
PATIENCE = 600  # seconds after which a process hangs


def losses(run: pathlib.Path) -> list[float]:
    with (run / "metrics.csv").open() as file:
        return [float(row["mean_loss"]) for row in csv.DictReader(file)]


def require(holds: bool, what: object) -> None:
    if not holds:
        sys.exit(f"two_hosts.py: {what}")


def gives_the_losses_of_one_process(train: str, folder: pathlib.Path) -> None:
    subprocess.run([train, *RUN, "--out", "alone"], cwd=folder, check=True, capture_output=True)
    with hosts.two_hosts() as two:
        ranks = hosts.start_ranks([train, *RUN, "--out", "two"], two, folder)
        ends = [(rank.communicate(timeout=PATIENCE), rank.returncode) for rank in ranks]
    require([code for _, code in ends] == [0, 0], ends)
    expected, actual = losses(folder / "alone"), losses(folder / "two")
    furthest = max(abs(one - other) for one, other in zip(expected, actual, strict=True))
    require(len(actual) == 2000 and furthest <= LAST_DIGIT, f"the losses part by {furthest}")
    print(f"two hosts: {len(actual)} windows, the losses within {furthest:.1e} of one process's")


def ends_when_the_link_is_cut(train: str, folder: pathlib.Path) -> None:
    with hosts.two_hosts() as two:
        ranks = hosts.start_ranks([train, *LONG_RUN, "--out", "cut"], two, folder)
        deadline = time.monotonic() + PATIENCE
        while not (folder / "cut/checkpoints/best.safetensors").exists():
            require(time.monotonic() < deadline, "no checkpoint")
            time.sleep(0.05)
        hosts.ip("-n", two[0].namespace, "link", "set", two[0].device, "down")
        start = time.monotonic()
        ends = [(rank.communicate(timeout=PATIENCE)[1], rank.returncode) for rank in ranks]
        seconds = time.monotonic() - start
    require([code for _, code in ends] == [1, 1], ends)
    require("rank 1 (host" in ends[0][0] and "rank 0 at 10." in ends[1][0], ends)
    require(all(error.count("\n") == 1 for error, _ in ends), ends)
    verified = subprocess.run([train, "--verify", "cut"], cwd=folder, capture_output=True, text=True)
    require("damaged" not in verified.stdout, verified.stdout)
    print(f"link cut: both ranks ended after {seconds:.1f} s with a time-out of 5 s, each naming the other")


def refuses_loopback_between_hosts(train: str, folder: pathlib.Path) -> None:
    ranks = hosts.start_ranks([train, *RUN, "--out", "none"], [hosts.LOOPBACK, hosts.Host("127.0.0.1", name="other")],
                              folder)
    ends = [(rank.communicate(timeout=PATIENCE)[1], rank.returncode) for rank in ranks]
    require([code for _, code in ends] == [1, 1], ends)
    require(all("127.0.0.1" in error and "GLOO_SOCKET_IFNAME" in error and error.count("\n") == 1 for error, _ in ends),
            ends)
    require(not (folder / "none").exists(), "a run directory was made")
    print("two host names at 127.0.0.1: both ranks say that this is no address for others")


def main() -> int:
    train = str(pathlib.Path(sys.argv[1]).resolve() / "unroll-train")
    if problem := hosts.why_not():
        print(f"skipped: no network namespaces here: {problem}")
        return 77
    for check in (gives_the_losses_of_one_process, ends_when_the_link_is_cut, refuses_loopback_between_hosts):
        with tempfile.TemporaryDirectory(prefix="unroll-hosts-") as folder:
            check(train, pathlib.Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
