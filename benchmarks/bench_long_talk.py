"""What a message costs past the window: prompt tokens that llama.cpp computes for each message of one conversation.

Usage: ``python -m benchmarks.bench_long_talk [--quick | --before] [--file GGUF --tokenizer FOLDER]``. Needs a run with
a GGUF, or the two paths. The sides talk the same: blocks with the cache moved up (ours), blocks without, as few
exchanges as possible (before), and blocks with a memory that changes after each. With ``--before`` only the time is
measured that a request of 400 messages takes before llama.cpp is called, which needs no GGUF.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.sections import write
from curation import chat
from curation.persona import Persona, load_persona
from curation.record import Message
from serve import create_app
from serve.engine import Delta, Done, Settings
from serve.engines import llamacpp, prompts
from serve.engines.tokenizer import ChatTokenizer
from serve.engines.window import LARGEST_ON_A_CPU
from serve.model_files.gguf_choice import choose
from serve.model_files.served_run import checked_run

ROOT = Path(__file__).resolve().parent.parent
CONTEXT = 2048
SETTINGS = Settings(temperature=0.3, max_new_tokens=24)
SAYS = ("Hôm nay ngươi đi đâu?", "Kể ta nghe chuyện trên núi đi.", "Ngươi có sợ mưa không?", "Mai ngươi ăn gì?")


class Timed:
    """Keeps how many prompt tokens each request cost; ``moves`` is whether the cache may be moved."""

    def __init__(self, server: Any, moves: bool) -> None:
        self._server, self._moves = server, moves
        self.spent: list[int] = []

    def handle_completions(self, body: dict[str, Any], on_chunk: Any) -> None:
        took = 0

        def seen(chunk: dict[str, Any]) -> bool:
            nonlocal took
            took = chunk["timings"]["prompt_n"] if "timings" in chunk else took
            stop: bool = on_chunk(chunk)
            return stop

        self._server.handle_completions(body if self._moves else body | {"n_cache_reuse": 0}, seen)
        self.spent.append(took)


def talk(
    path: Path, tokenizer: ChatTokenizer, persona: Persona, exchanges: int, moves: bool, blocks: int, remembers: bool
) -> tuple[list[int], list[int]]:
    """Return what each message cost, in prompt tokens, and how many turns were dropped at it."""
    prompts.BLOCKS = blocks
    server = Timed(llamacpp.start(path, CONTEXT, slots=1), moves)
    engine = llamacpp.LlamaCppEngine(server, tokenizer, persona, context=CONTEXT, slots=1)
    turns: list[Message] = []
    dropped = [0]
    for number in range(exchanges):
        turns.append(Message("user", f"{number + 1}: {SAYS[number % len(SAYS)]}"))
        memory = f"- {dropped[-1]} lượt đã qua." if remembers and dropped[-1] else ""
        events = list(engine.stream(chat.with_memory(turns, memory, [], persona), SETTINGS, lambda: False))
        said = "".join(e.text for e in events if isinstance(e, Delta))
        turns.append(Message("assistant", said.strip() or "Hừ!"))
        dropped += [e.dropped for e in events if isinstance(e, Done)]
    return server.spent, dropped[1:]


def summary(spent: Sequence[int], dropped: Sequence[int]) -> tuple[float, float, int, int]:
    """Return the mean cost before and after the window is full, the highest after, and how often a block went."""
    first = next(n for n, count in enumerate(dropped) if count)
    before = statistics.mean(spent[max(1, first - 8) : first])
    goes = sum(b > a for a, b in pairwise(dropped))
    return before, statistics.mean(spent[first:]), max(spent[first:]), goes


class Called:
    """In the place of llama.cpp: notes when it is called, and answers nothing."""

    def __init__(self) -> None:
        self.at = 0.0

    def handle_completions(self, body: dict[str, Any], on_chunk: Any) -> None:
        self.at = time.perf_counter()
        on_chunk({"choices": [{"text": "", "finish_reason": "length"}], "usage": {"completion_tokens": 0}})


def before_llama(tokenizer: ChatTokenizer, persona: Persona, context: int) -> str:
    """Return how long requests of 400 messages of 110 characters take before llama.cpp is called, as a sentence.

    From the request to the call: JSON, checks, the choice of turns, tokens. Each conversation is another one.
    """
    called = Called()
    engine = llamacpp.LlamaCppEngine(called, tokenizer, persona, context=context)
    client = create_app({"ENGINE": engine, "PERSONA": persona, "FEEDBACK": None}).test_client()

    new, later, work = [], [], []

    def took(messages: list[dict[str, str]]) -> float:
        start, worked = time.perf_counter(), time.process_time()
        answer = client.post("/api/chat", json={"messages": messages})
        assert answer.status_code == 200, answer.json
        work.append(1000 * (time.process_time() - worked))  # the client's part and the end of the answer included
        return 1000 * (called.at - start)

    for number in range(21):
        words = [(f"{number}-{n}: " + 5 * SAYS[n % len(SAYS)])[:110].ljust(110, "ơ") for n in range(402)]
        turns = [{"role": ("assistant", "user")[n % 2], "content": text} for n, text in enumerate(words)]
        new.append(took(turns[:400]))
        later.append(took(turns[2:]))  # the next message of the same conversation: the page sends the newest 400
    low, middle, high = statistics.quantiles(new[1:], n=4)
    return (
        f"400 messages of 110 characters, a window of {context:,} tokens, from the request to the call of llama.cpp: "
        f"{middle:.0f} ms ({low:.0f} to {high:.0f}; the first {new[0]:.0f}), {statistics.median(later):.0f} ms for the "
        f"next message of that conversation; goal: below 50 ms. Of processor time a whole request takes "
        f"{statistics.median(work):.0f} ms. {os.cpu_count()} cores with a load of {os.getloadavg()[0]:.1f}."
    )


def main() -> None:
    options = _options()
    exchanges = 26 if options.quick else 60
    if options.file:
        path, tokenizer = options.file, ChatTokenizer(options.tokenizer)
        persona = load_persona(ROOT / "persona.toml")
    else:
        run = checked_run(ROOT, weights=False)
        path, persona = choose(run.folder).path, run.persona
        tokenizer = ChatTokenizer(run.folder / "tokenizer")
    before = before_llama(tokenizer, persona, LARGEST_ON_A_CPU)
    print(before, flush=True)
    if options.before:
        return
    lines = [
        "## A long conversation",
        "",
        f"{path.name}, a window of {CONTEXT} tokens, {exchanges} exchanges. Prompt tokens computed for a message, on "
        "average; lower is better.",
        "",
        "| | before the window is full | after | most after | times turns went |",
        "|---|--:|--:|--:|--:|",
    ]
    sides = {
        "blocks, the cache moved up (ours)": (True, 4, False),
        "blocks, the cache not moved": (False, 4, False),
        "as few exchanges as possible (before)": (False, 0, False),
        "blocks, a memory that changes with each": (True, 4, True),
    }
    for name, (moves, blocks, remembers) in sides.items():
        early, after, most, goes = summary(*talk(path, tokenizer, persona, exchanges, moves, blocks, remembers))
        lines.append(f"| {name} | {early:.0f} | {after:.0f} ({after / early:.2f} times) | {most} | {goes} |")
        print(lines[-1], flush=True)
    lines += ["", before]
    if not options.file:
        write("long_talk", "\n".join(lines))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="26 exchanges instead of 60")
    parser.add_argument("--before", action="store_true", help="measure only the time before llama.cpp is called")
    parser.add_argument("--file", type=Path, metavar="GGUF", help="this file, not the newest run's; results.md stays")
    parser.add_argument("--tokenizer", type=Path, metavar="FOLDER", help="the tokenizer of that file")
    options = parser.parse_args()
    if bool(options.file) != bool(options.tokenizer):
        parser.error("--file and --tokenizer go together")
    return options


if __name__ == "__main__":
    main()
