"""What our HTTP costs: tokens streamed by our server beside llama.cpp called directly, same weights, same settings.

Usage: ``python -m benchmarks.bench_http [--quick]``. Needs a run with a GGUF, as bench_serve does. Two servers have the
same model, one behind HTTP and one in this process. They take turns, and each is first in turn; every reply has the
same number of tokens. The client reads bytes and parses only the end; its cost counts as ours.
"""

from __future__ import annotations

import http.client
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.bench_serve import QUESTIONS, ROOT, body, running, say
from benchmarks.sections import quick, write
from benchmarks.whole_replies import whole
from curation import chat
from curation.record import Message
from serve.answering.default_settings import default_settings
from serve.config import ServerConfig
from serve.engines import llamacpp
from serve.engines.tokenizer import ChatTokenizer
from serve.model_files.gguf_choice import choose
from serve.model_files.served_run import checked_run

TOKENS = 64
ALONE_A_ROUND = 3


class Turn(NamedTuple):
    """What one side did in one turn: tokens a second, and milliseconds of processor a token, the client's included."""

    speed: float
    work: float


class Ours:
    """Our server in a process of its own."""

    def __init__(self, pid: int, url: str) -> None:
        self._pid = pid
        self._address = url.removeprefix("http://").rstrip("/")

    def ask(self, question: str, tokens: int) -> int:
        connection = http.client.HTTPConnection(self._address)
        wanted = json.dumps(body(question, tokens) | {"stream": True})
        connection.request("POST", "/api/chat", wanted, {"Content-Type": "application/json"})
        response = connection.getresponse()
        end = b""
        while piece := response.read1():
            end = end[-500:] + piece
        connection.close()
        return int(end.partition(b'"completion_tokens": ')[2].partition(b",")[0])

    def processor(self) -> float:
        """Return the processor seconds of server and client so far."""
        fields = Path(f"/proc/{self._pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") + time.process_time()


class Direct:
    """llama.cpp called in this process, with the server's settings."""

    def __init__(self) -> None:
        self.run = checked_run(ROOT, weights=False)
        self.file = choose(self.run.folder)
        self._tokenizer = ChatTokenizer(self.run.folder / "tokenizer")
        self._settings, _ = default_settings(ServerConfig(), self.run)  # the sampling that the server takes
        self._server = llamacpp.start(self.file.path, 2048)

    def ask(self, question: str, tokens: int) -> int:
        ids = chat.render([Message("user", question)], self._tokenizer, self.run.persona).input_ids
        last: dict[str, Any] = {}

        def on_chunk(chunk: dict[str, Any]) -> bool:
            last.update(chunk)
            return False

        self._server.handle_completions(whole(ids, tokens, self._settings), on_chunk)
        return int(last["usage"]["completion_tokens"])

    def processor(self) -> float:
        return time.process_time()


def main() -> None:
    rounds = 4 if quick(__doc__) else 12
    arguments = ("--engine", "llamacpp", "--port", "0")
    with running("-m", "benchmarks.whole_replies", *arguments) as (process, url):
        ours, direct = Ours(process.pid, url), Direct()
        sides: list[Ours | Direct] = [ours, direct]
        for side in sides:  # warm: the system prompt is read, and every slot has been used
            together(side, QUESTIONS, 2)
        alone: dict[Ours | Direct, list[Turn]] = {side: [] for side in sides}
        eight: dict[Ours | Direct, list[Turn]] = {side: [] for side in sides}
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}")
            for _ in range(ALONE_A_ROUND):
                for side in sides:
                    alone[side].append(together(side, [QUESTIONS[number % len(QUESTIONS)]], TOKENS))
                sides.reverse()
            for side in sides:
                eight[side].append(together(side, QUESTIONS, TOKENS))
    report(direct, [("one person", alone[direct], alone[ours]), ("eight at once", eight[direct], eight[ours])], rounds)


def together(side: Ours | Direct, questions: Sequence[str], tokens: int) -> Turn:
    """Ask a side some questions at the same time."""
    worked, start = side.processor(), time.perf_counter()
    with ThreadPoolExecutor(len(questions)) as pool:
        made = sum(pool.map(lambda question: side.ask(question, tokens), questions))
    took, worked = time.perf_counter() - start, side.processor() - worked
    assert made == len(questions) * tokens, f"{made} tokens were made; expected {tokens} for each question"
    return Turn(made / took, 1000 * worked / made)


def report(direct: Direct, measured: list[tuple[str, list[Turn], list[Turn]]], rounds: int) -> None:
    """Write the section of results.md."""
    lines = [
        "## Our HTTP",
        "",
        f"{direct.run.base_name}, {direct.file.type}, streams of exactly {TOKENS} tokens, medians of {rounds} rounds "
        f"that take turns; {os.cpu_count()} cores with a load of {os.getloadavg()[0]:.1f}, Python "
        f"{platform.python_version()}, xllamacpp {version('xllamacpp')}, waitress {version('waitress')}, "
        f"{datetime.now(UTC):%Y-%m-%d}. Differences: median of the turns, and in brackets the middle half of them. The "
        "client's processor counts as ours.",
        "",
        "| | llama.cpp called directly | over our HTTP | difference | goal |",
        "|---|--:|--:|--:|---|",
    ]
    kinds: list[tuple[str, Callable[[Turn], float], str]] = [
        ("tokens a second", lambda turn: turn.speed, "within 5%"),
        ("processor ms a token", lambda turn: turn.work, ""),
    ]
    for people, theirs, mine in measured:
        for name, figure, goal in kinds:
            a, b = ([figure(turn) for turn in turns] for turns in (theirs, mine))
            low, middle, high = statistics.quantiles([y / x - 1 for x, y in zip(a, b, strict=True)], n=4)
            lines.append(
                f"| {people}, {name} | {statistics.median(a):.1f} | {statistics.median(b):.1f} "
                f"| **{middle:+.1%}** ({low:+.1%} to {high:+.1%}) | {goal} |"
            )
    section = "\n".join(lines)
    write("http", section)
    print(section)


if __name__ == "__main__":
    main()
