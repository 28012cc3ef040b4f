"""How the served character speaks: loops, turns that end and the language kept, on a quiet or on a busy machine.

Usage: ``python -m benchmarks.speak_check [--run NAME] [--busy N] [--prompts 120] [--seed N] [--first-prompts OUT.md]``.
Needs a run with a GGUF. The run is served by ``python -m serve --engine llamacpp``, as visitors meet it: the usual
sampling, the usual limits. The prompts are the held-out ones and those of the eval rows of the run's own export, as
many of each language as there are; the same export always gives the same ones. ``--busy N`` has N processes use a core
each.

Exits with 1 when 2% of the replies or more loop. ``--first-prompts`` answers benchmarks/first_prompts.json instead, and
writes prompts and replies for people to read, without a word about the model; it counts nothing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.bench_serve import ROOT, running, say
from curation.persona import Persona
from curation.record import Message
from curation.repeats import find_loop
from train.data.dialogues import load_export
from train.model.generate import Reply
from train.speaking.measure import chosen_prompts, count

PROMPTS = 120
MOST_LOOPING = 0.02
AT_ONCE = 4
FIRST_PROMPTS = Path(__file__).with_name("first_prompts.json")


def main() -> int:
    options = _options()
    arguments = ["-m", "serve", "--engine", "llamacpp", "--port", "0", "--waiting", "200"]
    arguments += ["--run", options.run] if options.run else []
    first = json.loads(FIRST_PROMPTS.read_text(encoding="utf-8")) if options.first_prompts else []
    with (
        busy(options.busy),
        running(*arguments) as (_, url),
        httpx.Client(base_url=url, timeout=600) as http,
    ):
        about = http.get("/api/info").raise_for_status().json()
        export = load_export(ROOT / "datasets" / "export" / about["dataset"])
        if first:
            prompts = [(Message("user", one["prompt"]),) for one in first]
        else:
            prompts = [p.messages for p in chosen_prompts(export, options.prompts)]
        replies = answer(http, prompts, export.persona, options.seed)
    if first:
        options.first_prompts.write_text(reading_sheet(first, replies), encoding="utf-8")
        print(f"{len(replies)} replies of {about['run']}: {options.first_prompts}")
        return 0
    return report(about, prompts, replies, export.persona, options.busy)


def report(
    about: dict[str, Any],
    prompts: Sequence[Sequence[Message]],
    replies: Sequence[Reply],
    persona: Persona,
    others: int,
) -> int:
    """Print the figures and every reply that loops; return 1 when too many do."""
    for prompt, reply in zip(prompts, replies, strict=True):
        if loop := find_loop(reply.text, ended=reply.ended):
            print(f"loops: {prompt[-1].content!r} -> {reply.text!r} (repeated: {loop!r})")
    figures = count(prompts, replies, persona)
    looping = figures.looping / figures.prompts
    print(
        f"{about['run']}, {about['model']}, {figures.prompts} prompts, {others} other processes busy, sampling "
        f"{about['settings']}:\n"
        f"  loop {figures.looping} ({looping:.1%}; less than {MOST_LOOPING:.0%} wanted)\n"
        f"  end their turn {figures.ended} ({figures.ended / figures.prompts:.1%})\n"
        f"  keep the prompt's language {figures.right_language} of the {figures.judged} whose language can be told"
    )
    return int(looping >= MOST_LOOPING)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speak_check")
    parser.add_argument("--run", help="a run under models/; otherwise the newest")
    parser.add_argument("--busy", type=int, default=0, metavar="N", help="processes that use a core each while it runs")
    parser.add_argument("--prompts", type=int, default=PROMPTS)
    parser.add_argument("--first-prompts", type=Path, metavar="OUT.md", help="answer the first prompts, for reading")
    parser.add_argument("--seed", type=int, help="makes replies repeatable; visitors have none")
    return parser.parse_args()


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Keep ``count`` processes busy, each with a core of its own where there are enough."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def answer(
    http: httpx.Client, prompts: Sequence[Sequence[Message]], persona: Persona, seed: int | None = None
) -> list[Reply]:
    """Return the server's replies, with nothing but a seed set, if there is one."""

    def said_by(message: Message) -> str:
        # A request has no names; in training a third speaker's name is part of the turn, see curation.chat.
        other = message.role == "user" and message.name and not persona.is_user(message.name)
        return f"{message.name}: {message.content}" if other else message.content

    def ask(number: int) -> Reply:
        body: dict[str, Any] = {"messages": [{"role": m.role, "content": said_by(m)} for m in prompts[number]]}
        if seed is not None:
            body["settings"] = {"seed": seed + number}
        said = http.post("/api/chat", json=body).raise_for_status().json()
        if (number + 1) % 20 == 0:
            say(f"{number + 1} of {len(prompts)}")
        return Reply(said["reply"].strip(), said["finish_reason"] == "stop")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(ask, range(len(prompts))))


def reading_sheet(asked: Sequence[dict[str, str]], replies: Sequence[Reply]) -> str:
    """Return prompts and replies as Markdown, with boxes for a reader who does not know the model."""
    lines = [
        "# Twenty first prompts",
        "",
        "Tick what is true of each reply: it is fluent in the prompt's language; it answers what was said; it is in "
        "character.",
    ]
    for number, (one, reply) in enumerate(zip(asked, replies, strict=True), start=1):
        cut = "" if reply.ended else " *(cut off at the limit)*"
        quoted = "\n".join(f"> {line}" for line in (reply.text or "*(nothing)*").splitlines())
        lines += [
            "",
            f"## {number}. {one['prompt']}",
            "",
            quoted + cut,
            "",
            "- [ ] fluent",
            "- [ ] answers",
            "- [ ] in character",
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
