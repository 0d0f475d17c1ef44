"""What the peers share: the task, and the conversation with ../peers.py.

A peer is a process of its own that stays alive, so that no start-up and no compilation is in the figures. It first
says which version it is; then it answers every line, a size, a time and perhaps a learning rate in JSON, with a line:
the microseconds a window, and the mean loss of the first chunk. All peers train from the same weights on the same
data, so those losses must agree.

Axes: B batch, T steps of a window, C classes, H hidden units.
"""

import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

LEARNING_RATE = 0.2
CHUNKS = 10  # in the data: too much for the nearest caches and for branch prediction


@dataclass(frozen=True)
class Size:
    B: int
    H: int
    T: int
    C: int
    chunk: int  # windows between two readings of the clock


@dataclass(frozen=True)
class Task:
    """The windows, int32 [CHUNKS, chunk, B, T] each, and the initial weights."""

    size: Size
    inputs: np.ndarray
    targets: np.ndarray
    W: np.ndarray  # [C + H, H]; b is zero
    V: np.ndarray  # [H, C]; c is zero
    learning_rate: float


# Trains on the chunk of this number, returns when it is done, and gives the mean loss of its windows.
TrainChunk = Callable[[int], float]


def sample_series(length: int, C: int) -> tuple[np.ndarray, np.ndarray]:
    """The tutorial's series for two classes; for more, each target is the input three steps back."""
    random = np.random.RandomState(0)
    if C == 2:
        inputs = random.choice(2, length)
        p = 0.5 + 0.5 * np.roll(inputs, 3) - 0.25 * np.roll(inputs, 8)
        return inputs, (random.random_sample(length) <= p).astype(np.int64)
    inputs = (random.random_sample(length) * C).astype(np.int64)
    return inputs, np.roll(inputs, 3)


def glorot(random: np.random.RandomState, rows: int, columns: int) -> np.ndarray:
    limit = np.sqrt(6.0 / (rows + columns))
    return random.uniform(-limit, limit, (rows, columns)).astype(np.float32)


def make_task(size: Size, learning_rate: float) -> Task:
    inputs, targets = (
        symbols.reshape(size.B, CHUNKS, size.chunk, size.T).transpose(1, 2, 0, 3).astype(np.int32)
        for symbols in sample_series(size.B * CHUNKS * size.chunk * size.T, size.C)
    )
    random = np.random.RandomState(0)
    W = glorot(random, size.C + size.H, size.H)
    V = glorot(random, size.H, size.C)
    return Task(size, inputs, targets, W, V, learning_rate)


class Contestant:
    """A peer at one size, warm from its first chunk on."""

    def __init__(self, make: Callable[[Task], TrainChunk], size: Size, learning_rate: float):
        self.size = size
        self.train_chunk = make(make_task(size, learning_rate))
        self.first_loss = self.train_chunk(0)
        self.chunk = 1

    def microseconds(self, seconds: float) -> float:
        """The time of a window, from whole chunks of at least so many seconds together."""
        chunks = 0
        start = time.perf_counter()
        while chunks == 0 or time.perf_counter() - start < seconds:
            self.train_chunk(self.chunk)
            self.chunk = (self.chunk + 1) % CHUNKS
            chunks += 1
        return (time.perf_counter() - start) * 1e6 / (chunks * self.size.chunk)


def serve(version: str, make: Callable[[Task], TrainChunk]) -> None:
    """Answers until there are no more questions."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # Frameworks talk too.

    def answer(message: dict) -> None:
        print(json.dumps(message), file=answers, flush=True)

    answer({"version": version})
    contestant = None
    for line in sys.stdin:
        question = json.loads(line)
        size = Size(**question["size"])
        try:
            if contestant is None or contestant.size != size:
                contestant = Contestant(make, size, question.get("learning_rate", LEARNING_RATE))
            microseconds = contestant.microseconds(question["seconds"])
            answer({"microseconds": microseconds, "loss": contestant.first_loss})
        except Exception as error:  # Whatever a framework throws: this peer has no figure, the others have.
            contestant = None
            traceback.print_exc()
            answer({"error": f"{type(error).__name__}: {error}".splitlines()[0]})
