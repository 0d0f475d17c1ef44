#!/usr/bin/env python3
"""Measures Unroll's training step and the same step in other frameworks, side by side on one core.

    cmake --preset release && cmake --build --preset release --target step_bench
    python3 -m venv build/peers && build/peers/bin/pip install -r bench/requirements.txt
    build/peers/bin/python bench/peers.py

The contestants of a size take turns, a moment each, for several rounds; a figure is the median of its rounds, and a
ratio the median of the rounds' ratios. Every contestant trains the same network from the same weights on the same data,
and tells the mean loss of its first chunk of windows: where one disagrees, the script says so and fails. A peer whose
framework cannot be imported is reported as absent.

On a GPU, unroll-train and PyTorch: docs/cuda.md says how. A contestant that fails there has a cell that says so.
"""

import argparse
import csv
import ctypes
import datetime
import json
import math
import os
import pathlib
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from statistics import median

BENCH = pathlib.Path(__file__).resolve().parent
PAGE = BENCH.parent / "docs" / "speed.md"
READMES = BENCH.parent / "README.md", BENCH.parent / "README.zh-CN.md"
MARKERS = "<!-- bench:begin -->", "<!-- bench:end -->"
LOSS_TOLERANCE = 5e-5  # in single precision, over a chunk
CHUNKS = 10  # in the data, as in peers/worker.py
GPU_LEARNING_RATE = 0.01  # With the CPU's 0.2 the networks of 1024 units and more soon are chaotic.
TURN_LIMIT, COMPILATION_LIMIT = 90.0, 240.0  # seconds, on a GPU


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

GPU_SIZES = [
    *(replace(size, chunk=min(size.chunk, 100)) for size in SIZES),  # Eagerly even a small window takes milliseconds.
    Size(B=256, H=1024, T=64, C=2, chunk=10),
    Size(B=256, H=2048, T=128, C=2, chunk=3),
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


FLOAT32_ONLY = "measured in float32 only"
DOES_NOT_FIT = "does not fit in a block"
BY_DESIGN = FLOAT32_ONLY, DOES_NOT_FIT  # all other reasons are failures, on a GPU


class UnrollTrain:
    """unroll-train on a device. Each turn is a process, whose first epoch warms up; the others are timed."""

    MOST_EPOCHS = 200

    def __init__(self, program: pathlib.Path, device: str, engine: str, model: str):
        self.command = [str(program), "--device", device, "--engine", engine, "--model", model]
        self.epoch_seconds: dict[Size, float] = {}  # of the turn before

    def measure(self, size: Size, seconds: float) -> Reading:
        epochs = 1
        if size in self.epoch_seconds:
            epochs = max(1, min(math.ceil(seconds / self.epoch_seconds[size]), self.MOST_EPOCHS))
        with tempfile.TemporaryDirectory() as folder:
            metrics = self.train(size, 1 + epochs, pathlib.Path(folder))
        warm = max(float(row["train_seconds"]) for row in metrics if row["epoch"] == "1")
        timed = float(metrics[-1]["train_seconds"]) - warm
        self.epoch_seconds[size] = timed / epochs
        return Reading(timed * 1e6 / (epochs * CHUNKS * size.chunk), float(metrics[0]["mean_loss"]))

    def train(self, size: Size, epochs: int, folder: pathlib.Path) -> list[dict[str, str]]:
        """The rows of metrics.csv, one a chunk."""
        length = size.B * size.T * CHUNKS * size.chunk
        options = {
            "hidden-size": size.H,
            "dtype": size.dtype,
            "batch-size": size.B,
            "num-steps": size.T,
            "epochs": epochs,
            "learning-rate": GPU_LEARNING_RATE,
            "log-every": size.chunk,
            "checkpoint-every": 1_000_000_000,
            "eval-length": 0,
            "out": folder / "run",
            **({"series-length": length} if size.C == 2 else {"data": self.write_series(size, length, folder)}),
        }
        flags = [f"--{name}={value}" for name, value in options.items()]
        try:
            result = subprocess.run(
                [*self.command, *flags, "--no-report", "--quiet", "--json"],
                capture_output=True, text=True, timeout=TURN_LIMIT,
            )
        except subprocess.TimeoutExpired:
            raise Absent(f"took over {TURN_LIMIT:.0f} s") from None
        if result.returncode != 0:
            if "only what fits in" in result.stderr:
                raise Absent(DOES_NOT_FIT)
            print(result.stderr, end="", file=sys.stderr)
            raise Absent(": ".join([f"ended with code {result.returncode}", *result.stderr.splitlines()[-1:]]))
        with open(folder / "run" / "metrics.csv", newline="") as file:
            return list(csv.DictReader(file))

    @staticmethod
    def write_series(size: Size, length: int, folder: pathlib.Path) -> pathlib.Path:
        """The peers' series, where the program does not sample it."""
        sys.path.insert(0, str(BENCH / "peers"))
        from worker import sample_series  # Here, as it needs NumPy, and this script does not for the CPU.

        path = folder / "series.csv"
        inputs, targets = sample_series(length, size.C)
        path.write_text("input,target\n" + "".join(f"{x},{y}\n" for x, y in zip(inputs, targets)))
        return path


class Worker:
    """A running process of one of the files in peers/: on a core, or on no certain one, to use a GPU."""

    ENVIRONMENT = {
        "CUDA_VISIBLE_DEVICES": "",
        "JAX_PLATFORMS": "cpu",
        "MKL_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    }
    GPU_ENVIRONMENT = {"TORCHINDUCTOR_CUDAGRAPH_OR_ERROR": "1"}  # rather than no graph in silence

    def __init__(self, arguments: list[str], core: int | None, limit: float | None):
        script, *variant = arguments
        self.limit = limit  # seconds to an answer
        if core is None:
            environment, pin, self.log = self.GPU_ENVIRONMENT, None, None  # It shares our stderr.
        else:
            environment, pin = self.ENVIRONMENT, lambda: os.sched_setaffinity(0, {core})
            self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [sys.executable, str(BENCH / "peers" / script), *variant],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env=os.environ | environment,
            preexec_fn=pin,
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
        # There is one line to each question, so that none waits in the buffer.
        if not select.select([self.process.stdout], [], [], self.limit)[0]:
            self.process.kill()
            raise Absent(f"took over {self.limit:.0f} s")
        line = self.process.stdout.readline()
        if not line:
            if self.log is None:
                raise Absent(f"ended with code {self.process.wait()}")
            self.log.seek(0)
            words = self.log.read().strip().splitlines()
            raise Absent(words[-1] if words else "the process ended")
        return json.loads(line)


class Peer:
    """Another framework, or another way to use one: a worker, started when it is first needed."""

    def __init__(self, arguments: list[str], core: int | None, limit: float | None = None):
        self.arguments, self.core, self.limit = arguments, core, limit
        self.task: dict[str, float] = {}  # what differs from the usual
        self.worker: Worker | None = None

    @property
    def version(self) -> str | None:
        return self.worker.version if self.worker else None

    def measure(self, size: Size, seconds: float) -> Reading:
        if size.dtype != "float32":
            raise Absent(FLOAT32_ONLY)
        if self.worker is None:
            self.worker = Worker(self.arguments, self.core, self.limit)
        sizes = {name: value for name, value in asdict(size).items() if name != "dtype"}
        answer = self.worker.ask({"size": sizes, "seconds": seconds, **self.task})
        if "error" in answer:
            raise Absent(answer["error"])
        return Reading(answer["microseconds"], answer["loss"])


class GpuPeer(Peer):
    """A peer on a GPU. A failure can leave the GPU unusable to its process, so that the next size gets a new one."""

    def __init__(self, arguments: list[str], limit: float = TURN_LIMIT):
        super().__init__(arguments, core=None, limit=limit)
        self.task = {"learning_rate": GPU_LEARNING_RATE}

    def measure(self, size: Size, seconds: float) -> Reading:
        try:
            return super().measure(size, seconds)
        except Absent as absence:
            if self.worker and str(absence) not in BY_DESIGN:
                self.worker.process.kill()
                self.worker = None
            raise


class CompilingPeer:
    """A peer on a GPU for each size. All compile at once, before anything is timed: that takes longer than the rest."""

    def __init__(self, arguments: list[str], sizes: list[Size]):
        self.peers = {size: GpuPeer(arguments, COMPILATION_LIMIT) for size in sizes}
        self.absences: dict[Size, Absent] = {}

    @property
    def version(self) -> str | None:
        return next((peer.version for peer in self.peers.values() if peer.version), None)

    def compile(self) -> None:
        def measure(size: Size) -> None:
            try:
                self.peers[size].measure(size, 0.0)
            except Absent as absence:
                self.absences[size] = absence

        with ThreadPoolExecutor(len(self.peers)) as pool:
            list(pool.map(measure, self.peers))

    def measure(self, size: Size, seconds: float) -> Reading:
        if size in self.absences:
            raise self.absences[size]
        return self.peers[size].measure(size, seconds)


Contestant = Engine | BareLoop | UnrollTrain | Peer | CompilingPeer
FUSED = "Unroll fused"
SHORT_COLUMNS = FUSED, "Unroll autograd", "PyTorch nn.RNN", "JAX scan", "TensorFlow"  # of the READMEs' table
SHORT_ROWS = "B3 H4 T10", "B200 H16 T5", "B32 H32 T25", "B64 H256 T64", "B64 H1024 T32"


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


def gpu_contestants(program: pathlib.Path, device: str, sizes: list[Size]) -> dict[str, Contestant]:
    """By the titles of their columns."""
    return {
        FUSED: UnrollTrain(program, device, "fused", "manual"),
        "Unroll autograd manual": UnrollTrain(program, device, "autograd", "manual"),
        "Unroll autograd builtin": UnrollTrain(program, device, "autograd", "builtin"),
        "torch.compile": CompilingPeer(["pytorch_peer.py", "reduce-overhead", device], sizes),
        "PyTorch loop": GpuPeer(["pytorch_peer.py", "manual", device]),
        "PyTorch nn.RNN": GpuPeer(["pytorch_peer.py", "builtin", device]),
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

    def is_finished(self, titles: Iterable[str], rounds: int) -> bool:
        return all(title in self.absent or len(self.readings.get(title, [])) == rounds for title in titles)

    def disagreements(self) -> list[str]:
        if not self.readings:
            return []
        first, expected = next((title, readings[0].loss) for title, readings in self.readings.items())
        return [
            f"{self.size}: {title} has the loss {readings[0].loss:.6f}, {first} {expected:.6f}"
            for title, readings in self.readings.items()
            if not abs(readings[0].loss - expected) <= LOSS_TOLERANCE * expected
        ]


def measure_row(
    size: Size, entrants: dict[str, Contestant], rounds: int, seconds: float, end: float = math.inf
) -> Row:
    """No turn begins after the `end` of time.monotonic()."""
    row = Row(size)
    for number in range(rounds + 1):
        for title, entrant in entrants.items():
            if title in row.absent or (number == 0 and isinstance(entrant, UnrollTrain)):  # which warms up every time
                continue
            if time.monotonic() > end:
                return row
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


def gpu_name() -> str:
    """The GPU's that programs take by default."""
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        raise Absent(f"no NVIDIA driver: {error}") from None
    device, name = ctypes.c_int(), ctypes.create_string_buffer(256)
    if cuda.cuInit(0) or cuda.cuDeviceGet(ctypes.byref(device), 0) or cuda.cuDeviceGetName(name, len(name), device):
        raise Absent("the NVIDIA driver finds no usable GPU")
    return name.value.decode()


def rounded(value: float) -> str:
    return f"{value:,.{2 if value < 10 else 1 if value < 100 else 0}f}"


def cell(row: Row, title: str) -> str:
    if title not in row.readings:
        return ""
    text = rounded(row.microseconds(title))
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


def versions_of(entrants: dict[str, Contestant]) -> dict[str, str | None]:
    return {title: peer.version for title, peer in entrants.items() if isinstance(peer, Peer | CompilingPeer)}


def gpu_cell(row: Row, title: str) -> str:
    """In bold if it is the row's fastest."""
    if title in row.readings:
        value = row.microseconds(title)
        is_fastest = value == min(map(row.microseconds, row.readings))
        return f"**{rounded(value)}**" if is_fastest else rounded(value)
    return "failed" if title in row.absent and row.absent[title] not in BY_DESIGN else ""


def gpu_table(rows: list[Row], entrants: dict[str, Contestant], gpu: str, rounds: int) -> str:
    """The table, whoever has a figure, and a line on where, when and what is not there."""
    lines = ["| | " + " | ".join(entrants) + " |", "| --- |" + " ---: |" * len(entrants)]
    lines += [f"| {row.size.title} | " + " | ".join(gpu_cell(row, title) for title in entrants) + " |" for row in rows]
    absences = [(row.size.title, title, reason) for row in rows for title, reason in row.absent.items()]
    titles_by_reason = {reason: dict.fromkeys(title for _, title, why in absences if why == reason)
                        for reason in BY_DESIGN}  # of empty cells
    empty = [f"{', '.join(titles)} ({reason})" for reason, titles in titles_by_reason.items() if titles]
    failures = [f"{title} at {size} ({reason})" for size, title, reason in absences if reason not in BY_DESIGN]
    unfinished = [row.size.title for row in rows if not row.is_finished(entrants, rounds)]
    notes = [
        f"{datetime.date.today()}, {gpu}, no TF32",
        *sorted({version for version in versions_of(entrants).values() if version}),
        f"medians of {rounds} rounds",
        *([f"fewer for want of time: {', '.join(unfinished)}"] if unfinished else []),
        *([f"empty cells: {', '.join(empty)}"] if empty else []),
        *([f"failed: {', '.join(failures)}"] if failures else []),
        *(line for row in rows for line in row.disagreements()),
    ]
    return "\n".join(lines) + "\n\n" + "; ".join(notes) + "."


def as_json(rows: list[Row], entrants: dict[str, Contestant], machine: Machine) -> str:
    everything = {
        "date": str(datetime.date.today()),
        "machine": asdict(machine),
        "versions": versions_of(entrants),
        "rows": {str(row.size): asdict(row) for row in rows},
        "builds": {title: loop.builds for title, loop in entrants.items() if isinstance(loop, BareLoop)},
    }
    return json.dumps(everything, indent=1)


def gpu_json(rows: list[Row], entrants: dict[str, Contestant], gpu: str) -> str:
    everything = {
        "date": str(datetime.date.today()),
        "gpu": gpu,
        "versions": versions_of(entrants),
        "rows": {str(row.size): asdict(row) for row in rows},
    }
    return json.dumps(everything, indent=1)


def short_table(text: str) -> str:
    """The rows and columns of the full table that the READMEs have room for, without words to translate."""
    table, _, notes = text.strip().partition("\n\n")
    heading, rule, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines())
    kept = [0, *(heading.index(title) for title in SHORT_COLUMNS if title in heading)]
    chosen = [heading, rule, *(row for row in rows if row[0] in SHORT_ROWS)]
    lines = ["| " + " | ".join(row[i] for i in kept) + " |" for row in chosen]
    date, machine = notes.split(", one core of: ")
    return "\n".join(lines) + f"\n\n{date}, {machine.partition(';')[0]}."


def replace_table(page: pathlib.Path, text: str) -> None:
    begin, end = MARKERS
    before, found_begin, rest = page.read_text().partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        sys.exit(f"peers.py: {page} lacks the lines {begin} and {end}")
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def update_docs(text: str) -> None:
    replace_table(PAGE, text)
    for readme in READMES:
        replace_table(readme, short_table(text))


def parse_arguments() -> argparse.Namespace:
    sizes = {"cpu": list(map(str, SIZES)), "cuda": list(map(str, GPU_SIZES))}
    more = " ".join(size for size in sizes["cuda"] if size not in sizes["cpu"])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="where they train (%(default)s)")
    parser.add_argument("--rounds", type=int, help="turns of each contestant at each size (7; on a GPU 3)")
    parser.add_argument("--seconds", type=float, default=0.5, help="the length of a turn, at least (%(default)s)")
    known = f"of: {' '.join(sizes['cpu'])}; on a GPU also {more}"
    parser.add_argument("--sizes", nargs="+", metavar="SIZE", help=known)
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)), help="to run on (%(default)s)")
    parser.add_argument("--step-bench", type=pathlib.Path, default=BENCH.parent / "build/release/bin/step_bench")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write every reading to a file")
    parser.add_argument("--update-docs", action="store_true", help="put the table into docs/speed.md and the READMEs")
    gpu = parser.add_argument_group("with --device cuda")
    gpu.add_argument("--bin", type=pathlib.Path, metavar="DIR", default=BENCH.parent / "build/cuda/bin",
                     help="the folder of unroll-train (build/cuda/bin)")
    gpu.add_argument("--limit", type=float, metavar="SECONDS", default=540, help="no turn begins later (%(default)s)")
    gpu.add_argument("--table", type=pathlib.Path, metavar="FILE", help="write the table to a file, after every size")
    arguments = parser.parse_args()
    on_gpu = arguments.device == "cuda"
    arguments.rounds = (3 if on_gpu else 7) if arguments.rounds is None else arguments.rounds
    arguments.sizes = arguments.sizes or sizes[arguments.device]
    unknown = set(arguments.sizes) - set(sizes[arguments.device])
    if unknown:
        parser.error(f"no such size: {' '.join(sorted(unknown))}")
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    if on_gpu and arguments.update_docs:
        parser.error("--update-docs is for the CPU's table")
    if not on_gpu and not arguments.step_bench.exists():
        parser.error(f"{arguments.step_bench} is missing; build the target step_bench")
    return arguments


def report_absent(row: Row) -> None:
    for title, reason in row.absent.items():
        print(f"  no {title}: {reason}", file=sys.stderr, flush=True)


def report_disagreements(rows: list[Row]) -> bool:
    """Whether there are any."""
    disagreements = [line for row in rows for line in row.disagreements()]
    for line in disagreements:
        print(line, file=sys.stderr)
    return bool(disagreements)


def measure_on_gpu(arguments: argparse.Namespace, gpu: str) -> int:
    program = arguments.bin / "unroll-train"
    if not program.exists():
        sys.exit(f"peers.py: {program} is missing; build the preset cuda, or name its folder by --bin")
    end = time.monotonic() + arguments.limit
    sizes = [size for size in GPU_SIZES if str(size) in arguments.sizes]
    entrants = gpu_contestants(program, arguments.device, sizes)
    rows: list[Row] = []

    def write() -> str:
        text = gpu_table(rows, entrants, gpu, arguments.rounds)
        if arguments.table:
            arguments.table.write_text(text + "\n")
        if arguments.json:
            arguments.json.write_text(gpu_json(rows, entrants, gpu) + "\n")
        return text

    write()  # What cannot be written is told at once.
    print("compiling ..", file=sys.stderr, flush=True)
    for entrant in entrants.values():
        if isinstance(entrant, CompilingPeer):
            entrant.compile()
    for size in reversed(sizes):  # Should time run out, the small ones are missed least.
        print(f"{size} ..", file=sys.stderr, flush=True)
        rows.insert(0, measure_row(size, entrants, arguments.rounds, arguments.seconds, end))
        report_absent(rows[0])
        write()
    print(write())
    return 1 if report_disagreements(rows) else 0


def main() -> int:
    arguments = parse_arguments()
    if arguments.device == "cuda":
        try:
            gpu = gpu_name()
        except Absent as absence:
            sys.exit(f"peers.py: --device cuda: {absence}")
        return measure_on_gpu(arguments, gpu)
    program = StepBench(arguments.step_bench, arguments.core)
    entrants = contestants(program)
    rows = []
    for size in SIZES:
        if str(size) in arguments.sizes:
            print(f"{size} ..", file=sys.stderr, flush=True)
            rows.append(measure_row(size, entrants, arguments.rounds, arguments.seconds))
            report_absent(rows[-1])
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
    if report_disagreements(rows):
        return 1
    if arguments.update_docs:
        update_docs(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
