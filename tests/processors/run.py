#!/usr/bin/env python3
"""Runs the tests of a build as on other processors, by keeping Highway and LibTorch from what this one can do.

    tests/processors/run.py BUILD [ROW ...] [-R PATTERN]

Without a ROW it makes them all. Each row runs CTest once, and first checks that its programs see the processor that it
is to play. The output of a row's tests is in BUILD/processors/ROW.log.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass, field

INSTRUCTION_SETS = ("SSE4", "AVX2", "AVX3")  # as Highway calls them; AVX3 is AVX-512


class Failure(Exception):
    """What keeps a row from being made, in one line."""


def output(words: list[str], environment: dict[str, str]) -> str:
    ended = subprocess.run(words, env={**os.environ, **environment}, capture_output=True, text=True)
    if ended.returncode != 0:
        raise Failure(f"{words[0]} fails: {ended.stderr.strip()}")
    return ended.stdout


def kernels(build: pathlib.Path, environment: dict[str, str]) -> str:
    """The best instruction set that Unroll's kernels find."""
    words = [f"{build}/bin/core_tests", "--gtest_list_tests", "--gtest_filter=*/KernelTest.EveryPassIsItsTwin/*"]
    found = re.findall(r"EveryPassIsItsTwin/(\w+)", output(words, environment))
    return max(found, key=INSTRUCTION_SETS.index)


def mkl(build: pathlib.Path, environment: dict[str, str]) -> str:
    """The best instruction set that MKL finds."""
    with tempfile.TemporaryDirectory() as folder:
        words = [f"{build}/bin/unroll-train", f"--out={folder}/run", "--engine=autograd", "--epochs=1", "--quiet",
                 "--series-length=30", "--eval-length=0", "--no-report"]
        said = output(words, {**environment, "MKL_VERBOSE": "1"})
    found = re.search(r"\(Intel\(R\) (SSE4|AVX2|AVX-512)", said)
    return found[1].replace("AVX-512", "AVX3") if found else "none of them"


def is_intel() -> bool:
    """MKL heeds MKL_ENABLE_INSTRUCTIONS on Intel's processors."""
    return "GenuineIntel" in pathlib.Path("/proc/cpuinfo").read_text()


@dataclass(frozen=True)
class Row:
    name: str
    what: str
    environment: dict[str, str] = field(default_factory=dict)
    best: str = ""  # instruction set
    finds: Callable[[pathlib.Path, dict[str, str]], str] | None = None  # the best that is there

    def check(self, build: pathlib.Path) -> None:
        if self.finds and (found := self.finds(build, self.environment)) != self.best:
            raise Failure(f"the programs find {found} and not {self.best}")


def of_kernels(name: str, limit: pathlib.Path) -> Row:
    return Row(f"kernels-{name.lower()}", f"Highway's kernels: {name}",
               {"LD_PRELOAD": str(limit), "UNROLL_INSTRUCTION_SET": name}, name, kernels)


def of_libtorch(name: str, aten: str, onednn: str, mkl_name: str) -> Row:
    return Row(f"libtorch-{name.lower()}", f"LibTorch, MKL, oneDNN: {name}",
               {"ATEN_CPU_CAPABILITY": aten, "ONEDNN_MAX_CPU_ISA": onednn, "MKL_ENABLE_INSTRUCTIONS": mkl_name},
               name, mkl if is_intel() else None)


def rows_of(build: pathlib.Path) -> list[Row]:
    limit = build / "tests/liblimit_instruction_set.so"
    return [
        Row("native", "this one"),
        of_kernels("AVX2", limit),
        of_kernels("SSE4", limit),
        of_libtorch("AVX2", "avx2", "AVX2", "AVX2"),
        of_libtorch("SSE4", "default", "SSE41", "SSE4_2"),
        *(Row(f"threads-{count}", f"OMP_NUM_THREADS={count}", {"OMP_NUM_THREADS": str(count)}) for count in (1, 2)),
    ]


@dataclass(frozen=True)
class Result:
    row: Row
    passed: int = 0
    failed: tuple[str, ...] = ()
    skipped: int = 0
    seconds: float = 0.0
    note: str = ""  # why the row was not made

    def __str__(self) -> str:
        figures = f"{self.passed} | {len(self.failed)} | {self.skipped} | {self.seconds:.0f}"
        return f"| {self.row.name} | {self.row.what}{': ' if self.note else ''}{self.note} | {figures} |"


def run_tests(row: Row, build: pathlib.Path, pattern: str, jobs: int) -> Result:
    log = build / "processors" / f"{row.name}.log"
    log.parent.mkdir(exist_ok=True)
    results = log.with_suffix(".xml")
    words = ["ctest", "--test-dir", str(build), "-j", str(jobs), "--output-on-failure", "--no-tests=error",
             "--output-junit", str(results), *(["-R", pattern] if pattern else [])]
    begin = time.monotonic()
    results.unlink(missing_ok=True)
    with log.open("w") as file:
        subprocess.run(words, env={**os.environ, **row.environment}, stdout=file, stderr=subprocess.STDOUT)
    seconds = time.monotonic() - begin
    if not results.exists():
        raise Failure(f"CTest has no results; see {log}")
    cases = ElementTree.parse(results).getroot().findall("testcase")
    status = {case.get("name", ""): case.get("status") for case in cases}
    return Result(row, passed=sum(found == "run" for found in status.values()),
                  failed=tuple(name for name, found in status.items() if found == "fail"),
                  skipped=sum(found in ("notrun", "disabled") for found in status.values()), seconds=seconds)


def make(row: Row, build: pathlib.Path, pattern: str, jobs: int) -> Result:
    try:
        if row.best and row.best == kernels(build, {}):
            return Result(row, note="skipped, this processor has no more")
        row.check(build)
        return run_tests(row, build, pattern, jobs)
    except Failure as failure:
        return Result(row, failed=(str(failure),), note="not made")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("build", type=lambda text: pathlib.Path(text).resolve(), help="a build folder")
    parser.add_argument("rows", nargs="*", metavar="ROW", help="the rows to make; default: all")
    parser.add_argument("-R", dest="pattern", default="", help="only tests whose names match")
    parser.add_argument("-j", dest="jobs", type=int, default=2, help="tests at a time (%(default)s)")
    arguments = parser.parse_args()
    rows = {row.name: row for row in rows_of(arguments.build)}
    if unknown := set(arguments.rows) - set(rows):
        parser.error(f"there is no row {unknown.pop()}; there are {', '.join(rows)}")
    print("| row | processor | passed | failed | skipped | seconds |\n| --- | --- | ---: | ---: | ---: | ---: |",
          flush=True)
    failures = []
    for name in arguments.rows or rows:
        result = make(rows[name], arguments.build, arguments.pattern, arguments.jobs)
        failures += [f"{name}: {problem}" for problem in result.failed]
        print(result, flush=True)
    print("\n".join(failures), end="\n" if failures else "")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
