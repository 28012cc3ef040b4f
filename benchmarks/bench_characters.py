"""What a second character costs in memory: one run, two with models of their own, and two on one base.

Usage: ``python -m benchmarks.bench_characters [--quick]``. Needs the newest run of this project to have what
`inosuke gguf --adapter` writes. The second character is a copy of it with another name, since its memory is the same
whatever it has learnt. Each server is a process of its own that answers once for each character, and then tells its
resident memory.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import tomli_w

from benchmarks.sections import quick, write
from curation.contracts.gguf import BASE_FOLDER, read_gguf_list, write_gguf_list
from curation.newest import newest_run
from curation.persona import load_persona

# What each process does: it loads the runs that are named, asks each character once, and prints kilobytes.
_SERVE = """
import sys
from serve import create_app
app = create_app({"RUN": sys.argv[1:], "ENGINE": "llamacpp", "FEEDBACK": None})
names = list(getattr(app.extensions["inosuke"], "services", {"": None}))
for name in names:
    body = {"messages": [{"role": "user", "content": "Ngươi là ai?"}], "settings": {"max_new_tokens": 32}}
    assert app.test_client().post(f"/{name}/api/chat".replace("//", "/"), json=body).status_code == 200
shared = any(line.startswith("one base for") for line in app.extensions["inosuke"].chosen)
assert shared == (len(sys.argv) > 2 and not sys.argv[1].startswith("own")), app.extensions["inosuke"].chosen
print(next(line.split()[1] for line in open("/proc/self/status", encoding="ascii") if line.startswith("VmRSS")))
"""
HERE = Path(__file__).parents[1]


def main() -> None:
    rounds = 1 if quick(__doc__) else 3
    run = newest_run(HERE / "models")
    form = read_gguf_list(run).adapter
    if form is None:
        sys.exit(f"{run.name} has no GGUF file of its adapter alone. Run `inosuke gguf {run.name} --adapter` first.")
    with tempfile.TemporaryDirectory() as name:
        models = Path(name) / "models"
        base = models / form.base
        base.parent.mkdir(parents=True)
        shutil.copy(run.parent / form.base, base)
        for copy, own in (("one", False), ("two", False), ("own-one", True), ("own-two", True)):
            _copy(run, models / copy, f"Character {copy}", own)
        sides: dict[str, list[str]] = {
            "one character": ["own-one"],
            "two, each with a model of its own": ["own-one", "own-two"],
            "two on one base": ["one", "two"],
        }
        figures = {side: [_memory(Path(name), runs) for _ in range(rounds)] for side, runs in sides.items()}
    alone = min(figures["one character"])
    lines = [
        "## A second character",
        "",
        f"Resident memory of the whole server (llama.cpp) after one answer of each character; {run.name}, base "
        f"{form.base_bytes / 1e6:.0f} MB in {form.type}, adapter {(form.bytes or 0) / 1e6:.1f} MB; the least of "
        f"{rounds}. {datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, xllamacpp {version('xllamacpp')}.",
        "",
        "| Server | MB | to one character |",
        "|---|---|---|",
        *(f"| {side} | {min(kb) / 1e3:.0f} | {min(kb) / alone:.2f} |" for side, kb in figures.items()),
    ]
    print("\n".join(lines))
    write("characters", "\n".join(lines))


def _copy(run: Path, to: Path, name: str, own: bool) -> None:
    """Copy a run under another name; with ``own`` without the form in which it shares its base."""
    shutil.copytree(run, to, ignore=shutil.ignore_patterns("merged", "checkpoint*", "model-F16.gguf", BASE_FOLDER))
    persona = load_persona(to / "persona.toml").model_dump(mode="json", include={"name", "languages", "system_prompt"})
    (to / "persona.toml").write_text(tomli_w.dumps(persona | {"name": name}), encoding="utf-8")
    if own:
        write_gguf_list(to, read_gguf_list(to).model_copy(update={"adapter": None}))
    # What the trainer rendered names the character of the run that was copied.
    (to / "same_ids.json").write_text(json.dumps({"dialogues": []}), encoding="utf-8")


def _memory(root: Path, runs: Sequence[str]) -> int:
    """Return the resident memory of a server with these runs, in kilobytes."""
    command = [sys.executable, "-c", _SERVE, *runs]
    done = subprocess.run(
        command, cwd=root, env=os.environ | {"PYTHONPATH": str(HERE)}, stdout=subprocess.PIPE, check=True
    )
    return int(done.stdout.split()[-1])


if __name__ == "__main__":
    main()
