#!/usr/bin/env python3
"""Proves that a run survives a loss of power at any moment, on a disk that keeps no more than POSIX promises.

The calls of a run are taken down with their bytes and replayed on a model of such a disk: a file's bytes are safe after
an fsync of the file, and a name after an fsync of its folder. Of what is not safe, a loss of power may leave nothing,
or the names without the bytes, or zeros for the bytes, or the last bytes alone. Each disk that can be found so is
written down, and the run goes on from it.
"""

import codecs
import pathlib
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from harness import Bench, Proof, autograd, for_each, main, newest_windows, require
from system_calls import Call, Scenario

TEXT = r'"((?:[^"\\]|\\.)*)"'
LONG = ("-s", "1000000")  # strace gives so many bytes of what is written


@dataclass(eq=False)
class File:
    now: bytes = b""
    safe: bytes = b""


@dataclass(eq=False)
class Folder:
    now: dict[str, "File | Folder"] = field(default_factory=dict)
    safe: dict[str, "File | Folder"] = field(default_factory=dict)


@dataclass(frozen=True)
class Loss:
    """What a loss of power leaves of what is not safe."""

    name: str
    names_stay: bool
    content: Callable[[File], bytes]


def zeros(file: File) -> bytes:
    return file.safe + bytes(max(len(file.now) - len(file.safe), 0))


def tail(file: File) -> bytes:
    return zeros(file)[:-30] + file.now[-30:] if len(file.now) > len(file.safe) + 30 else zeros(file)


LOSSES = (
    Loss("nothing", names_stay=False, content=lambda file: file.safe),
    Loss("names", names_stay=True, content=lambda file: file.safe),
    Loss("names and zeros", names_stay=True, content=zeros),
    Loss("names and the last bytes", names_stay=True, content=tail),
)

Tree = dict[str, bytes | None]  # None is a folder


class Disk:
    """A folder, which is safe itself, with what a run does in it."""

    def __init__(self, path: pathlib.Path):
        self._path = path
        self._root = Folder()
        self._top = Folder({".": self._root})
        self.saved = 0  # windows of the newest checkpoint that is safe
        self._renamed = 0

    def fill(self, source: pathlib.Path, name: str) -> None:
        """Puts a folder there that is safe, with all in it."""
        for path in (source, *sorted(source.rglob("*"))):
            node = Folder() if path.is_dir() else File(path.read_bytes(), path.read_bytes())
            folder, last = self._place(f"{self._path / name / path.relative_to(source)}")
            folder.now[last] = folder.safe[last] = node

    def apply(self, call: Call) -> None:
        """Does what a call did, if it succeeded."""
        if not re.search(r"\) += \d", call.line):
            return
        texts = [codecs.escape_decode(text.encode("latin-1"))[0] for text in re.findall(TEXT, call.line)]
        opened = re.search(r"\(\d+<([^>]*)>", call.line)
        folder, name = self._place(opened[1] if opened else texts[0].decode())
        if call.name == "mkdir":
            folder.now[name] = Folder()
        elif call.name == "openat" and "O_CREAT" in call.line:
            folder.now.setdefault(name, File())
        elif call.name == "rename":
            target, new_name = self._place(texts[1].decode())
            target.now[new_name] = folder.now.pop(name)
            self._renamed = max(self._renamed, call.saved_windows)
        elif call.name == "unlink":
            del folder.now[name]
        elif call.name in {"write", "ftruncate", "fsync"}:
            self._change(folder.now[name], call, texts)

    def _change(self, node: File | Folder, call: Call, texts: list[bytes]) -> None:
        if isinstance(node, Folder):
            node.safe = dict(node.now)
            if call.target == "checkpoints":
                self.saved = self._renamed
        elif call.name == "write":
            node.now += texts[0]
        elif call.name == "ftruncate":
            node.now = node.now[: int(call.line.rpartition(", ")[2].partition(")")[0])]
        else:
            node.safe = node.now

    def after(self, loss: Loss) -> Tree:
        """What is found when the power is back."""
        return dict(self._found(self._root, "", loss))

    def _place(self, path: str) -> tuple[Folder, str]:
        """The folder that a path's last name is in, and this name. The disk's own folder is in one, too."""
        folder = self._top
        *parents, name = (".", *pathlib.PurePath(path).relative_to(self._path).parts)
        for parent in parents:
            inner = folder.now[parent]
            assert isinstance(inner, Folder), path
            folder = inner
        return folder, name

    def _found(self, folder: Folder, prefix: str, loss: Loss) -> Iterator[tuple[str, bytes | None]]:
        for name, node in sorted((folder.now if loss.names_stay else folder.safe).items()):
            if isinstance(node, Folder):
                yield prefix + name, None
                yield from self._found(node, f"{prefix}{name}/", loss)
            else:
                yield prefix + name, loss.content(node)


@dataclass(frozen=True)
class Case:
    scenario: Scenario
    when: str
    tree: Tree
    saved: int


def cases_of(bench: Bench, scenario: Scenario) -> Iterator[Case]:
    """Every disk that can be found after a loss of power, once."""
    made = scenario.make(*LONG)
    disk = Disk(made.around)
    if scenario.first_epoch:
        disk.fill(scenario.first_epoch, made.run.name)
    seen: set[int] = set()
    for call in made.calls:
        disk.apply(call)
        for loss in LOSSES:
            tree = disk.after(loss)
            key = hash((frozenset(tree.items()), disk.saved))
            if key not in seen:
                seen.add(key)
                when = f"power lost after {call}, leaving {loss.name} ({scenario.name})"
                yield Case(scenario, when, tree, disk.saved)


def prove_case(bench: Bench, case: Case) -> None:
    around = bench.folder("power").parent
    run = around / case.scenario.inside / "run"
    for name, content in case.tree.items():
        path = around / name
        if content is None:
            path.mkdir()
        else:
            path.write_bytes(content)
    newest = newest_windows(run)
    require(newest >= case.saved, f"{case.when}: the newest checkpoint is of window {newest}, {case.saved} was saved")
    case.scenario.finish(run, case.when)


def prove(bench: Bench) -> str:
    variant = autograd("manual", "sgd")
    scenarios = [
        Scenario(bench, variant, is_resumed=False),
        Scenario(bench, variant, is_resumed=True),
        Scenario(bench, variant, is_resumed=False, inside="new/folders"),
    ]
    cases = [case for scenario in scenarios for case in cases_of(bench, scenario)]
    if not bench.is_full:
        cases = cases[:: len(cases) // 16]
    for_each(cases, lambda case: prove_case(bench, case))
    return f"{len(cases)} disks as a loss of power may leave them: no saved checkpoint lost, every end's bytes equal"


PROOFS = (Proof("loss of power", prove),)

if __name__ == "__main__":
    sys.exit(main(PROOFS, __doc__))
