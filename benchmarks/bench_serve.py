"""The served character beside the first user's server, same weights, same cores.

Usage: ``python -m benchmarks.bench_serve [--quick]``. Needs a run with a GGUF (`inosuke train`, `inosuke gguf`). What
is compared takes turns, round by round, so that other work on the machine falls on both; figures are medians.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx

from benchmarks.sections import quick, write
from serve.model_files.gguf_choice import choose
from serve.model_files.served_run import checked_run
from tests.tools.bench_streams import cross_check

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS = ("Ngươi là ai?", "Đấu với ta không?", "Who are you?", "Ngươi thích ăn gì?", "Sao ngươi đội đầu lợn?",
             "Ngươi có bạn không?", "Are you strong?", "Hôm nay trời mưa.")  # fmt: skip
TOKENS = 64


@dataclass
class Side:
    """One server: how to ask it, and what was measured."""

    process: subprocess.Popen[str]
    url: str
    first: list[float] = field(default_factory=list)
    speed: list[float] = field(default_factory=list)
    eight: list[float] = field(default_factory=list)
    memory: float = 0.0


def main() -> None:
    rounds, requests = 3 if quick(__doc__) else 9, 2000
    with ExitStack() as stack:
        first = Side(*stack.enter_context(running("-m", "benchmarks.first_server")))
        ours = Side(
            *stack.enter_context(running("-m", "serve", "--engine", "llamacpp", "--port", "0", "--waiting", "200"))
        )
        http = stack.enter_context(httpx.Client(timeout=600, limits=httpx.Limits(max_connections=None)))
        for question in QUESTIONS:  # warm: the system prompt is read, and every slot has been used
            ask_ours(http, ours, question, 2)
            ask_first(http, first, question, 2)
        eight_at_once(lambda q: ask_ours(http, ours, q, 2))
        prompt_only: list[float] = []
        for number in range(rounds):
            question = QUESTIONS[number % len(QUESTIONS)]
            say(f"round {number + 1} of {rounds}")
            # The first server shows nothing before the whole reply is there.
            took, made = timed(lambda q=question: ask_first(http, first, q, TOKENS))
            first.first.append(took)
            first.speed.append(made / took)
            prompt_only.append(timed(lambda q=question: ask_first(http, first, q, 1))[0])
            for _ in range(3):
                at, made, took = stream_ours(http, ours, question)
                ours.first.append(at)
                ours.speed.append(made / took)
            took, made = timed(lambda: eight_at_once(lambda q: ask_ours(http, ours, q, TOKENS)))
            ours.eight.append(made / took)
            if number < 2:
                took, made = timed(lambda: eight_at_once(lambda q: ask_first(http, first, q, TOKENS)))
                first.eight.append(made / took)
        first.memory, ours.memory = resident(first.process.pid), resident(ours.process.pid)
        say(f"memory over {requests} requests")
        growth = grow(http, ours, requests)
        say("200 open streams")
        streams = cross_check(200)
        report(first, ours, prompt_only, growth, requests, streams, rounds)


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a server; yield it and its address once it has answered."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONUNBUFFERED": "1", "OMP_WAIT_POLICY": "PASSIVE"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            say(line.rstrip())
            if line.startswith("Open "):
                yield process, line.split()[1]
                return
        raise SystemExit(f"{' '.join(arguments)} did not start; run it by hand to see why.")
    finally:
        process.terminate()
        process.wait(30)


def ask_first(http: httpx.Client, side: Side, question: str, tokens: int) -> int:
    answer = http.post(f"{side.url}/chat", json={"message": question, "tokens": tokens})
    return int(answer.raise_for_status().json()["tokens"])


def body(question: str, tokens: int) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": question}], "settings": {"max_new_tokens": tokens}}


def ask_ours(http: httpx.Client, side: Side, question: str, tokens: int) -> int:
    answer = http.post(f"{side.url}/api/chat", json=body(question, tokens)).raise_for_status()
    return int(answer.json()["usage"]["completion_tokens"])


def stream_ours(http: httpx.Client, side: Side, question: str) -> tuple[float, int, float]:
    """Return seconds to the first word, tokens, and seconds to the end."""
    start, at, pieces = time.perf_counter(), 0.0, 0
    with http.stream("POST", f"{side.url}/api/chat", json=body(question, TOKENS) | {"stream": True}) as response:
        for line in response.iter_lines():
            if line == "event: delta":
                at = at or time.perf_counter() - start
            elif '"completion_tokens"' in line:
                pieces = int(line.split('"completion_tokens": ')[1].split(",")[0])
    return at, pieces, time.perf_counter() - start


def timed(work: Callable[[], int]) -> tuple[float, int]:
    start = time.perf_counter()
    made = work()
    return time.perf_counter() - start, made


def eight_at_once(ask: Callable[[str], int]) -> int:
    """Ask eight questions at the same time; returns the tokens of all answers."""
    with ThreadPoolExecutor(len(QUESTIONS)) as pool:
        return sum(pool.map(ask, QUESTIONS))


def resident(pid: int) -> float:
    """Return a process's resident memory in MB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def grow(http: httpx.Client, side: Side, requests: int) -> list[tuple[int, float]]:
    """Send many short conversations, all different, eight at a time; returns the memory along the way."""
    seen = []
    step = requests // 4
    for done in range(0, requests, step):
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: ask_ours(http, side, f"Câu hỏi số {n} của ta là gì?", 2), range(done, done + step)))
        seen.append((done + step, resident(side.process.pid)))
    return seen


def report(
    first: Side, ours: Side, prompt_only: list[float], growth: list[tuple[int, float]], requests: int, streams: str,
    rounds: int,
) -> None:  # fmt: skip
    """Write the section of results.md between its markers."""
    middle = statistics.median
    run = checked_run(ROOT, weights=False)
    rows = [
        ("warm time to the first word, s", middle(first.first), middle(ours.first), "at most 1/20", True, 3),
        ("the same, had the first server streamed, s", middle(prompt_only), middle(ours.first), "", True, 3),
        ("tokens a second, one person", middle(first.speed), middle(ours.speed), "at least 3 times", False, 1),
        ("tokens a second, eight at once", middle(first.eight), middle(ours.eight), "at least 5 times", False, 1),
        ("resident memory, MB", first.memory, ours.memory, "at most half", True, 0),
    ]
    lines = [
        "## Serving",
        "",
        f"{run.base_name}, {choose(run.folder).type}, replies of at most {TOKENS} tokens, medians of {rounds} rounds "
        f"that take turns; {os.cpu_count()} cores with a load of {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}, xllamacpp {version('xllamacpp')}, "
        f"transformers {version('transformers')}, {datetime.now(UTC):%Y-%m-%d}. The first server: Flask, fp32, adapter "
        "beside its base, no stream, one at a time, a longer system prompt read each time.",
        "",
        "| | first server | ours | ours to theirs | goal |",
        "|---|--:|--:|--:|---|",
    ]
    for name, theirs, mine, goal, less, digits in rows:
        ratio = f"1/{theirs / mine:.1f}" if less else f"{mine / theirs:.1f} times"
        lines.append(f"| {name} | {theirs:,.{digits}f} | {mine:,.{digits}f} | **{ratio}** | {goal} |")
    lines += [
        "",
        f"Memory over {requests:,} requests, each its own conversation: "
        + ", ".join(f"{mb:.0f} MB after {n:,}" for n, mb in growth)
        + ".",
        "",
        streams,
    ]
    section = "\n".join(lines)
    write("serve", section)
    print(section)


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    threading.stack_size(512 * 1024)
    main()
