#!/usr/bin/env python3
"""Measures Unroll's training step and the same step in other frameworks, side by side on one core.

    cmake --preset release && cmake --build --preset release --target step_bench
    python3 -m venv build/peers && build/peers/bin/pip install -r bench/requirements.txt
    build/peers/bin/python bench/peers.py

The contestants of a size take turns, a moment each, for several rounds; a figure is the median of its rounds, and a
ratio the median of the rounds' ratios. Every contestant trains the same network from the same weights on the same data,
and tells the mean loss of its first chunk of windows: where one disagrees, the script says so and fails. A peer whose
framework cannot be imported is reported as absent.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from statistics import median

BENCH = pathlib.Path(__file__).resolve().parent
README = BENCH.parent / "README.md"
MARKERS = "<!-- bench:begin -->", "<!-- bench:end -->"
LOSS_TOLERANCE = 5e-5  # in single precision, over a chunk


@dataclass(frozen=True)
class Size:
    """As step_bench.cpp's. Axes: B batch, T steps of a window, C classes, H hidden units."""

    B: int
    H: int
    T: int
    C: int
    chunk: int  # windows between two readings of the clock
    dtype: str = "float32"

    def __str__(self) -> str:
        """Its name in step_bench."""
        return f"B{self.B}_H{self.H}_T{self.T}_C{self.C}/{self.dtype}"

    @property
    def title(self) -> str:
        classes = f" C{self.C}" if self.C != 2 else ""
        return f"B{self.B} H{self.H} T{self.T}{classes}" + (f" {self.dtype}" if self.dtype != "float32" else "")

    @property
    def operations(self) -> int:
        """Floating-point operations of a window: three products with a matrix [H, H] and three with one [H, C]."""
        return 6 * self.B * self.T * self.H * (self.H + self.C)


SIZES = [
    Size(B=3, H=4, T=10, C=2, chunk=1000),
    Size(B=3, H=4, T=10, C=2, chunk=1000, dtype="float64"),
    Size(B=3, H=16, T=10, C=2, chunk=1000),
    Size(B=200, H=16, T=5, C=2, chunk=100),
    Size(B=32, H=32, T=25, C=2, chunk=100),
    Size(B=32, H=64, T=20, C=16, chunk=100),
    Size(B=64, H=256, T=64, C=2, chunk=10),
    Size(B=64, H=1024, T=32, C=2, chunk=3),
]


class Absent(Exception):
    """There is no such contestant here, or not at this size; the text says why."""


@dataclass(frozen=True)
class Reading:
    microseconds: float  # a window
    loss: float  # mean, of the first chunk


def run(command: list[str], core: int) -> str:
    result = subprocess.run(command, capture_output=True, text=True, preexec_fn=lambda: os.sched_setaffinity(0, {core}))
    if result.returncode != 0:
        raise Absent(f"{pathlib.Path(command[0]).name} failed: {result.stderr.strip().splitlines()[-1:]}")
    return result.stdout


class StepBench:
    """The program of step_bench.cpp."""

    def __init__(self, program: pathlib.Path, core: int):
        self.program, self.core = program, core

    def report(self, name: str, seconds: float) -> dict:
        """The context, and the benchmark whose name begins so."""
        options = [f"--benchmark_filter=^{name}(/|$)", f"--benchmark_min_time={seconds}", "--benchmark_format=json"]
        output = run([str(self.program), *options], self.core)
        if not output.strip():
            raise Absent(f"{self.program.name} has no benchmark {name}")
        report = json.loads(output)
        if message := report["benchmarks"][0].get("error_message"):
            raise Absent(f"{self.program.name} failed at {name}: {message}")
        return report


class Engine:
    """One of Unroll's engines with the manual model."""

    def __init__(self, name: str, program: StepBench):
        self.name, self.program = name, program

    def measure(self, size: Size, seconds: float) -> Reading:
        counters = self.program.report(f"{self.name}/manual/{size}", seconds)["benchmarks"][0]
        return Reading(counters["window"] * 1e6, counters["loss"])


class BareLoop:
    """bare_loop.cpp, compiled for the size in every way there is; the fastest of them."""

    LARGEST_H = 32  # Beyond, a plain loop without blocks for the caches is no limit.
    FLAGS = (["-O2"], ["-O3", "-ffast-math"])

    def __init__(self, core: int):
        self.core = core
        self.folder = tempfile.TemporaryDirectory()
        self.fastest: dict[Size, list[str]] = {}
        self.builds: dict[str, dict[str, float]] = {}  # microseconds of every build

    def measure(self, size: Size, seconds: float) -> Reading:
        if size not in self.fastest:
            self.fastest[size] = self.choose(size)
        return self.read(self.fastest[size], seconds)

    def read(self, program: list[str], seconds: float) -> Reading:
        microseconds, loss = run([*program, str(seconds)], self.core).split()
        return Reading(float(microseconds), float(loss))

    def choose(self, size: Size) -> list[str]:
        if size.dtype != "float32" or size.C != 2 or size.H > self.LARGEST_H:
            raise Absent(f"for float32, two classes and up to {self.LARGEST_H} hidden units only")
        times: dict[str, float] = {}
        programs: dict[str, list[str]] = {}
        for compiler in filter(shutil.which, ("g++", "clang++")):
            for flags in self.FLAGS:
                for whole_steps in (0, 1):
                    name = " ".join([compiler, *flags, f"-DWHOLE_STEPS={whole_steps}"])
                    programs[name] = self.build(size, compiler, [*flags, f"-DWHOLE_STEPS={whole_steps}"])
                    times[name] = min(self.read(programs[name], 0.05).microseconds for _ in range(3))
        if not times:
            raise Absent("neither g++ nor clang++")
        self.builds[str(size)] = times
        return programs[min(times, key=times.__getitem__)]

    def build(self, size: Size, compiler: str, flags: list[str]) -> list[str]:
        program = str(pathlib.Path(self.folder.name) / f"{size.title}{compiler}{''.join(flags)}")
        sizes = [f"-D{axis}={getattr(size, axis)}" for axis in "BHT"] + [f"-DCHUNK={size.chunk}"]
        source = str(BENCH / "bare_loop.cpp")
        subprocess.run([compiler, "-std=c++20", "-march=native", *flags, *sizes, source, "-o", program], check=True)
        return [program]


class Worker:
    """A running process of one of the files in peers/."""

    ENVIRONMENT = {
        "CUDA_VISIBLE_DEVICES": "",
        "JAX_PLATFORMS": "cpu",
        "MKL_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    }

    def __init__(self, arguments: list[str], core: int):
        script, *variant = arguments
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [sys.executable, str(BENCH / "peers" / script), *variant],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env=os.environ | self.ENVIRONMENT,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
        self.version: str = self.read()["version"]

    def ask(self, question: dict) -> dict:
        assert self.process.stdin
        try:
            print(json.dumps(question), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            pass  # read() tells its last words.
        return self.read()

    def read(self) -> dict:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            self.log.seek(0)
            words = self.log.read().strip().splitlines()
            raise Absent(words[-1] if words else "the process ended")
        return json.loads(line)


class Peer:
    """Another framework, or another way to use one: a worker, started when it is first needed."""

    def __init__(self, arguments: list[str], core: int):
        self.arguments, self.core = arguments, core
        self.worker: Worker | None = None

    @property
    def version(self) -> str | None:
        return self.worker.version if self.worker else None

    def measure(self, size: Size, seconds: float) -> Reading:
        if size.dtype != "float32":
            raise Absent("measured in float32 only")
        if self.worker is None:
            self.worker = Worker(self.arguments, self.core)
        sizes = {name: value for name, value in asdict(size).items() if name != "dtype"}
        answer = self.worker.ask({"size": sizes, "seconds": seconds})
        if "error" in answer:
            raise Absent(answer["error"])
        return Reading(answer["microseconds"], answer["loss"])


Contestant = Engine | BareLoop | Peer
FUSED = "Unroll fused"


def contestants(program: StepBench) -> dict[str, Contestant]:
    """By the titles of their columns."""
    core = program.core
    return {
        FUSED: Engine("fused", program),
        "bare loop": BareLoop(core),
        "JAX scan": Peer(["jax_peer.py", "scan"], core),
        "JAX step": Peer(["jax_peer.py", "step"], core),
        "torch.compile": Peer(["pytorch_peer.py", "compiled"], core),
        "PyTorch loop": Peer(["pytorch_peer.py", "manual"], core),
        "PyTorch nn.RNN": Peer(["pytorch_peer.py", "builtin"], core),
        "TensorFlow": Peer(["tensorflow_peer.py"], core),
        "Unroll autograd": Engine("autograd", program),
    }


@dataclass
class Row:
    """A size: every contestant's rounds, or why there are none."""

    size: Size
    readings: dict[str, list[Reading]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    def microseconds(self, title: str) -> float:
        return median(reading.microseconds for reading in self.readings[title])

    def ratio(self, title: str) -> float:
        """How many times the fused engine's time it takes."""
        pairs = zip(self.readings[title], self.readings[FUSED])
        return median(reading.microseconds / fused.microseconds for reading, fused in pairs)

    def disagreements(self) -> list[str]:
        expected = self.readings[FUSED][0].loss
        return [
            f"{self.size}: {title} has the loss {readings[0].loss:.6f}, {FUSED} {expected:.6f}"
            for title, readings in self.readings.items()
            if not abs(readings[0].loss - expected) <= LOSS_TOLERANCE * expected
        ]


def measure_row(size: Size, entrants: dict[str, Contestant], rounds: int, seconds: float) -> Row:
    row = Row(size)
    for number in range(rounds + 1):
        for title, entrant in entrants.items():
            if title in row.absent:
                continue
            try:
                reading = entrant.measure(size, seconds)
            except Absent as absence:
                row.absent[title] = str(absence)
                row.readings.pop(title, None)
                continue
            if number > 0:  # Round 0 starts processes and compiles.
                row.readings.setdefault(title, []).append(reading)
    return row


@dataclass(frozen=True)
class Machine:
    processor: str
    instruction_set: str
    peak: dict[str, float]  # floating-point operations a second, by dtype


def describe_machine(program: StepBench, seconds: float) -> Machine:
    cpuinfo = pathlib.Path("/proc/cpuinfo").read_text()
    name = re.search(r"^model name\s*: (.*)$", cpuinfo, re.MULTILINE)
    reports = {dtype: program.report(f"fma_peak/{dtype}", seconds) for dtype in ("float32", "float64")}
    # Highway names the levels of AVX-512 AVX3.
    instruction_set = reports["float32"]["context"]["instruction_set"].replace("AVX3", "AVX-512")
    peak = {dtype: report["benchmarks"][0]["flop"] for dtype, report in reports.items()}
    return Machine(name.group(1) if name else "an unknown processor", instruction_set, peak)


def cell(row: Row, title: str) -> str:
    if title not in row.readings:
        return ""
    value = row.microseconds(title)
    text = f"{value:,.{2 if value < 10 else 1 if value < 100 else 0}f}"
    if title == FUSED:
        return f"**{text}**"
    ratio = row.ratio(title)
    return f"{text} ({ratio:,.{2 if ratio < 10 else 0}f}x)"


def as_markdown(rows: list[Row], entrants: dict[str, Contestant], machine: Machine, rounds: int) -> str:
    """The table, with a column for everyone who has a figure, and a line on where and when."""
    columns = [title for title in entrants if any(title in row.readings for row in rows)]
    lines = ["| | " + " | ".join(columns) + " | share of peak |", "| --- |" + " ---: |" * (len(columns) + 1)]
    for row in rows:
        share = row.size.operations / row.microseconds(FUSED) * 1e6 / machine.peak[row.size.dtype]
        cells = [row.size.title, *(cell(row, title) for title in columns), f"{share:.0%}"]
        lines.append("| " + " | ".join(cells) + " |")

    absent = [title for title in entrants if title not in columns]
    titles_by_reason: dict[str, list[str]] = {}  # of empty cells
    for title in columns:
        for reason in dict.fromkeys(row.absent[title] for row in rows if title in row.absent):
            titles_by_reason.setdefault(reason, []).append(title)
    empty = [f"{', '.join(titles)} ({reason})" for reason, titles in titles_by_reason.items()]
    versions = {peer.version for peer in entrants.values() if isinstance(peer, Peer) and peer.version}
    notes = [
        f"{datetime.date.today()}, one core of: {machine.processor}",
        f"{machine.instruction_set}, peak {machine.peak['float32'] / 1e9:.0f} GFLOP/s in float32",
        *sorted(versions),
        f"medians of {rounds} rounds",
        *([f"absent: {', '.join(absent)}"] if absent else []),
        *([f"empty cells: {', '.join(empty)}"] if empty else []),
    ]
    return "\n".join(lines) + "\n\n" + "; ".join(notes) + "."


def as_json(rows: list[Row], entrants: dict[str, Contestant], machine: Machine) -> str:
    everything = {
        "date": str(datetime.date.today()),
        "machine": asdict(machine),
        "versions": {title: peer.version for title, peer in entrants.items() if isinstance(peer, Peer)},
        "rows": {str(row.size): asdict(row) for row in rows},
        "builds": {title: loop.builds for title, loop in entrants.items() if isinstance(loop, BareLoop)},
    }
    return json.dumps(everything, indent=1)


def update_readme(text: str) -> None:
    begin, end = MARKERS
    before, found_begin, rest = README.read_text().partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        sys.exit(f"peers.py: {README} lacks the lines {begin} and {end}")
    README.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="turns of each contestant at each size (%(default)s)")
    parser.add_argument("--seconds", type=float, default=0.5, help="the length of a turn, at least (%(default)s)")
    parser.add_argument("--sizes", nargs="+", metavar="SIZE", default=list(map(str, SIZES)), help="of: %(default)s")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)), help="to run on (%(default)s)")
    parser.add_argument("--step-bench", type=pathlib.Path, default=BENCH.parent / "build/release/bin/step_bench")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write every reading to a file")
    parser.add_argument("--update-readme", action="store_true", help="put the table into README.md")
    arguments = parser.parse_args()
    unknown = set(arguments.sizes) - set(map(str, SIZES))
    if unknown:
        parser.error(f"no such size: {' '.join(sorted(unknown))}")
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    if not arguments.step_bench.exists():
        parser.error(f"{arguments.step_bench} is missing; build the target step_bench")
    return arguments


def main() -> int:
    arguments = parse_arguments()
    program = StepBench(arguments.step_bench, arguments.core)
    entrants = contestants(program)
    rows = []
    for size in SIZES:
        if str(size) in arguments.sizes:
            print(f"{size} ..", file=sys.stderr, flush=True)
            rows.append(measure_row(size, entrants, arguments.rounds, arguments.seconds))
            for title, reason in rows[-1].absent.items():
                print(f"  no {title}: {reason}", file=sys.stderr)
            if FUSED in rows[-1].absent:
                sys.exit(f"peers.py: without {FUSED} at {size} there is nothing to compare with")

    try:
        machine = describe_machine(program, arguments.seconds)
    except Absent as absence:
        sys.exit(f"peers.py: {absence}")
    text = as_markdown(rows, entrants, machine, arguments.rounds)
    print(text)
    if arguments.json:
        arguments.json.write_text(as_json(rows, entrants, machine) + "\n")
    disagreements = [line for row in rows for line in row.disagreements()]
    for line in disagreements:
        print(line, file=sys.stderr)
    if disagreements:
        return 1
    if arguments.update_readme:
        update_readme(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
