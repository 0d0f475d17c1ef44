"""Runs the fuzzers that the preset fuzz has built, two at a time, from the files of ../crafted.

    cmake --workflow --preset fuzz
    python3 tests/reliability/fuzz/run.py --seconds 60        # each, as CI does
    python3 tests/reliability/fuzz/run.py --runs 20000000     # each

Prints what each reached, and fails if one found something or fell short. Logs, corpora and findings are in
build/fuzz/fuzzing; a fuzzer goes on from the corpus that an earlier run left there. `build/fuzz/bin/FUZZER FINDING`
repeats a finding.
"""

import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
CRAFTED = ROOT / "tests/reliability/crafted"

# Each fuzzer's seeds: folders of CRAFTED.
SEEDS = {
    "safetensors_fuzzer": ["safetensors", "weights", "valid/safetensors"],
    "csv_fuzzer": ["csv", "valid/csv"],
    "config_fuzzer": ["config", "valid/config"],
    "series_fuzzer": ["series", "valid/series"],
}
AT_A_TIME = 2
# Longer files bring a reader into no state that these do not, and cost speed.
LONGEST_INPUT = 2048  # bytes
# The sanitizer keeps 256 MB of freed memory to itself. A reader that believes a file's sizes asks for far more.
MEMORY_LIMIT = 1024  # MB
SLOWEST_INPUT = 5  # seconds


def fuzz(fuzzer, build, limit):
    """Runs one fuzzer to its limit, and gives the line that says how it went, and whether it went well."""
    work = build / "fuzzing" / fuzzer
    corpus, findings, log = work / "corpus", work / "findings", work / "log.txt"
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    known = set(findings.iterdir())
    command = [build / "bin" / fuzzer, f"-max_len={LONGEST_INPUT}", f"-rss_limit_mb={MEMORY_LIMIT}",
               f"-timeout={SLOWEST_INPUT}", f"-artifact_prefix={findings}/", "-print_final_stats=1", limit, corpus]
    start = time.monotonic()
    with log.open("w") as output:
        status = subprocess.run(command + [CRAFTED / seeds for seeds in SEEDS[fuzzer]],
                                stdout=output, stderr=subprocess.STDOUT).returncode
    seconds = time.monotonic() - start
    runs = re.search(r"number_of_executed_units: +(\d+)", log.read_text(errors="replace"))
    runs = int(runs[1]) if runs else 0
    found = sorted(set(findings.iterdir()) - known)
    line = f"{fuzzer:20} {runs:>12,} runs {seconds:>8.0f} s {runs / seconds:>10,.0f} runs/s {len(found):>3} findings"
    asked = int(limit.split("=")[1]) if limit.startswith("-runs") else 1
    good = status == 0 and not found and runs >= asked
    if not good:
        line += f"\n  exit status {status}; see {log}" + "".join(f"\n  {finding}" for finding in found)
    return line, good


def main():
    parser = argparse.ArgumentParser(description="Runs the fuzzers of the readers.")
    parser.add_argument("fuzzers", nargs="*", default=SEEDS, metavar="FUZZER", help="default: all")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/fuzz", help="where they were built")
    limit = parser.add_mutually_exclusive_group(required=True)
    limit.add_argument("--seconds", type=int, help="of each fuzzer")
    limit.add_argument("--runs", type=int, help="of each fuzzer")
    arguments = parser.parse_args()
    limit = f"-max_total_time={arguments.seconds}" if arguments.seconds else f"-runs={arguments.runs}"
    all_good = True
    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        futures = [pool.submit(fuzz, fuzzer, arguments.build, limit) for fuzzer in arguments.fuzzers]
        for future in concurrent.futures.as_completed(futures):
            line, good = future.result()
            print(line, flush=True)
            all_good = all_good and good
    return 0 if all_good else 1


if __name__ == "__main__":
    sys.exit(main())
