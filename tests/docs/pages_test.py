"""README.md, README.zh-CN.md and docs/ say what is true.

    pages_test.py BIN_FOLDER [--write-help]

Checks the links, anchors, paths, presets and flags of all pages; the READMEs' lengths, and that both have the same
sections and code; that the C++ on them is the code that other tests compile; and that the table of speeds is the same
everywhere. Then it runs the commands of each page in a folder of its own, and compares what they print with the block
of text below them. Prints a line for each fault, and exits with 1 if there is one.

A command that takes too long here has a line <!-- not run: why --> above it. In a block of text, a line ... stands for
any number of lines. Times and dates are not compared; numbers with a decimal point may differ by TOLERANCE, because
processors round differently. --write-help checks nothing, and puts the programs' help into docs/commands.md.
"""

import concurrent.futures
import itertools
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unicodedata
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ("train", "compare", "sweep", "convert", "export", "predict")
COMMAND = "build/release/bin/"  # of a block that is run
MOST_LINES, MOST_COLUMNS = 260, 120  # of a README
TOLERANCE = 0.01  # Rounding grows in a training: the README's numbers moved by up to 0.006 with another engine.
MARK = "=== block"

sys.path.insert(0, str(ROOT / "bench"))
import peers  # noqa: E402


@dataclass(frozen=True)
class Block:
    """A block of code between fences."""

    language: str
    text: str
    is_run: bool


class Page:
    def __init__(self, path: pathlib.Path):
        self.path, self.name = path, str(path.relative_to(ROOT))
        self.lines = path.read_text().splitlines()
        self.blocks: list[Block] = []
        self.prose: list[str] = []  # without the blocks
        self.read()

    def read(self) -> None:
        code: list[str] | None = None
        language, note = "", ""
        for line in self.lines:
            if line.startswith("```") and code is None:
                code, language, note = [], line[3:], self.prose[-1] if self.prose else ""
            elif line.startswith("```"):
                text = "\n".join(code or [])
                is_run = language == "sh" and COMMAND in text and not note.startswith("<!-- not run: ")
                self.blocks.append(Block(language, text, is_run))
                code = None
            elif code is None:
                self.prose.append(line)
            else:
                code.append(line)

    @property
    def headings(self) -> list[str]:
        return [line for line in self.prose if re.match("#+ ", line)]

    @property
    def anchors(self) -> set[str]:
        """As GitHub makes them."""
        anchors: set[str] = set()
        for heading in self.headings:
            title = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading.lstrip("#").strip()).lower()
            anchor = re.sub(r"[^\w\- ]", "", title).replace(" ", "-")
            numbered = (f"{anchor}-{i}" if i else anchor for i in itertools.count())
            anchors.add(next(name for name in numbered if name not in anchors))
        return anchors

    @property
    def spans(self) -> list[str]:
        """What stands between backticks in a line."""
        return [span for line in self.prose for span in re.findall(r"`([^`]+)`", line)]

    @property
    def links(self) -> list[str]:
        text = re.sub(r"`[^`]*`", "", "\n".join(self.prose))
        return [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]


def columns(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in line)


def link_faults(page: Page, pages: dict[pathlib.Path, Page]) -> list[str]:
    faults = []
    for link in page.links:
        name, _, anchor = link.partition("#")
        target = (page.path.parent / name).resolve() if name else page.path
        if not target.exists():
            faults.append(f"the link {link} leads nowhere")
        elif anchor and (target not in pages or anchor not in pages[target].anchors):
            faults.append(f"the link {link} has no such anchor")
    return faults


def path_faults(page: Page) -> list[str]:
    """Paths of the repository between backticks or in indented lines."""
    folders = {path.name for path in ROOT.iterdir() if path.is_dir()} - {"build", "runs"}
    trees = [line.split()[0].rstrip(",") for line in page.prose if re.match(r" {4}\S", line)]
    faults = []
    for span in [*page.spans, *trees]:
        if not re.fullmatch(r"[\w.-]+/[\w./-]*", span):
            continue
        base = ROOT / "src" if span.startswith("unroll/") else ROOT
        if (base is not ROOT or span.split("/")[0] in folders) and not (base / span).exists():
            faults.append(f"there is no {span}")
    return faults


def preset_faults(page: Page) -> list[str]:
    presets = json.loads((ROOT / "CMakePresets.json").read_text())
    text = "\n".join(page.lines)
    faults = []
    for step, kind in (("--workflow", "workflow"), ("--build", "build"), ("cmake", "configure"), ("ctest", "test")):
        known = {preset["name"] for preset in presets[f"{kind}Presets"]}
        used = set(re.findall(rf"{step} --preset (\w+)", text))
        faults += [f"there is no {kind} preset {name}" for name in sorted(used - known)]
    return faults


def help_of(bin_folder: pathlib.Path, program: str) -> str:
    result = subprocess.run([bin_folder / program, "--help"], capture_output=True, text=True, check=True)
    return "\n".join(line.rstrip() for line in result.stdout.strip().splitlines())


def write_help(bin_folder: pathlib.Path) -> None:
    page = ROOT / "docs" / "commands.md"
    below = rf"(```sh\n{COMMAND}(\S+) --help\n```\n\n```text\n).*?(\n```)"
    page.write_text(re.sub(
        below, lambda match: f"{match[1]}{help_of(bin_folder, match[2])}{match[3]}", page.read_text(), flags=re.DOTALL
    ))


def known_flags(bin_folder: pathlib.Path) -> set[str]:
    """Of the programs, and of the scripts that the pages speak of."""
    texts = [help_of(bin_folder, f"unroll-{program}") for program in PROGRAMS]
    scripts = [*(ROOT / "bench").glob("*.py"), *(ROOT / "tests").rglob("*.py")]
    return set(re.findall(r"--[a-z][a-z-]*", "\n".join([*texts, *(script.read_text() for script in scripts)])))


def flag_faults(page: Page, known: set[str]) -> list[str]:
    used = {match[0] for span in page.spans if (match := re.match(r"--[a-z][a-z-]*", span))}
    return [f"there is no flag {flag}" for flag in sorted(used - known)]


def readme_faults(page: Page) -> list[str]:
    """A line break in Chinese text shows as a space, so that its paragraphs are long lines: they count as wrapped."""
    is_wrapped = page.name == "README.md"
    widths = [columns(line) for line in page.lines]
    count = sum(max(1, -(-width // MOST_COLUMNS)) for width in widths)
    faults = [f"has {count} lines of {MOST_COLUMNS} columns, at most {MOST_LINES} are allowed"] * (count > MOST_LINES)
    if is_wrapped:
        faults += [f"line {i} has {width} columns" for i, width in enumerate(widths, 1) if width > MOST_COLUMNS]
    if any(COMMAND in block.text and not block.is_run for block in page.blocks):
        faults.append("has a command that is not run")
    return faults


def twin_faults(english: Page, chinese: Page) -> list[str]:
    levels = [[heading.split()[0] for heading in page.headings] for page in (english, chinese)]
    faults = [] if levels[0] == levels[1] else ["has other headings than README.md"]
    for ours, theirs in itertools.zip_longest(english.blocks, chinese.blocks):
        if ours != theirs:
            return [*faults, f"has another block of code than README.md: {(theirs or ours).text[:60]!r}"]
    return faults


def code_faults(page: Page) -> list[str]:
    method = (ROOT / "tests/docs/method_test.cpp").read_text().split("// [method]\n")[1]
    program = (ROOT / "tests/consumer/main.cpp").read_text()
    sources = [block.text for block in page.blocks if block.language == "cpp"]
    faults = [] if sources == [method.rstrip(), program.rstrip()] else ["its C++ is not that of the tests"]
    project = (ROOT / "tests/consumer/CMakeLists.txt").read_text()
    return faults + ["its CMake is not that of tests/consumer" for block in page.blocks
                     if block.language == "cmake" and block.text not in project]


def table_of(page: Page) -> str:
    begin, end = peers.MARKERS
    return "\n".join(page.lines).partition(begin)[2].partition(end)[0].strip()


def masked(line: str) -> str:
    """Without what changes from run to run."""
    line = re.sub(r"[\d.]+ (s|us|windows/s)\b", r"? \1", line)
    line = re.sub(r"\d{8}T\d{6}Z", "?", line)
    line = re.sub(r"^ +\(default: \d+\)$", "(default: ?)", line)  # the number of cores
    return re.sub(r"#+", "#", " ".join(line.split()))


def is_same(expected: str, actual: str) -> bool:
    number = r"([-+]?\d+\.\d+(?:e[-+]?\d+)?)"
    ours, theirs = re.split(number, masked(expected)), re.split(number, masked(actual))
    return ours[::2] == theirs[::2] and all(
        abs(float(x) - float(y)) <= TOLERANCE for x, y in zip(ours[1::2], theirs[1::2])
    )


def first_missing(expected: list[str], output: list[str]) -> str | None:
    """The first line of a chunk that is not in the output, after the chunks before it."""
    place = 0
    for is_gap, group in itertools.groupby(expected, lambda line: line == "..."):
        if is_gap:
            continue
        chunk = list(group)
        starts = range(place, len(output) - len(chunk) + 1)
        if not (start := [i for i in starts if all(map(is_same, chunk, output[i:]))]):
            lost = (line for line in chunk if not any(is_same(line, other) for other in output[place:]))
            return next(lost, chunk[0])
        place = start[0] + len(chunk)
    return None


def output_faults(page: Page, bin_folder: pathlib.Path) -> list[str]:
    """Of the page's commands, run one after the other in one shell and an empty folder."""
    runs = [i for i, block in enumerate(page.blocks) if block.is_run]
    if not runs:
        return []
    script = "set -euo pipefail; exec 2>&1\n" + "\n".join(
        f"echo '{MARK}'\n{page.blocks[i].text.replace(COMMAND, f'{bin_folder}/')}" for i in runs
    )
    with tempfile.TemporaryDirectory() as folder:
        result = subprocess.run(["bash", "-c", script], cwd=folder, stdout=subprocess.PIPE, text=True)
    outputs = [part.strip().splitlines() for part in result.stdout.split(f"{MARK}\n")[1:]]
    if result.returncode != 0:
        return [f"a command ends with {result.returncode}: {outputs[-1][-1:]}"]
    faults = []
    for i, output in zip(runs, outputs):
        below = page.blocks[i + 1] if i + 1 < len(page.blocks) else None
        expected = below.text.splitlines() if below and below.language == "text" else []
        if (line := first_missing(expected, output)) is not None:
            faults.append(f"a command does not print {line!r}")
        elif page.blocks[i].text.endswith("--help") and len(expected) != len(output):
            faults.append(f"the help of {page.blocks[i].text} is not all there")
    return faults


def all_faults(bin_folder: pathlib.Path) -> list[str]:
    paths = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "tests").rglob("*.md")]
    pages = {path: Page(path) for path in sorted(paths)}
    english, chinese = pages[ROOT / "README.md"], pages[ROOT / "README.zh-CN.md"]
    known = known_flags(bin_folder)
    short = peers.short_table(table_of(pages[peers.PAGE]))
    faults: dict[Page, list[str]] = {}
    for page in pages.values():
        faults[page] = [*link_faults(page, pages), *path_faults(page), *preset_faults(page)]
        if page.path.is_relative_to(ROOT / "docs") or page in (english, chinese):
            faults[page] += flag_faults(page, known)
    for page in (english, chinese):
        faults[page] += readme_faults(page) + code_faults(page)
        faults[page] += [] if table_of(page) == short else ["its table of speeds is not that of docs/speed.md"]
    faults[chinese] += twin_faults(english, chinese)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        printing = [page for page in pages.values() if page.path.parent == ROOT / "docs"]
        printing.insert(0, english)  # whose commands are those of the Chinese page too
        for page, more in zip(printing, pool.map(lambda page: output_faults(page, bin_folder), printing)):
            faults[page] += more
    return [f"{page.name}: {fault}" for page, list_ in faults.items() for fault in list_]


def main() -> int:
    bin_folder = pathlib.Path(sys.argv[1]).resolve()
    if sys.argv[2:] == ["--write-help"]:
        write_help(bin_folder)
        return 0
    faults = all_faults(bin_folder)
    print(*faults, sep="\n", end="\n" * bool(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
