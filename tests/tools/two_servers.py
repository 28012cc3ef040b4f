"""The layout of docs/serving.md, small: two of our servers as processes behind HAProxy, all on loopback."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.conftest import ROOT
from tests.tools.ports import free_port

PROGRAM = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
# What stands before the documented proxy where there are two.
_OUTER = """
frontend outer
    bind 127.0.0.1:{outer}
    default_backend inner

backend inner
    server documented 127.0.0.1:{inner}
"""


@dataclass
class Layout:
    """``url`` is the proxy's address; ``servers`` are our processes, each with its own address."""

    url: str
    servers: list[tuple[subprocess.Popen[str], str]]

    def busy(self) -> subprocess.Popen[str]:
        """Return the server that is answering."""
        [found] = [process for process, url in self.servers if httpx.get(f"{url}/readyz").json()["running"]]
        return found


def documented() -> str:
    """Return the configuration in docs/serving.md."""
    text = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
    [found] = re.findall(r"^```haproxy\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    return str(found)


@contextmanager
def serving(folder: Path, upstream: str, settings: Mapping[str, str], *, proxies: int = 1) -> Iterator[Layout]:
    """Start two servers with one upstream and the proxy before them; with ``proxies=2`` another proxy before that."""
    inner, outer = free_port(), free_port()
    with ExitStack() as stack:
        started = [_start(stack, upstream, {**settings, "PROXIES": str(proxies)}) for _ in range(2)]
        servers = [(process, _address(process)) for process in started]
        config = documented().replace("bind :80 ", f"bind 127.0.0.1:{inner} ").replace("chat.example", "127.0.0.1")
        for name, (_, url) in zip(("10.0.0.11:7860", "10.0.0.12:7860"), servers, strict=True):
            assert config.count(name) == 1
            config = config.replace(name, url.removeprefix("http://"))
        config += _OUTER.format(outer=outer, inner=inner) if proxies == 2 else ""
        (folder / "haproxy.cfg").write_text(config, encoding="utf-8")
        assert PROGRAM
        log = stack.enter_context((folder / "haproxy.log").open("w", encoding="utf-8"))
        command = [PROGRAM, "-db", "-f", str(folder / "haproxy.cfg")]
        proxy = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, text=True)
        stack.callback(_end, proxy)
        layout = Layout(f"http://127.0.0.1:{outer if proxies == 2 else inner}", servers)
        _wait(layout.url, proxy, folder / "haproxy.log")
        yield layout


def _start(stack: ExitStack, upstream: str, settings: Mapping[str, str]) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "inosuke", "serve", "--engine", "openai", "--url", upstream, "--port", "0"],
        cwd=ROOT,
        env=os.environ | {"PYTHONUNBUFFERED": "1"} | {f"INOSUKE_{key}": value for key, value in settings.items()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    stack.callback(_end, process)
    return process


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith("Open "):
            return line.split()[1]
    raise AssertionError("".join(said))


def _wait(url: str, proxy: subprocess.Popen[str], log: Path) -> None:
    deadline = time.monotonic() + 60
    while proxy.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)  # HAProxy does not tell when it listens
    raise AssertionError(f"HAProxy does not answer: {log.read_text(encoding='utf-8')}")


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate(timeout=60)
