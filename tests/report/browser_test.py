"""A run's report and pictures, opened in headless Chromium as a reader would.

    browser_test.py BIN_FOLDER [SCREENSHOT_FOLDER]

Trains small runs, and opens report.html and the pictures from their files on a phone's and on a desktop's width, light
and dark: can everything be read, is nothing cut off or laid over another, are the curves there, was nothing asked of the
network? Draws sweeps over grids from 1 x 1 to 10 x 10: does every text stay within the picture? Leaves screenshots in
SCREENSHOT_FOLDER. Installs Chromium where it is absent; exits with 77, which CTest shows as skipped, where it cannot.
"""

import collections
import concurrent.futures
import itertools
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import browser

PAPER = {"light": (0xFF, 0xFF, 0xFF), "dark": (0x12, 0x15, 0x1A)}  # of report/theme.h
MEAN = {"light": (0x0B, 0x5C, 0xAD), "dark": (0x6C, 0xB6, 0xFF)}
ROW = {"light": (0x9C, 0xC3, 0xE6), "dark": (0x37, 0x61, 0x8A)}
SECOND = {"light": (0xB3, 0x4A, 0x00), "dark": (0xFF, 0xAB, 0x66)}
WIDTHS = (400, 1400)

# Every text with its contrast to the background, by WCAG 2.2, and where it lies.
TEXTS = """
(() => {
  const channels = text => text.match(/[0-9.]+/g).map(Number);
  const luminance = rgb => rgb.slice(0, 3).map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const paper = luminance(channels(getComputedStyle(document.body ?? document.documentElement).backgroundColor));
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), parent = walker.currentNode.parentElement;
    if (!text || parent.closest('style, title, desc')) continue;
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    const box = range.getBoundingClientRect(), isDrawn = parent.closest('svg') !== null;
    const style = getComputedStyle(parent);
    const ink = luminance(channels(isDrawn ? style.fill : style.color));
    const contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    texts.push({text, isDrawn, contrast, left: box.left, right: box.right, top: box.top, bottom: box.bottom});
  }
  return texts;
})()
"""

# The texts of a picture opened by itself, and those of them that are not wholly within its viewBox.
PICTURE_TEXTS = """
(() => {
  const svg = document.documentElement, view = svg.viewBox.baseVal, toScreen = svg.getScreenCTM();
  const corner = (x, y) => new DOMPoint(x, y).matrixTransform(toScreen);
  const first = corner(view.x, view.y), last = corner(view.x + view.width, view.y + view.height);
  const texts = [...document.querySelectorAll('text')].map(text => ({text: text.textContent,
                                                                     box: text.getBoundingClientRect()}));
  const outside = texts.filter(({box}) => box.left < first.x || box.right > last.x || box.top < first.y ||
                                          box.bottom > last.y);
  return {all: texts.map(({text}) => text), outside: outside.map(({text}) => text)};
})()
"""

FIGURE = """
(() => {
  const box = document.querySelector('svg').getBoundingClientRect();
  return {x: box.left + scrollX, y: box.top + scrollY, width: box.width, height: box.height};
})()
"""


def train(bin_folder: str, folder: pathlib.Path, *flags: str) -> pathlib.Path:
    subprocess.run([f"{bin_folder}/unroll-train", "--quiet", f"--out={folder}", *flags], check=True,
                   stdout=subprocess.DEVNULL)
    return folder / "report.html"


def overlap(one: dict, other: dict) -> bool:
    return (min(one["right"], other["right"]) - max(one["left"], other["left"]) > 1
            and min(one["bottom"], other["bottom"]) - max(one["top"], other["top"]) > 1)


def check_texts(texts: list[dict], figure: dict, width: int) -> None:
    for text in texts:
        assert text["contrast"] >= 4.5, f"too little contrast: {text}"
        assert text["left"] >= 0 and text["right"] <= width, f"beyond the page: {text}"
    drawn = [text for text in texts if text["isDrawn"]]
    assert len(drawn) >= 8, f"the picture has hardly any text: {drawn}"
    for text in drawn:
        assert text["left"] >= figure["x"] and text["right"] <= figure["x"] + figure["width"], f"cut off: {text}"
    for one, other in itertools.combinations(drawn, 2):
        assert not overlap(one, other), f"laid over each other: {one}, {other}"


def is_mostly(pixel: tuple[int, int, int], curve: tuple[int, int, int], paper: tuple[int, int, int]) -> bool:
    """Whether a pixel is a mix of a curve's colour and the paper's, at an edge, with more of the curve's."""
    span = [c - p for c, p in zip(curve, paper)]
    share = sum((x - p) * s for x, p, s in zip(pixel, paper, span)) / sum(s * s for s in span)
    return 0.5 <= share <= 1.1 and all(abs(p + share * s - x) <= 8 for x, p, s in zip(pixel, paper, span))


def check_pixels(png: bytes, paper: tuple[int, int, int], *curves: tuple[int, int, int]) -> None:
    counts = collections.Counter(browser.pixels_of(png))
    colour, count = counts.most_common(1)[0]
    assert colour == paper and 2 * count > counts.total(), f"the paper is {colour}, not {paper}"
    for curve in curves:
        drawn = sum(count for pixel, count in counts.items() if is_mostly(pixel, curve, paper))
        assert drawn >= 100, f"a curve of colour {curve} has {drawn} pixels"


def check_screen_reader(tab: browser.Browser) -> None:
    seen = tab.accessible()
    pictures = [node for node in seen if node["name"] == "Loss against windows trained"]
    assert any(node["role"] in ("image", "img") and node["description"].startswith("A line chart of the mean loss")
               for node in pictures), f"the picture is read as {pictures}"
    roles = collections.Counter(node["role"] for node in seen)
    assert roles["heading"] >= 6 and roles["table"] >= 5, f"roles: {roles}"
    assert roles["columnheader"] >= 10 and roles["rowheader"] >= 20, f"roles: {roles}"
    tables = [node for node in seen if node["role"] == "table"]
    assert all(node["name"] for node in tables), f"tables without a name: {tables}"


def check_page(tab: browser.Browser, page: pathlib.Path, shots: pathlib.Path, width: int, scheme: str,
               *parts: str) -> None:
    """Opens a page: all of it is as wide as the window, on the right paper, and has these texts."""
    tab.open(page, width, scheme)
    (shots / f"{page.parent.name}-{width}-{scheme}.png").write_bytes(tab.screenshot())
    content = tab.evaluate("document.documentElement.scrollWidth")
    assert content <= width, f"{page} is {content} wide at {width}"
    text = tab.evaluate("document.body.innerText")
    for part in parts:
        assert part in text, f"{part!r} is not in {text}"
    check_pixels(tab.screenshot({"x": 0, "y": 0, "width": 8, "height": 8}), PAPER[scheme])


def check_report(tab: browser.Browser, report: pathlib.Path, shots: pathlib.Path, curves: tuple, *parts: str) -> None:
    for width, scheme in itertools.product(WIDTHS, PAPER):
        check_page(tab, report, shots, width, scheme, *parts)
        figure = tab.evaluate(FIGURE)
        check_texts(tab.evaluate(TEXTS), figure, width)
        check_pixels(tab.screenshot(figure), PAPER[scheme], *(curve[scheme] for curve in curves))
    check_screen_reader(tab)


def check_picture(tab: browser.Browser, picture: pathlib.Path, shots: pathlib.Path, *curves: dict) -> None:
    """A picture by itself, as it is opened from its folder, with room around it."""
    for scheme in PAPER:
        tab.open(picture, 640, scheme)
        shot = tab.screenshot({"x": 0, "y": 0, "width": 640, "height": 900})
        (shots / f"{picture.parent.name}-{picture.stem}-{scheme}.png").write_bytes(shot)
        check_pixels(shot, PAPER[scheme], *(curve[scheme] for curve in curves))


def make_sweep(bin_folder: str, model: pathlib.Path, folder: pathlib.Path, **grid: list) -> pathlib.Path:
    """A picture of a sweep over this grid, of made-up numbers; the options are those of the sweep in `model`."""
    folder.mkdir()
    config = json.loads((model / "sweep.json").read_text()) | grid
    (folder / "sweep.json").write_text(json.dumps(config))
    header = (model / "sweep.csv").read_text().splitlines()[0]
    cells = itertools.product(*(config[name] for name in ("num_steps", "hidden_size", "learning_rate")),
                              range(config["seeds"]))
    rows = [",".join(map(str, cell)) + (",9,yes,,,,,,no,,,no,0.5" if sum(cell[:2]) % 7 == 0 else
                                        ",99,no,0.5,0.51,0.001,0.5,0.01,yes,-0.2,0.01,partly,0.5") for cell in cells]
    (folder / "sweep.csv").write_text("\n".join([header, *rows, ""]))
    subprocess.run([f"{bin_folder}/unroll-sweep", "--quiet", f"--merge={folder}"], check=True,
                   stdout=subprocess.DEVNULL)
    return folder / "sweep.svg"


def check_sweep_pictures(tab: browser.Browser, bin_folder: str, model: pathlib.Path, folder: pathlib.Path,
                         shots: pathlib.Path) -> None:
    """Grids from 1 x 1 to 10 x 10: no text leaves the picture."""
    folder.mkdir()
    num_steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]
    hidden_size = [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
    grids = {f"{columns}x{rows}": {"num_steps": num_steps[-columns:], "hidden_size": hidden_size[-rows:]}
             for columns, rows in itertools.product(range(1, 11), repeat=2)}
    grids["long-title"] = {"num_steps": [1], "hidden_size": [100000], "learning_rate": [0.1, 1.2345678901234567e-05]}
    grids["long-legend"] = {"num_steps": [1], "hidden_size": [1], "seeds": 1000}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
        pictures = list(workers.map(lambda grid: make_sweep(bin_folder, model, folder / grid[0], **grid[1]),
                                    grids.items()))
    for picture in pictures:
        tab.open(picture, 1400, "light")
        texts = tab.evaluate(PICTURE_TEXTS)
        assert sum("only lag 8 seen" in text for text in texts["all"]) >= 1, f"{picture} has no legend: {texts['all']}"
        if texts["outside"] or picture.parent.name in ("1x1", "10x10"):
            (shots / f"sweep-{picture.parent.name}.png").write_bytes(tab.screenshot())
        assert not texts["outside"], f"{picture} cuts off {texts['outside']}"


def main() -> int:
    program = browser.find_or_install()
    if not program:
        print("skipped: there is no Chromium, and it cannot be installed")
        return 77
    bin_folder = sys.argv[1]
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        shots = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else folder / "shots"
        shots.mkdir(parents=True, exist_ok=True)
        odd = "<script>alert(1)<script>&\"'.csv"
        coins = [random.Random(seed).getrandbits(1) for seed in range(30000)]  # the target is two steps back
        (folder / odd).write_text("input,target\n" + "".join(f"{coins[t]},{coins[t - 2]}\n" for t in range(30000)))
        sampled = train(bin_folder, folder / "sampled", "--series-length=300000", "--epochs=3")
        own = train(bin_folder, folder / "own", f"--data={folder / odd}", "--epochs=2", "--log-every=10")
        subprocess.run([f"{bin_folder}/unroll-compare", "--quiet", f"--out={folder}/compared", "--series-length=30000",
                        "--epochs=2", "--log-every=10", "--variants=manual/fused,builtin/fused"],
                       check=True, stdout=subprocess.DEVNULL)
        subprocess.run([f"{bin_folder}/unroll-sweep", "--quiet", f"--out={folder}/swept", "--num-steps=2,5",
                        "--hidden-size=2,4", "--seeds=2", "--series-length=30000"], check=True,
                       stdout=subprocess.DEVNULL)
        with browser.Browser(program, folder / "profile") as tab:
            check_report(tab, sampled, shots, (MEAN, ROW), "What the network learned", "X[t-3] = 1, X[t-8] = 0",
                         "every lag seen", "held out, 200000 symbols", "libtorch")
            check_report(tab, own, shots, (MEAN, ROW), odd, "same data")
            for width, scheme in itertools.product(WIDTHS, PAPER):
                check_page(tab, folder / "swept" / "sweep.html", shots, width, scheme, "seeds that have learned lag 3",
                           "every lag seen", "series_length")
            check_picture(tab, sampled.parent / "loss.svg", shots, MEAN, ROW)
            check_picture(tab, folder / "compared" / "losses.svg", shots, SECOND)
            check_sweep_pictures(tab, bin_folder, folder / "swept", folder / "sweeps", shots)
            foreign = [url for url in tab.requests if not url.startswith((f"file://{scratch}/", "data:"))]
            assert tab.requests and not foreign, f"asked for {foreign}"
    print("the report and the pictures can be read, light and dark, narrow and wide")
    return 0


if __name__ == "__main__":
    sys.exit(main())
