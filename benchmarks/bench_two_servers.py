"""What our servers cost in front of a model server: the layout of docs/serving.md beside its upstream alone.

Usage: ``python -m benchmarks.bench_two_servers [--quick]``. Needs HAProxy, and counts rates in Redis where it is
installed. The upstream says 64 words and thinks nothing, so that only what our servers add is seen. Upstream alone, one
of our servers, and both behind HAProxy take turns; everything, the clients included, shares this machine.
"""

from __future__ import annotations

import http.client
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.bench_serve import running, say
from benchmarks.sections import quick, write
from tests.tools import redis as redis_server
from tests.tools import two_servers
from tests.tools.upstream import WORDS

QUESTION = {"messages": [{"role": "user", "content": "Ngươi là ai?"}], "stream": True}
# How many ask at the same time, how many answers a turn has, and seconds that the upstream takes for a word.
LOADS = {"as fast as they can": (16, 96, 0.0), "eight at 40 words a second": (8, 16, 0.025)}


@dataclass
class Side:
    """Where to ask, and what was measured: answers a second, and processor milliseconds of our servers an answer."""

    name: str
    url: str
    path: str
    processes: list[int] = field(default_factory=list)
    speed: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)

    def ask(self) -> None:
        connection = http.client.HTTPConnection(str(urlsplit(self.url).netloc))
        connection.request("POST", self.path, json.dumps(QUESTION), {"Content-Type": "application/json"})
        response = connection.getresponse()
        end = b""
        while piece := response.read1():
            end = end[-400:] + piece
        connection.close()
        assert response.status == 200 and (b"[DONE]" in end or b"event: done" in end), (response.status, end)

    def turn(self, at_once: int, answers: int) -> None:
        worked, start = self.processor(), time.perf_counter()
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(lambda _: self.ask(), range(answers)))
        self.speed.append(answers / (time.perf_counter() - start))
        self.work.append(1000 * (self.processor() - worked) / answers)

    def processor(self) -> float:
        """Return the processor seconds of our servers so far."""
        return sum(map(_processor, self.processes))


def _processor(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    rounds = 3 if quick(__doc__) else 7
    if two_servers.PROGRAM is None:
        sys.exit("HAProxy is missing: apt-get install haproxy")
    lines = [
        "## Two servers behind a proxy",
        "",
        f"An upstream that says {len(WORDS)} words, medians of {rounds} rounds that take turns; {os.cpu_count()} cores "
        f"for everything, with a load of {os.getloadavg()[0]:.1f} before, Python {platform.python_version()}, waitress "
        f"{version('waitress')}, {_haproxy()}, rates counted in {'Redis' if redis_server.PROGRAM else 'each server'}, "
        f"{datetime.now(UTC):%Y-%m-%d}. The ratio is the median of the rounds, in brackets the middle half of them. "
        "Processor time is that of our servers alone.",
        "",
        "| clients | | answers a second | to the upstream alone | processor ms an answer | MB a server |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for name, (at_once, answers, seconds) in LOADS.items():
        sides, memory = measured(at_once, answers, seconds, rounds)
        for side in sides:
            ratios = [mine / alone for mine, alone in zip(side.speed, sides[0].speed, strict=True)]
            low, middle, high = statistics.quantiles(ratios, n=4)
            ours = side.processes != []
            lines.append(
                f"| {name} | {side.name} | {statistics.median(side.speed):.1f} "
                f"| {f'**{middle:.2f}** ({low:.2f} to {high:.2f})' if ours else ''} "
                f"| {f'{statistics.median(side.work):.1f}' if ours else ''} | {f'{memory:.0f}' if ours else ''} |"
            )
            say(lines[-1])
    section = "\n".join(lines)
    write("two_servers", section)
    print(section)


def measured(at_once: int, answers: int, seconds: float, rounds: int) -> tuple[list[Side], float]:
    """Return the three sides with what they did, and the resident memory of a server in MB."""
    with ExitStack() as stack:
        _, upstream = stack.enter_context(running("-m", "tests.tools.upstream", str(seconds)))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = {"FEEDBACK": "", "HOSTS": "127.0.0.1", "WAITING": "64"}
        if redis_server.PROGRAM:
            # A rate that is counted and never reached.
            redis = stack.enter_context(redis_server.serving(folder))
            settings |= {"RATE": "100000", "RATE_STORE": redis.url}
        layout = stack.enter_context(two_servers.serving(folder, upstream, settings))
        processes = [process.pid for process, _ in layout.servers]
        sides = [
            Side("the upstream alone", upstream, "/v1/chat/completions"),
            Side("one of our servers", layout.servers[0][1], "/api/chat", processes[:1]),
            Side("both behind HAProxy", layout.url, "/api/chat", processes),
        ]
        for side in sides:  # warm
            side.turn(2, 4)
            side.speed.clear()
            side.work.clear()
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}")
            for place in range(len(sides)):  # each is first in turn
                sides[(number + place) % len(sides)].turn(at_once, answers)
        return sides, statistics.mean(map(_resident, processes))


def _resident(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def _haproxy() -> str:
    said = subprocess.run([str(two_servers.PROGRAM), "-v"], capture_output=True, text=True, check=True).stdout
    return " ".join(said.split()[:3]).replace(" version", "")


if __name__ == "__main__":
    main()
