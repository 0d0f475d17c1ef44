"""Headless Chromium, spoken to over a pipe by its DevTools protocol; nothing but Python's own library is needed."""

import base64
import json
import os
import pathlib
import select
import shutil
import struct
import subprocess
import time
import zlib

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 60  # seconds for an answer


def find_or_install() -> str | None:
    """Chromium's path. Where it is absent it is installed, if apt-get is there and may."""

    def found() -> str | None:
        return next(filter(None, map(shutil.which, NAMES)), None)

    if not found() and shutil.which("apt-get"):
        as_root = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]
        for command in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
            try:
                subprocess.run([*as_root, "apt-get", *command], stdin=subprocess.DEVNULL, capture_output=True,
                               timeout=300, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
            except (OSError, subprocess.TimeoutExpired):
                break
    return found()


class Browser:
    """One tab of a Chromium of its own. Every request that a page makes is noted in `requests`."""

    def __init__(self, program: str, profile: pathlib.Path):
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()

        def as_three_and_four() -> None:  # where Chromium looks for the pipe
            command, answers = os.dup(to_browser), os.dup(from_browser)
            os.dup2(command, 3)
            os.dup2(answers, 4)

        self._process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run",
             "--disable-dev-shm-usage", "--hide-scrollbars", f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=as_three_and_four, close_fds=False)
        os.close(to_browser)
        os.close(from_browser)
        self._unread = b""
        self._count = 0
        self._session = None
        self._events: list[dict] = []
        self.requests: list[str] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Accessibility"):
            self._call(f"{domain}.enable")

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._write)
        os.close(self._read)

    def open(self, path: pathlib.Path, width: int, scheme: str) -> None:
        """Opens a file in a window of this width, 'light' or 'dark'."""
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
                   mobile=width < 600)
        self._call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self._events.clear()
        self._call("Page.navigate", url=path.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._next()

    def evaluate(self, expression: str) -> object:
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def accessible(self) -> list[dict[str, str]]:
        """What a screen reader is given: role, name and description of everything."""
        nodes = self._call("Accessibility.getFullAXTree")["nodes"]
        keys = ("role", "name", "description")
        return [{key: str(node.get(key, {}).get("value", "")) for key in keys} for node in nodes
                if not node.get("ignored")]

    def screenshot(self, clip: dict[str, float] | None = None) -> bytes:
        """A PNG of the whole page, or of a part of it."""
        size = self._call("Page.getLayoutMetrics")["cssContentSize"]
        clip = clip or {"x": 0, "y": 0, "width": size["width"], "height": size["height"]}
        answer = self._call("Page.captureScreenshot", captureBeyondViewport=True, clip={**clip, "scale": 1})
        return base64.b64decode(answer["data"])

    def _call(self, method: str, **parameters: object) -> dict:
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._count:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def _next(self) -> dict:
        deadline = time.monotonic() + PATIENCE
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._read], [], [], max(deadline - time.monotonic(), 0.0))
            data = os.read(self._read, 1 << 20) if ready else b""
            if not data:
                raise RuntimeError("Chromium does not answer")
            self._unread += data
        text, _, self._unread = self._unread.partition(b"\0")
        message = json.loads(text)
        if "method" in message:
            self._events.append(message)
            if message["method"] == "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
        return message


def pixels_of(png: bytes) -> list[tuple[int, int, int]]:
    """A PNG's pixels, row by row. Chromium's have 8 bits a channel and are not interlaced."""
    at, data, header = 8, b"", b""
    while at < len(png):
        (length,), kind = struct.unpack(">I", png[at:at + 4]), png[at + 4:at + 8]
        content = png[at + 8:at + 8 + length]
        header, data = (content, data) if kind == b"IHDR" else (header, data + content * (kind == b"IDAT"))
        at += length + 12
    width, height, depth, colours, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    assert depth == 8 and colours in (2, 6) and not interlaced, "a PNG of another kind"
    channels = 3 if colours == 2 else 4
    raw, stride = zlib.decompress(data), width * channels
    above, pixels = bytearray(stride), []
    for row in range(height):
        begin = row * (stride + 1)
        line = bytearray(raw[begin + 1:begin + 1 + stride])
        unfilter(raw[begin], line, above, channels)
        pixels += zip(line[0::channels], line[1::channels], line[2::channels])
        above = line
    return pixels


def unfilter(kind: int, line: bytearray, above: bytearray, channels: int) -> None:
    """Undoes the filter of one row: PNG specification, 9.2."""
    for i in range(len(line)) if kind else ():
        left = line[i - channels] if i >= channels else 0
        corner = above[i - channels] if i >= channels else 0
        line[i] = (line[i] + prediction(kind, left, above[i], corner)) & 0xFF


def prediction(kind: int, left: int, above: int, corner: int) -> int:
    if kind < 4:
        return (0, left, above, (left + above) // 2)[kind]
    estimate = left + above - corner
    return min((left, above, corner), key=lambda value: abs(estimate - value))
