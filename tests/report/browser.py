"""Headless Chromium over its debugging pipe: no driver program and no package, only two file descriptors and JSON."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Everything that makes Chromium talk to the network on its own is off: the test counts requests.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
]
TIMEOUT_S = 60.0


def chromium() -> str | None:
    """The browser's program, None where there is none."""
    return next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
    )


class Page:
    """One tab: ``call`` a protocol method, ``run`` JavaScript, and see what it logged and asked for."""

    def __init__(self, send: int, receive: int) -> None:
        self._send, self._receive, self._last, self._session = send, receive, 0, None
        self._buffer = b""
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method of the DevTools protocol and wait for its answer."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._send, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._last:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self.events.append(answer)

    def open(self, path: Path, width: int = 1280, height: int = 900) -> None:
        """Load a file and wait until it is loaded."""
        self.size(width, height)
        self.events.clear()
        self.call("Page.navigate", url=path.resolve().as_uri())
        self.wait("document.readyState === 'complete' && location.protocol === 'file:'")

    def size(self, width: int, height: int) -> None:
        """Give the window another size, in CSS pixels."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def scheme(self, name: str) -> None:
        """Prefer a colour scheme: "light" or "dark"."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression; a promise is waited for."""
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, userGesture=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until a JavaScript condition holds."""
        end = time.monotonic() + TIMEOUT_S
        while not self.run(condition):
            assert time.monotonic() < end, f"waited {TIMEOUT_S} s in vain for {condition}"
            time.sleep(0.05)

    def complaints(self) -> list[str]:
        """Errors and warnings of the console, uncaught exceptions, and what the policy blocked."""
        return [json.dumps(event["params"]) for event in self._heard() if _is_complaint(event)]

    def requests(self) -> list[str]:
        """What was asked for since ``open``, the page itself left out."""
        asked = [e["params"]["request"]["url"] for e in self._heard() if e["method"] == "Network.requestWillBeSent"]
        return asked[1:]

    def screenshot(self, path: Path, full: bool = False) -> None:
        """Save what the window shows, or the whole page, as PNG."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=full, **(self._whole() if full else {}))
        path.write_bytes(base64.b64decode(shot["data"]))

    def _whole(self) -> dict[str, Any]:
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        return {"clip": {**size, "scale": 1}}

    def key(self, name: str) -> None:
        """Press a key by its name in JavaScript, such as "ArrowRight"."""
        codes = {"ArrowRight": 39, "ArrowLeft": 37, "Escape": 27}
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=codes[name])

    def _heard(self) -> list[dict[str, Any]]:
        # A round trip, so that everything sent before it has arrived.
        self.run("1")
        return [event for event in self.events if "method" in event]

    def _next(self) -> dict[str, Any]:
        end = time.monotonic() + TIMEOUT_S
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._receive], [], [], max(end - time.monotonic(), 0))
            assert ready, f"Chromium gave no answer in {TIMEOUT_S} s"
            chunk = os.read(self._receive, 1 << 16)
            assert chunk, "Chromium ended"
            self._buffer += chunk
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)


def _is_complaint(event: dict[str, Any]) -> bool:
    params = event["params"]
    return (
        event["method"] == "Runtime.exceptionThrown"
        or (event["method"] == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"))
        or (event["method"] == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"))
    )


@contextmanager
def browse(program: str, profile: Path) -> Iterator[Page]:
    """A tab of a fresh browser that ends with the block; ``profile`` is an empty folder for its files."""
    to_read, send = os.pipe()
    receive, to_write = os.pipe()
    # Chromium reads descriptor 3 and writes descriptor 4; a shell puts ours there whatever their numbers are.
    shell = f'exec "$0" "$@" 3<&{to_read} 4>&{to_write}'
    command = ["bash", "-c", shell, program, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    process = subprocess.Popen(
        command, pass_fds=(to_read, to_write), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    os.close(to_read)
    os.close(to_write)
    try:
        yield Page(send, receive)
    finally:
        os.close(send)
        os.close(receive)
        process.terminate()
        process.wait(20)
